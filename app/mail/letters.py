"""The words of each mail: a subject, a text and an HTML part, filled in from templates."""

from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path
from textwrap import wrap
from typing import Any, Literal

from app.language.languages import ENGLISH, Language
from app.language.templates import Templates

# Each has a text and an HTML template.
Template = Literal[
    "test",
    "new_browser",
    "password_forgotten",
    "password_changed",
    "email_new",
    "email_old",
    "email_changed",
    "email_changed_from",
    "email_set",
    "account_closed",
    "new_browser_passkey",
    "passkey_added",
    "passkey_removed",
    "invitation",
    "invitation_accepted",
    "role_changed",
    "removed_from_account",
    "connection_changed",
    "sign_up",
    "owner_invitation",
    "applications_disconnected",
    "connection_ending",
    "connection_reported",
    "access_asked",
    "token_waits",
    "request_ended",
    "review_approved",
    "review_refused",
    "customer_connected",
    "customer_changed",
    "customer_disconnected",
    "customers_ending",
    "secrets_due",
]

_WIDTH = 76

TEMPLATES = Templates(Path(__file__).parent / "templates")


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail in words. Subjects hold nothing that a stranger chose.

    choice: of a notice, the page where its reader chooses not to get it.
    """

    subject: str
    text: str
    html: str
    language: str
    choice: str | None = None


def write_letter(
    template: Template, language: Language, zone: tzinfo = UTC, *, issuer: str, **values: Any
) -> Letter:
    """zone: that moments are told in. issuer: the origin that every link begins with."""
    filled = {"issuer": issuer, **values}
    subject = TEMPLATES.fill_block(f"{template}.txt", "subject", language, zone, **filled).strip()
    text = TEMPLATES.fill(f"{template}.txt", language, zone, **filled)
    html = TEMPLATES.fill(f"{template}.html", language, zone, subject=subject, **filled)
    return Letter(subject, _wrapped(text), html, language.code)


def address_of_choice(frame: Literal["_notice.txt", "_account_notice.txt"], **values: str) -> str:
    """The page where the reader of a notice chooses which they get. values: what the frame's address names."""
    return TEMPLATES.fill_block(frame, "choice", ENGLISH, UTC, **values).strip()


def _wrapped(text: str) -> str:
    """Long lines broken between words, as mail programs that break none need it; an address stays whole."""
    lines = (
        wrap(line, _WIDTH, break_long_words=False, break_on_hyphens=False) if len(line) > _WIDTH else [line]
        for line in text.strip().splitlines()
    )
    return "\n".join(part for parts in lines for part in parts) + "\n"
