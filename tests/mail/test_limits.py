"""Nobody is bombed with mail through us: limits by recipient, by sender and in all, exact over processes."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from app.context import Context
from app.flows.mail.queue_mail import queue_mail
from app.mail.letters import Template
from app.storage.errors import StatementRefusedError
from app.storage.mail.outbox import insert_mail
from app.throttling.mails import Cause, MailLimits, caused_from
from tests.mail.conftest import Post

MANY = 1_000_000
ANN = "ann@hillside.example"


def limited(post: Post, *, recipient: int = MANY, sender: int = MANY, in_all: int = MANY) -> Context:
    limits = MailLimits(recipient, sender, in_all)
    return replace(post.context, policy=replace(post.context.policy, mail_limits=limits))


async def queued(
    context: Context, to: str = ANN, template: Template = "password_forgotten", cause: Cause | None = None
) -> bool:
    async with context.database.transaction() as transaction:
        return bool(await queue_mail(context, transaction, template, to=to, about={}, cause=cause))


def somebody() -> str:
    return f"{uuid4().hex}@hillside.example"


async def test_one_address_gets_so_many_mails_a_day(post: Post) -> None:
    few = limited(post, recipient=3)
    assert [await queued(few) for _ in range(5)] == [True] * 3 + [False] * 2
    assert await queued(few, somebody())
    assert len(await post.mails()) == 4


async def test_crowd_of_requests_gets_no_more_than_the_limit(post: Post) -> None:
    few = limited(post, recipient=3)
    outcomes = await asyncio.gather(*(queued(few) for _ in range(12)))
    assert sum(outcomes) == 3


async def test_what_was_left_out_counts_for_nothing_and_a_limit_comes_back(post: Post) -> None:
    few = limited(post, recipient=2)
    for _ in range(6):
        await queued(few)
    await post.owner.execute("UPDATE mail_quota SET at = at - interval '12 hours 1 minute'")
    assert [await queued(few) for _ in range(2)] == [True, False]


async def test_one_sender_causes_so_many_mails_a_day(post: Post) -> None:
    few = limited(post, sender=3)
    cause, neighbour = caused_from("198.51.100.7"), caused_from("198.51.100.8")
    assert [await queued(few, somebody(), cause=cause) for _ in range(4)] == [True] * 3 + [False]
    assert await queued(few, somebody(), cause=neighbour)


async def test_networks_of_one_holder_share_a_limit(post: Post) -> None:
    few = limited(post, sender=1)
    networks = [f"2001:0db8:0001:{number:04x}::/64" for number in range(8)]
    outcomes = [await queued(few, somebody(), cause=caused_from(each)) for each in networks]
    assert outcomes == [True] * 4 + [False] * 4


async def test_strangers_together_cause_so_many_mails_a_day(post: Post) -> None:
    few = limited(post, in_all=3)
    causes = [caused_from(f"198.51.100.{number}") for number in range(4)]
    assert [await queued(few, somebody(), cause=each) for each in causes] == [True] * 3 + [False]


async def test_flood_of_one_kind_does_not_hold_back_a_notice(post: Post) -> None:
    """Whoever stole a password would else hide the sign-in behind mails that they ask for."""
    few = limited(post, recipient=2, in_all=2)
    for _ in range(4):
        await queued(few, cause=caused_from("198.51.100.7"))
    assert await queued(few, template="new_browser")


async def test_mail_left_out_leaves_the_callers_transaction_whole(post: Post) -> None:
    few = limited(post, recipient=1)
    async with post.context.database.transaction() as transaction:
        outcomes = [await queue_mail(few, transaction, "test", to=ANN, about={}) for _ in range(3)]
    assert [bool(each) for each in outcomes] == [True, False, False]
    assert len(await post.mails()) == 1


@pytest.mark.parametrize(
    "to", ["ann@x.example\r\nBcc: eve@x.example", "ann@x.example\x00", "a b@x.example", "ann"]
)
async def test_outbox_takes_no_address_that_could_become_a_header(post: Post, to: str) -> None:
    """R-61."""
    with pytest.raises((StatementRefusedError, ValueError)):
        await insert_mail(post.context.database, uuid4(), "test", to, {}, language=None)
    assert await post.mails() == ()
