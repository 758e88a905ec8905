"""Owners hear by mail that a connection ends in 30 days, once for each end."""

import asyncio
from datetime import datetime, timedelta

import pytest

from app.context import open_context
from app.flows.account.change_customer import disable_customer, enable_customer
from app.flows.account.choose_language import choose_own_language
from app.flows.account.register_application import register_application
from app.flows.approval.connections import disconnect_application
from app.flows.approval.terms import Terms, change_terms, read_terms
from app.flows.upkeep.maintain import maintain
from app.flows.upkeep.tell_ends import tell_of_ends
from app.oauth.actor import COMMAND_LINE
from app.stores import Stores
from tests.mail.conftest import Post
from tests.mail.sink import arrived
from tests.mail.test_connection_changed import text_of
from tests.mail.test_password import app_of
from tests.support.browser import Browser
from tests.support.people import World, join
from tests.support.sharing import page_of


@pytest.fixture
async def connected(post: Post, person: World) -> World:
    """Connected, and no other connection of these tests ends."""
    await post.owner.execute("UPDATE connection SET ends_at = NULL")
    async with Browser(app_of(post)) as browser:
        await person.token(browser)
    await post.owner.execute("DELETE FROM mail")
    return person


async def end(world: World, after: timedelta | None) -> datetime | None:
    """Let the connection end so long from now."""
    ends_at = world.context.now() + after if after is not None else None
    pair = world.member.customer_id, world.registered.client.id
    present, version = await read_terms(world.context, *pair)
    terms = Terms(present.machines, present.history_from, ends_at)
    await change_terms(world.context, world.member.actor, *pair, terms, version=version)
    return ends_at


async def pass_days(post: Post, days: int) -> None:
    """Everything about connections was so many days earlier."""
    await post.owner.execute(
        f"UPDATE connection SET ends_at = ends_at - interval '{days} days', "
        f"approved_at = approved_at - interval '{days} days', terms_at = terms_at - interval '{days} days'"
    )


async def told(post: Post) -> list[str]:
    return sorted(mail.recipient for mail in await post.mails() if mail.template == "connection_ending")


async def test_each_owner_is_told_once_thirty_days_before(post: Post, connected: World) -> None:
    owner, _ = await join(connected, "owner", name="Bo Berg"), await join(connected, "viewer", name="Cy")
    await choose_own_language(post.context, owner.actor, owner, "es")
    await end(connected, timedelta(days=40))
    await pass_days(post, 9)
    assert await tell_of_ends(post.context) == 0
    await pass_days(post, 2)
    assert (await maintain(post.context, post.database_url)).ends_told == 1
    assert await tell_of_ends(post.context) == 0
    messages = {
        each["To"]: each
        for each in await arrived(post)
        if "ends" in each["Subject"] or "termina" in each["Subject"]
    }
    assert set(messages) == {connected.member.email, owner.email}
    text = text_of(messages[connected.member.email])
    assert messages[connected.member.email]["Subject"] == "A connection ends soon"
    assert messages[owner.email]["Subject"] == "Una conexión termina pronto"
    terms, version = await read_terms(
        post.context, connected.member.customer_id, connected.registered.client.id
    )
    assert terms.ends_at is not None
    assert f"It ends by itself: {terms.ends_at:%-d %B %Y, %H:%M} UTC" in text
    assert "\u2068Sitewise\u2069 of \u2068Sitewise Rentals Ltd\u2069" in text
    assert f"{post.context.policy.issuer}{page_of(connected)}" in text
    assert version == 2  # of the end that was set; what is told changes nothing that anybody chose


async def test_end_that_was_set_less_than_thirty_days_ahead_is_known(post: Post, connected: World) -> None:
    await end(connected, timedelta(days=29))
    await tell_of_ends(post.context)
    await pass_days(post, 28)
    await tell_of_ends(post.context)
    assert await told(post) == []


async def test_another_end_is_told_again_and_other_changes_are_not(post: Post, connected: World) -> None:
    await end(connected, timedelta(days=40))
    await pass_days(post, 15)
    await tell_of_ends(post.context)
    pair = connected.member.customer_id, connected.registered.client.id
    terms, version = await read_terms(post.context, *pair)
    narrowed = Terms(terms.machines, terms.history_from or connected.context.now(), terms.ends_at)
    await change_terms(post.context, connected.member.actor, *pair, narrowed, version=version)
    await tell_of_ends(post.context)
    assert await told(post) == [connected.member.email]
    await end(connected, timedelta(days=90))
    await tell_of_ends(post.context)
    assert await told(post) == [connected.member.email]
    await pass_days(post, 61)
    await tell_of_ends(post.context)
    assert await told(post) == [connected.member.email] * 2


