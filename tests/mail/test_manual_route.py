"""The mails of the manual route, through a real mail server: who gets them, what they hold, and what leaves them out."""

import re
from dataclasses import replace
from email.message import EmailMessage

import pytest

from app.flows.approval.connections import disconnect_application
from app.flows.approval.terms import Terms
from app.flows.manual.answer import approve_request, deny_request
from app.flows.manual.ask import resend_pick_up, withdraw_request
from app.flows.manual.collect import collect_token, find_pick_up
from app.flows.manual.expire import expire_requests
from app.flows.manual.judge import refuse_request
from app.flows.token.explain_token import explain_token
from app.oauth.actor import Actor
from app.storage.people.application_owners import insert_application_owner
from tests.mail.conftest import Post
from tests.mail.sink import arrived
from tests.support.people import join
from tests.support.requests import WHY, Asking, add_owner


@pytest.fixture
async def asking(post: Post) -> Asking:
    return await Asking.make(post.context)


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return " ".join(str(body.get_content()).replace("\u2060", "").split())


def to(messages: list[EmailMessage]) -> set[str]:
    return {str(message["To"]) for message in messages}


async def test_each_mail_reaches_those_it_concerns(post: Post, asking: Asking) -> None:
    """R-63: links lead to us alone, and the asker's words stand on the page alone."""
    member, connector = asking.world.member, await join(asking.world, "connector")
    await join(asking.world, "viewer")
    await arrived(post)
    request_id = await asking.release()
    asked = await arrived(post)
    assert to(asked) == {member.email, connector.email}
    for message in asked:
        assert f"/app/account/requests/{request_id}" in text_of(message)
        assert WHY not in text_of(message)
    await approve_request(post.context, member.actor, member, request_id, Terms())
    to_owner = [message for message in await arrived(post) if message["To"] == asking.owner.email]
    [waits] = [message for message in to_owner if message["Subject"] != "A customer was connected"]
    assert len(to_owner) == 2, "the notice comes beside it"
    [secret] = set(re.findall(r"pick-up\?link=(\S+)", text_of(waits)))
    assert (await find_pick_up(post.context, secret)).id == request_id
    assert asking.world.member.email in text_of(waits), "the owner typed it"
    token = await collect_token(post.context, asking.actor, secret)
    assert token.text.startswith("rovi_at_c")
    assert await arrived(post) == []


async def test_a_mail_that_came_too_late_is_left_out(post: Post, asking: Asking) -> None:
    """It is composed when it is sent: from a request that was withdrawn, for an owner who was removed."""
    withdrawn = await asking.release()
    await withdraw_request(post.context, asking.actor, asking.application_id, withdrawn)
    assert await arrived(post) == []
    await asking.approve()
    await post.owner.execute("DELETE FROM application_owner WHERE application_id = $1", asking.application_id)
    assert asking.owner.email not in to(await arrived(post))


async def test_the_end_is_told_alike_whether_somebody_said_no_or_nobody_was_there(
    post: Post, asking: Asking
) -> None:
    """R-54"""
    denied, nobody = await asking.release(), await asking.release("nobody@nowhere.example")
    await deny_request(post.context, asking.world.member.actor, asking.world.member, denied)
    await arrived(post)
    for request_id in (denied, nobody):
        await asking.pass_time(request_id)
    assert await expire_requests(post.context) == 2
    ended = [text_of(message) for message in await arrived(post)]
    [first, second] = [
        text.replace(asking.world.member.email, "").replace("nobody@nowhere.example", "") for text in ended
    ]
    assert first == second
    assert "nobody said yes within 14 days" in first


async def test_every_owner_is_told_of_a_refusal(post: Post, asking: Asking) -> None:
    other = await add_owner(post.context, name="Otto Owner")
    await post.owner.execute(
        "INSERT INTO application_owner (application_id, person_id) VALUES ($1, $2)",
        asking.application_id,
        other.id,
    )
    request_id = await asking.ask()
    await refuse_request(post.context, asking.reviewer, request_id, reason="No contract")
    told = await arrived(post)
    assert to(told) == {asking.owner.email, other.email}
    assert all("No contract" not in text_of(message) for message in told)


async def test_a_mailed_token_ends_the_one_of_the_mail_before(post: Post, asking: Asking) -> None:
    """Where the setting wants it: one owner gets it, sending it again makes another, and no table holds either."""
    context = replace(post.context, policy=replace(post.context.policy, mail_tokens=True))
    post = replace(post, context=context)
    other = await add_owner(context, name="Otto Owner")
    await insert_application_owner(context.database, asking.application_id, other.id)
    request_id = await asking.approve()
    [first] = tokens_in(await arrived(post), asking.owner.email)
    assert await asking.events() == [*BEFORE, "request.collected"]
    assert (await explain_token(context, first)).reasons == ()
    await post.owner.execute("UPDATE mail SET state = 'waiting', settled_at = NULL, next_attempt_at = now()")
    [second] = tokens_in(await arrived(post), asking.owner.email)
    assert second != first
    otto = Actor("application owner", other.id)
    await resend_pick_up(context, otto, asking.application_id, request_id)
    [third] = tokens_in(await arrived(post), other.email)
    assert [bool((await explain_token(context, each)).reasons) for each in (first, second, third)] == [
        True,
        True,
        False,
    ]
    for table in ("mail", "access_request", "pick_up_link", "classic_token", "audit_event"):
        rows = "\n".join(row[0] for row in await post.owner.fetch(f"SELECT t::text FROM {table} t"))
        assert not [each for each in (first, second, third) if each[30:46] in rows]
    member = asking.world.member
    await disconnect_application(context, member.actor, member.customer_id, asking.application_id)
    await resend_pick_up(context, otto, asking.application_id, request_id)
    assert tokens_in(await arrived(post), other.email) == []


BEFORE = ["request.asked", "request.released", "request.approved"]


def tokens_in(messages: list[EmailMessage], email: str) -> list[str]:
    """The tokens in what arrived, all of it at one address."""
    found = [(each["To"], token) for each in messages for token in re.findall(r"rovi_at_\w+", text_of(each))]
    assert {address for address, _ in found} <= {email}
    return [token for _, token in found]
