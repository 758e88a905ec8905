"""What goes to Citus is SQL of any PostgreSQL, so its meaning shows on a plain one: the token path by its functions.

Its triggers are gone here as they are there, so what ends is told by the statements themselves.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from app.context import Context
from app.flows.approval.connections import disconnect_application
from app.flows.token.revoke_surplus import revoke_surplus
from app.flows.upkeep.maintain import maintain
from app.main import create_app
from app.oauth.actor import COMMAND_LINE
from app.policy import MOST_CLASSIC_TOKENS
from app.storage.distributed.distribute import TELLING
from app.storage.distributed.functions import DEFINITIONS
from app.storage.distributed.placement import BY_BUCKET
from app.storage.distributed.statements import ON_CITUS
from app.storage.postgres.changes import CHANNEL
from app.storage.token.connection_lists import select_connections
from tests.conftest import make_database, make_settings
from tests.flows.test_keep_cap import issue
from tests.support.approvals import waiting_code
from tests.support.browser import Browser
from tests.support.changing import as_owner, hear, until
from tests.support.families import dead, events, read
from tests.support.people import Strict, World, reads
from tests.support.refusals import error_of
from tests.web.test_client_credentials import introspect, register_robot, token_of

Service = tuple[Context, Browser]


@pytest.fixture(scope="module")
async def url(servers: tuple[str, str], worker: int) -> str:
    url = await make_database(servers[0], f"functions_{worker}")
    for definition in DEFINITIONS:
        await as_owner(url, definition)
    for table in BY_BUCKET:
        for trigger in TELLING:
            await as_owner(url, f"DROP TRIGGER IF EXISTS {trigger} ON {table}")
    return url


@pytest.fixture(scope="module")
async def service(
    url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    # Its own login: what SET ROLE makes of the owner, no worker of Citus lets in.
    own = {"distributed": "citus", "migration_database_url": f"{url}&application_name=owner"}
    app = create_app(make_settings(url, redis_url, Path(tmp_path_factory.mktemp("data")), **own))
    async with app.router.lifespan_context(app), Browser(app) as browser:
        await until(lambda: app.state.context.changes.current)
        yield app.state.context, browser


@pytest.fixture
def there(service: Service) -> Context:
    return service[0]


@pytest.fixture
def browser_there(service: Service) -> Browser:
    return service[1]


async def test_each_has_the_parameters_and_the_columns_of_what_it_replaces(url: str) -> None:
    session = await asyncpg.connect(url)
    await session.execute("SET ROLE rovitracker_service")
    for plain, replaced in ON_CITUS.items():
        before, after = await session.prepare(plain), await session.prepare(replaced)
        assert [each.name for each in before.get_parameters()] == [
            each.name for each in after.get_parameters()
        ]
        columns = [(each.name, each.type.name) for each in before.get_attributes()]
        # A statement that only counts has none, and what counts in its place has one.
        assert columns in ([], [(each.name, each.type.name) for each in after.get_attributes()])
    await session.close()


async def test_a_family_lives_and_ends_by_reuse(there: Context, browser_there: Browser) -> None:
    strict = await Strict.register(there)
    first = await strict.pair(browser_there)
    second = await strict.refreshed(browser_there, first.refresh)
    assert (await strict.introspect(browser_there, second.access))["active"] is True
    assert error_of(await strict.refresh(browser_there, first.refresh)) == "invalid_grant"
    assert await dead(browser_there, strict, first, second)
    assert await events(strict) == ["refresh_token.replayed"]


async def test_of_many_redeemers_one_wins_and_a_replay_ends_what_it_got(
    there: Context, browser_there: Browser
) -> None:
    world = await World.make(there)
    code = await waiting_code(world)
    answers = await asyncio.gather(*(world.exchange(browser_there, code.text) for _ in range(8)))
    [won] = [each.json()["access_token"] for each in answers if each.status_code == 200]
    assert {each.status_code for each in answers} == {200, 400}
    assert error_of(await world.exchange(browser_there, code.text)) == "invalid_grant"
    assert (await world.introspect(browser_there, won))["active"] is False


async def test_what_is_revoked_is_heard_without_triggers(
    there: Context, browser_there: Browser, url: str
) -> None:
    """By whoever listens, and not only by the process that revoked it."""
    heard: list[object] = []
    listener = await asyncpg.connect(url)
    await listener.add_listener(CHANNEL, lambda *told: heard.append(told[-1]))
    strict = await Strict.register(there)
    by_itself, by_grant = await strict.pair(browser_there), await strict.pair(browser_there)
    assert await reads(browser_there, by_itself.access)
    await strict.revoke(browser_there, by_itself.access)
    await strict.revoke(browser_there, by_grant.refresh)
    ended = read(by_itself.access).id
    await until(lambda: str(ended) in heard and len(set(heard) - {str(ended)}) > 0)
    assert not await reads(browser_there, by_itself.access)
    assert await dead(browser_there, strict, by_grant)
    await listener.close()


async def test_tokens_of_one_application_lie_in_many_buckets_and_end_together(
    there: Context, browser_there: Browser
) -> None:
    world = await World.make(there)
    robot = await register_robot(there, customer_id=world.member.customer_id)
    texts = await asyncio.gather(*(token_of(browser_there, robot) for _ in range(12)))
    assert len({read(text).bucket for text in texts}) > 1
    for text in texts:
        assert (await introspect(browser_there, robot, text))["active"] is True
    await disconnect_application(there, COMMAND_LINE, world.member.customer_id, robot.client.id)
    await hear(there)
    for text in texts:
        assert (await introspect(browser_there, robot, text))["active"] is False


async def test_the_oldest_beyond_ten_end(there: Context) -> None:
    world = await World.make(there)
    await issue(world, MOST_CLASSIC_TOKENS + 2)
    client, customer = world.registered.client, world.member.customer_id
    before = there.changes.number
    await revoke_surplus(there, [(customer, client.id)])
    await hear(there)
    assert there.changes.number >= before + 3
    live = "SELECT id FROM classic_token WHERE customer_id = $1 AND revoked_at IS NULL ORDER BY id"
    assert len(await there.database.rows(live, customer)) == MOST_CLASSIC_TOKENS


async def test_a_customer_sees_what_is_connected(there: Context, browser_there: Browser) -> None:
    world = await World.make(there)
    await world.exchange(browser_there, (await waiting_code(world)).text)
    policy = there.policy
    [connection] = await select_connections(
        there.database, world.member.customer_id, legacy_until=None, code_life=policy.lifetimes.code
    )
    assert connection.application_id == world.registered.client.id
    assert not connection.unused


async def test_past_rows_go_and_live_ones_stay(there: Context, url: str) -> None:
    past, living = await World.make(there), await World.make(there)
    for world in (past, living):
        await issue(world, 3)
    aged = "expires_at = expires_at - interval '10 years', approved_at = approved_at - interval '10 years'"
    await as_owner(url, f"UPDATE classic_token SET {aged} WHERE customer_id = $1", past.member.customer_id)
    approved = "UPDATE authorization_grant SET approved_at = approved_at - interval '10 years' WHERE customer_id = $1"
    await as_owner(url, approved, past.member.customer_id)
    assert (await maintain(there, url)).rows_deleted >= 6
    for table in ("classic_token", "authorization_grant"):
        count = f"SELECT customer_id FROM {table} WHERE customer_id = ANY($1)"
        rows = await there.database.rows(count, [past.member.customer_id, living.member.customer_id])
        assert [row["customer_id"] for row in rows] == [living.member.customer_id] * 3
