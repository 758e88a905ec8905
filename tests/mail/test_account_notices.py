"""Owners of an account get the notices that they want by mail, and every mail that keeps the account safe."""

from collections.abc import AsyncIterator, Collection
from datetime import timedelta
from email.message import EmailMessage

import pytest

from app.flows.account.change_customer import set_password
from app.flows.account.choose_notices import choose_account_notices
from app.flows.approval.connections import disconnect_all
from app.flows.upkeep.tell_ends import tell_of_ends
from app.oauth.actor import COMMAND_LINE
from app.storage.people.members import Member
from app.storage.people.notices import AccountNotice
from tests.mail.conftest import Post
from tests.mail.sink import arrived
from tests.mail.test_connection_changed import text_of
from tests.mail.test_connection_ends import end, pass_days
from tests.mail.test_notices import cut, told
from tests.mail.test_password import app_of
from tests.support.browser import Browser
from tests.support.people import PASSWORD, World, join

CHANGED = "connection_changed"
SUBJECTS: dict[AccountNotice, str] = {
    "changed": "What an application may read was changed",
    "disconnected": "An application was disconnected",
    "ending": "A connection ends soon",
}
CONNECTED = "An application was connected"


@pytest.fixture
async def visitor(post: Post) -> AsyncIterator[Browser]:
    await post.owner.execute("UPDATE connection SET ends_at = NULL")
    async with Browser(app_of(post)) as browser:
        yield browser


async def want(world: World, member: Member, *wanted: AccountNotice) -> None:
    await choose_account_notices(world.context, member.actor, member.customer_id, wanted)


async def walk(post: Post, world: World, visitor: Browser) -> list[EmailMessage]:
    """The mails that arrive while a connection begins, gets an end, is told to end in 20 days, and is cut."""
    await world.token(visitor)
    await end(world, timedelta(days=40))
    await pass_days(post, 20)
    await tell_of_ends(post.context)
    messages = await arrived(post)
    await cut(world)
    return messages + await arrived(post)


def subjects(messages: Collection[EmailMessage], to: Member) -> set[str]:
    return {each["Subject"] for each in messages if each["To"] == to.email}


@pytest.mark.parametrize("unwanted", SUBJECTS)
async def test_each_notice_is_turned_off_alone_and_by_each_owner(
    post: Post, person: World, visitor: Browser, unwanted: AccountNotice
) -> None:
    other = await join(person, "owner")
    await arrived(post)
    await want(person, person.member, *(each for each in SUBJECTS if each != unwanted))
    messages = await walk(post, person, visitor)
    every = {CONNECTED, *SUBJECTS.values()}
    assert subjects(messages, other) >= every
    assert subjects(messages, person.member) & every == every - {SUBJECTS[unwanted]}


async def test_choice_holds_for_mails_that_wait_already(post: Post, person: World, visitor: Browser) -> None:
    """And an unwanted mail takes no part of the day's limit, which a wanted one of its kind may need."""
    await person.token(visitor)
    await end(person, timedelta(days=40))
    await cut(person)
    assert await told(post, CHANGED) == [person.member.email] * 3
    await want(person, person.member)
    assert subjects(await arrived(post), person.member) == {CONNECTED}
    before = await told(post, CHANGED)
    await cut(person)
    await person.token(visitor)
    await cut(person)
    assert len(await told(post, CHANGED)) == len(before) + 1, "the connection alone is queued"


async def test_all_at_once_is_a_notice_of_the_same_kind(post: Post, person: World, visitor: Browser) -> None:
    await want(person, person.member, "changed", "ending")
    await person.token(visitor)
    await disconnect_all(post.context, person.member.actor, person.member.customer_id)
    assert await told(post, "applications_disconnected") == []


async def test_notices_lead_to_the_choice_and_other_mails_do_not(
    post: Post, person: World, visitor: Browser
) -> None:
    """RFC 2369 section 3.2. Who joins, who signs in and what is connected is always told, so nothing is offered there."""
    messages = await walk(post, person, visitor)
    await person.token(visitor)
    await disconnect_all(post.context, person.member.actor, person.member.customer_id)
    await join(person, "viewer")
    await set_password(
        post.context, COMMAND_LINE, person.member.email, f"{PASSWORD} 2", cut_applications=False
    )
    page = f"{post.context.policy.issuer}/app/account/profile#notices"
    messages += await arrived(post)
    by_subject = {each["Subject"]: each for each in messages if each["To"] == person.member.email}
    notices = {*SUBJECTS.values(), "All applications were disconnected"}
    assert notices < by_subject.keys()
    for subject, message in by_subject.items():
        assert dict(message.raw_items()).get("List-Unsubscribe") == (
            f"<{page}>" if subject in notices else None
        ), subject
        assert (page in text_of(message)) == (subject in notices), subject
        html = message.get_body(("html",))
        assert html is not None
        assert (f'href="{page}"' in html.get_content()) == (subject in notices), subject
    assert len(by_subject) >= len(notices) + 3


async def test_mails_that_keep_the_account_safe_come_whatever_is_turned_off(
    post: Post, person: World, visitor: Browser
) -> None:
    await want(person, person.member)
    await person.token(visitor)
    async with Browser(app_of(post)) as another:
        await another.sign_in(await another.get("/app/login"), person.member.email, PASSWORD)
    await join(person, "connector")
    await set_password(
        post.context, COMMAND_LINE, person.member.email, f"{PASSWORD} 2", cut_applications=False
    )
    templates = {mail.template for mail in await post.mails() if mail.recipient == person.member.email}
    assert templates == {CHANGED, "invitation_accepted", "new_browser", "password_changed"}
    assert CONNECTED in subjects(await arrived(post), person.member)
