"""A mail comes in the language of the person it is for, else in that of the page that caused it."""

from datetime import timedelta
from email.message import EmailMessage

import pytest

from app.flows.account.choose_language import choose_own_language
from app.flows.account.choose_time_zone import choose_time_zone
from app.flows.account.invite import invite
from app.flows.mail.links import mint_invitation_secret
from app.storage.people.audit import AuditEvent, insert_audit_event
from tests.mail.conftest import Post
from tests.mail.sink import arrived
from tests.mail.test_password import FORGOTTEN, app_of
from tests.support.browser import Browser
from tests.support.people import PASSWORD, World, join

PEOPLE = "/app/account/people"

SPANISH = ("es", "Establecer una contraseña nueva", "Hola, \u2068Hillside Plant Hire\u2069:")
ENGLISH = ("en", "Set a new password", "Hello \u2068Hillside Plant Hire\u2069,")


async def asked_by(post: Post, email: str, accepted: str) -> EmailMessage:
    """The mail that arrives when somebody, whose browser asks for a language, forgot the password."""
    async with Browser(app_of(post)) as visitor:
        page = await visitor.get(FORGOTTEN, Accept_Language=accepted)
        await visitor.submit(page, {"email": email}, action=FORGOTTEN, Accept_Language=accepted)
    [message] = await arrived(post)
    return message


def words_of(message: EmailMessage) -> tuple[str, str, str]:
    text, page = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert page is not None
    assert f'<html lang="{message["Content-Language"]}">' in page.get_content()
    return message["Content-Language"], message["Subject"], text.get_content().splitlines()[0]


@pytest.mark.parametrize(
    ("own", "accepted", "expected"),
    [
        (None, "es-MX", SPANISH),
        (None, "de", ENGLISH),
        ("es", "en", SPANISH),
        ("en", "es", ENGLISH),
    ],
)
async def test_mail_is_written_in_the_language_of_its_reader(
    post: Post, person: World, own: str | None, accepted: str, expected: tuple[str, str, str]
) -> None:
    if own:
        await choose_own_language(post.context, person.member.actor, person.member, own)
    message = await asked_by(post, person.member.email, accepted)
    assert words_of(message) == expected


async def test_choice_after_the_mail_was_queued_still_counts(post: Post, person: World) -> None:
    """The words are written when it is sent."""
    await post.queue(person.member.email, "password_changed", person=person.member.id)
    await choose_own_language(post.context, person.member.actor, person.member, "es")
    assert [message["Subject"] for message in await arrived(post)] == ["Se cambió su contraseña"]


async def test_invitation_comes_in_the_language_of_the_page_that_invites(post: Post, person: World) -> None:
    """Also where its address is a person's of another language, for known and unknown get the same mail (R-54)."""
    known = (await World.make(post.context)).member
    await choose_own_language(post.context, known.actor, known, "en")
    async with Browser(app_of(post)) as owner:
        await owner.sign_in(await owner.get(PEOPLE), person.member.email, PASSWORD)
        for email in (known.email, f"bo.{known.id}@elsewhere.example"):
            page = await owner.get(PEOPLE, Accept_Language="es")
            fields = {"email": email, "role": "viewer"}
            await owner.submit(page, fields, action="/invite", Accept_Language="es")
        messages = await arrived(post)
        assert [words_of(each) for each in messages] == [("es", "Invitación a RoviTracker", "Hola:")] * 2
        page = await owner.get(PEOPLE, Accept_Language="es")
        await owner.submit(page, {}, action="/resend", Accept_Language="es")
        assert [each["Content-Language"] for each in await arrived(post)] == ["es"]


@pytest.mark.parametrize(("own", "expected"), [(None, "Su rol cambió"), ("en", "Your role was changed")])
async def test_new_role_is_told_in_the_language_of_its_reader(
    post: Post, person: World, own: str | None, expected: str
) -> None:
    member = await join(person, "viewer")
    await arrived(post)
    if own:
        await choose_own_language(post.context, member.actor, member, own)
    async with Browser(app_of(post)) as owner:
        await owner.sign_in(await owner.get(PEOPLE), person.member.email, PASSWORD)
        page = await owner.get(PEOPLE, Accept_Language="es")
        spanish = {"Accept_Language": "es"}
        await owner.submit(page, {"to": str(member.id), "password": PASSWORD}, action="/transfer", **spanish)
    subjects = {each["To"]: each["Subject"] for each in await arrived(post)}
    assert subjects[member.email] == expected
    assert subjects[person.member.email] == "Su rol cambió"


async def test_joining_is_told_in_the_language_of_its_page(post: Post, person: World) -> None:
    made = await invite(
        post.context,
        person.member.actor,
        person.member.customer_id,
        email=f"bo.{person.member.id}@elsewhere.example",
        role="connector",
    )
    await arrived(post)
    link = f"/app/invitation/{await mint_invitation_secret(post.context, made.id)}"
    async with Browser(app_of(post)) as visitor:
        page = await visitor.get(link, Accept_Language="es")
        await visitor.submit(page, {"name": "Bo", "password": PASSWORD}, action=link, Accept_Language="es")
    [told] = await arrived(post)
    assert words_of(told)[:2] == ("es", "Alguien se sumó a su cuenta")
    text = told.get_body(("plain",))
    assert text is not None
    assert "Su rol es conector." in " ".join(text.get_content().split())


async def test_mail_tells_the_time_in_the_zone_of_its_reader(post: Post, person: World) -> None:
    """Both parts, by the choice as it is at sending, and with the zone named."""
    member = person.member
    event = await insert_audit_event(post.context.database, AuditEvent("person.signed_in", member.actor))
    [row] = await post.context.database.rows("SELECT at FROM audit_event WHERE id = $1", event)
    await post.queue(member.email, "new_browser", person=member.id, event=event)
    await choose_time_zone(post.context, member.actor, member, "Asia/Kathmandu")
    [message] = await arrived(post)
    local = row["at"] + timedelta(hours=5, minutes=45)
    for kind in ("plain", "html"):
        part = message.get_body((kind,))
        assert part is not None
        assert f"{local:%Y, %H:%M} UTC+05:45" in part.get_content()
