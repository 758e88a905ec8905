"""The words of every mail: whole, safe whatever a person is called, and leading nowhere but to us."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from email.headerregistry import Address
from typing import Any, get_args

import pytest
from lxml import html

from app.language.languages import ENGLISH, LANGUAGES, Language
from app.mail.letters import Template, write_letter
from app.mail.message import build_message

ISSUER = "https://auth.example.com"
HOSTILE = '<script>alert(1)</script> & "Co"'
RIGHT_TO_LEFT = "\u0634\u0631\u0643\u0629"
VALUES: dict[str, Any] = {
    "at": datetime(2026, 5, 4, 12, tzinfo=UTC),
    "address": "198.51.100.9",
    "secret": "S" * 43,
    "old_email": "ann@hillside.example",
    "new_email": "ann.lee@hillside.example",
    "until": datetime(2026, 5, 11, 12, tzinfo=UTC),
    "inviter": "Ann",
    "joined": "Bo",
    "email": "bo@hillside.example",
    "role": "connector",
    "event": "application.approved",
    "by": "Bo",
    "application": "Sitewise",
    "company": "Sitewise Rentals Ltd",
    "reason": "It sells our data.\nSee [link].",
    "went_live": True,
    "application_id": "00000000-0000-7000-8000-000000000000",
    "applications": [
        {
            "application": "Sitewise",
            "company": "Sitewise Rentals Ltd",
            "application_id": "00000000-0000-7000-8000-000000000000",
            "ends": [{"customer": "Hillside Plant Hire", "at": datetime(2026, 6, 3, 12, tzinfo=UTC)}],
            "credentials": [
                {
                    "kid": kid,
                    "created_at": datetime(2025, 6, 3, 12, tzinfo=UTC),
                    "used_at": None,
                    "unused": True,
                }
                for kid in (None, "2026-05")
            ],
        }
    ],
    "ends_at": datetime(2026, 6, 3, 12, tzinfo=UTC),
    "client_id": "00000000-0000-7000-8000-000000000000",
    "customer_id": "00000000-0000-7000-8000-000000000001",
    "request_id": "00000000-0000-7000-8000-000000000001",
    "how": "silent",
    "token": None,
    "connections": [
        {
            "application": "Sitewise",
            "company": "Sitewise Rentals Ltd",
            "application_id": "00000000-0000-7000-8000-000000000000",
            "ends_at": datetime(2026, 6, 3, 12, tzinfo=UTC),
        }
    ],
    "customer": "Hillside Plant Hire",
    "most": 100,
    "more": True,
    "optional": True,
}

every_template = pytest.mark.parametrize("template", get_args(Template))
every_language = pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)


@every_language
@every_template
@pytest.mark.parametrize("name", [HOSTILE, RIGHT_TO_LEFT, "W" * 120])
def test_every_letter_is_whole_whatever_a_person_is_called(
    template: Template, language: Language, name: str
) -> None:
    """R-61, R-79."""
    letter = write_letter(template, language, issuer=ISSUER, name=name, account=name, **VALUES)
    page = html.fromstring(letter.html)
    assert letter.subject == page.findtext(".//h1")
    assert not page.findall(".//script")
    assert name not in letter.subject
    assert "\n\n\n\n" not in letter.text
    if template not in ("test", "sign_up", "owner_invitation"):  # whoever signs up has no name yet
        assert f"\u2068{name}\u2069" in letter.text
        assert name in [each.text for each in page.iter("bdi")]


@every_language
@every_template
def test_letters_lead_nowhere_but_to_the_issuer(template: Template, language: Language) -> None:
    """R-63: in both parts to the same pages."""
    letter = write_letter(template, language, issuer=ISSUER, name="Ann", account="Hillside", **VALUES)
    in_text = set(re.findall(r"https?://\S+", letter.text)) - {ISSUER}
    in_html = {link.get("href", "") for link in html.fromstring(letter.html).iter("a")}
    assert in_text == in_html
    assert all(link.startswith(f"{ISSUER}/app/") for link in in_text)


@every_language
@every_template
def test_message_passes_every_server_on_its_way(template: Template, language: Language) -> None:
    """RFC 5322 section 2.1.1: short lines, and nothing beyond ASCII in them."""
    letter = write_letter(template, language, issuer=ISSUER, name=RIGHT_TO_LEFT, account="W" * 120, **VALUES)
    message = build_message(
        letter,
        sender=Address("RoviTracker", addr_spec="no-reply@rovi.example"),
        recipient="ann@hillside.example",
        message_id="1@auth.example.com",
        written_at=datetime(2026, 5, 4, 12, tzinfo=UTC),
    )
    wire = message.as_bytes()
    assert wire.isascii()
    assert max(map(len, wire.split(b"\r\n"))) <= 78


@pytest.mark.parametrize(
    "choice",
    [
        "/short",
        "/app/account/profile#notices",
        f"/app/developer/{VALUES['application_id']}/notices",
        "/" + "w" * 800,
    ],
)
def test_notice_leads_programs_of_mail_to_its_choice(choice: str) -> None:
    """RFC 2369 section 3.2: the address is whole, since programs open it as it stands."""
    letter = replace(write_letter("test", ENGLISH, issuer=ISSUER), choice=f"{ISSUER}{choice}")
    wire = build_message(
        letter,
        sender=Address("RoviTracker", addr_spec="no-reply@rovi.example"),
        recipient="ann@hillside.example",
        message_id="1@auth.example.com",
        written_at=datetime(2026, 5, 4, 12, tzinfo=UTC),
    ).as_bytes()
    assert f"\r\nList-Unsubscribe: <{ISSUER}{choice}>\r\n".encode() in wire
    assert max(map(len, wire.split(b"\r\n"))) <= 998


@pytest.mark.parametrize(
    ("recipient", "choice"),
    [("ann@x.example\r\nBcc: eve@x.example", None), ("ann@x.example", "x\r\nBcc: eve@x.example")],
)
def test_message_takes_no_line_break_into_a_header(recipient: str, choice: str | None) -> None:
    """R-61."""
    letter = replace(write_letter("test", ENGLISH, issuer=ISSUER), choice=choice)
    with pytest.raises(ValueError, match=r".+"):
        build_message(
            letter,
            sender=Address("RoviTracker", addr_spec="no-reply@rovi.example"),
            recipient=recipient,
            message_id="1@auth.example.com",
            written_at=datetime(2026, 5, 4, 12, tzinfo=UTC),
        )


@every_language
@pytest.mark.parametrize("by", [HOSTILE, ""])
@pytest.mark.parametrize(
    ("event", "link"),
    [
        ("application.approved", f"/{VALUES['application_id']}"),
        ("token.issued_manually", f"/{VALUES['application_id']}"),
        ("application.terms_changed", f"/{VALUES['application_id']}"),
        ("application.disconnected", ""),
    ],
)
def test_letter_about_a_connection_names_who_did_it_and_where_to_look(
    language: Language, by: str, event: str, link: str
) -> None:
    """R-61, R-63: whatever person and application are called; a disconnected one has no page any more."""
    optional = event in ("application.terms_changed", "application.disconnected")
    about = {"event": event, "by": by, "application": HOSTILE, "company": "evil.example"}
    values = {**VALUES, **about, "optional": optional}
    letter = write_letter(
        "connection_changed", language, issuer=ISSUER, name="Ann", account="Hillside", **values
    )
    page = html.fromstring(letter.html)
    choice = [f"{ISSUER}/app/account/profile#notices"] if optional else []
    shown = f"{ISSUER}/app/account/applications{link}"
    assert [each.get("href") for each in page.iter("a")] == [shown, *choice]
    assert not page.findall(".//script")
    told = letter.text.replace("\u2060", "")
    assert HOSTILE in " ".join(told.split())
    assert ("RoviTracker" in told.split("RoviTracker,")[0]) == (not by)
    assert "evil.example" not in letter.text
    assert HOSTILE not in letter.subject


@every_language
def test_letter_that_holds_a_token_has_it_whole_and_no_link(language: Language) -> None:
    token = "rovi_at_c" + "T" * 55
    values = {**VALUES, "token": token, "secret": None}
    letter = write_letter("token_waits", language, issuer=ISSUER, name="Ann", account="Hillside", **values)
    assert f"\n{token}\n" in letter.text
    assert html.fromstring(letter.html).findtext(".//code") == token
    assert "pick-up" not in letter.text + letter.html