async def test_change_of_machines_near_the_end_does_not_swallow_the_mail(
    post: Post, connected: World
) -> None:
    """Upkeep was late, and somebody changed something else meanwhile."""
    await end(connected, timedelta(days=40))
    await pass_days(post, 15)
    pair = connected.member.customer_id, connected.registered.client.id
    terms, version = await read_terms(post.context, *pair)
    narrowed = Terms(terms.machines, connected.context.now(), terms.ends_at)
    await change_terms(post.context, connected.member.actor, *pair, narrowed, version=version)
    await tell_of_ends(post.context)
    assert await told(post) == [connected.member.email]


@pytest.mark.parametrize("how", ["cut", "over", "no end"])
async def test_what_does_not_end_any_more_is_not_told(post: Post, connected: World, how: str) -> None:
    await end(connected, timedelta(days=40))
    await pass_days(post, 50 if how == "over" else 15)
    if how == "cut":
        await disconnect_application(
            post.context,
            connected.member.actor,
            connected.member.customer_id,
            connected.registered.client.id,
        )
    if how == "no end":
        await end(connected, None)
    assert await tell_of_ends(post.context) == 0
    assert await told(post) == []


async def test_end_that_is_taken_away_before_the_mail_leaves_is_not_told(
    post: Post, connected: World
) -> None:
    await end(connected, timedelta(days=40))
    await pass_days(post, 15)
    await tell_of_ends(post.context)
    await end(connected, None)
    assert not [each for each in await arrived(post) if each["Subject"] == "A connection ends soon"]


async def test_disabled_account_is_told_once_it_is_enabled_again(post: Post, connected: World) -> None:
    await end(connected, timedelta(days=40))
    await pass_days(post, 15)
    await disable_customer(post.context, COMMAND_LINE, connected.member.email)
    assert await tell_of_ends(post.context) == 0
    await enable_customer(post.context, COMMAND_LINE, connected.member.email)
    assert await tell_of_ends(post.context) == 1


async def test_several_processes_at_once_tell_each_end_once(post: Post, connected: World) -> None:
    """More connections than two batches, and a process of its own beside."""
    await end(connected, timedelta(days=40))
    await post.owner.execute(
        "WITH made AS (INSERT INTO customer (id, name) SELECT gen_random_uuid(), 'C' FROM generate_series(1, 250) RETURNING id) "
        "INSERT INTO connection (customer_id, application_id, approved_at, route, ends_at) "
        "SELECT id, $1, clock_timestamp(), 'code', clock_timestamp() + interval '40 days' FROM made",
        connected.registered.client.id,
    )
    await pass_days(post, 15)
    redis_url = post.settings.redis_url
    assert redis_url is not None
    stores = Stores(
        post.database_url,
        post.database_url,
        post.database_url,
        redis_url.get_secret_value(),
        "rovitracker_service",
    )
    async with open_context(post.settings, stores) as beside:
        counts = await asyncio.gather(*(tell_of_ends(each) for each in (post.context, beside) * 3))
    assert sum(counts) == 251
    assert await told(post) == [connected.member.email]


async def test_all_that_ends_on_one_day_is_one_mail(post: Post, connected: World) -> None:
    """More than mails of one kind go to an address in a day, and each at another hour."""
    owner = await join(connected, "owner", name="Bo Berg")
    names = [f"Application {number}" for number in range(12)]
    day = "(date_trunc('day', clock_timestamp() + interval '30 days', 'UTC') + $3 * interval '2 hours')"
    for number, name in enumerate(names):
        registered = await register_application(
            post.context, COMMAND_LINE, name=name, company="Sitewise Rentals Ltd"
        )
        await post.owner.execute(
            "INSERT INTO connection (customer_id, application_id, approved_at, route, ends_at) "
            f"VALUES ($1, $2, clock_timestamp(), 'code', {day})",
            connected.member.customer_id,
            registered.client.id,
            number,
        )
    assert await tell_of_ends(post.context) == 12
    assert await tell_of_ends(post.context) == 0
    messages = [each for each in await arrived(post) if each["Subject"] == "Connections end soon"]
    assert sorted(each["To"] for each in messages) == sorted([connected.member.email, owner.email])
    for message in messages:
        told = text_of(message)
        assert [name for name in names if f"\u2068{name}\u2069 of" in told] == names
        assert told.count(f"{post.context.policy.issuer}/app/account/applications/") == 12
