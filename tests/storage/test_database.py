"""The pool: which outcome each kind of trouble is, and that no answer ever reaches somebody else."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg
import pytest

from app.refused import RefusedError
from app.storage.errors import NotSentError, StatementRefusedError, StoreBusyError, StoreUnavailableError
from app.storage.postgres.connections import Timeouts
from app.storage.postgres.database import SERVICE_ROLE, Database, open_database
from app.storage.valkey.valkey import Valkey
from tests.support.people import World
from tests.support.stores import context_through_proxy, put, take

WHO = "SELECT current_user::text AS role, pg_backend_pid() AS pid"


@pytest.fixture
async def single(database_url: str) -> AsyncIterator[Database]:
    """A pool of one connection: whatever one caller leaves behind, the next one finds."""
    database = await open_database(database_url, connections=1)
    yield database
    await database.close()


async def role_of(database: Database) -> str:
    row = await database.row(WHO)
    assert row is not None
    return str(row["role"])


async def test_a_local_role_ends_with_its_transaction(single: Database) -> None:
    for end in (None, ValueError):
        try:
            async with single.transaction() as transaction:
                await transaction.count("SET LOCAL ROLE rovitracker_ingest")
                row = await transaction.row(WHO)
                assert row is not None
                assert row["role"] == "rovitracker_ingest"
                if end:
                    raise end
        except ValueError:
            pass
        assert await role_of(single) == SERVICE_ROLE


async def test_a_callers_own_exception_rolls_back_and_passes_unchanged(single: Database) -> None:
    """An OSError of the caller says nothing of PostgreSQL."""
    mine = OSError("a file of mine")

    async def fail() -> None:
        async with single.transaction() as transaction:
            await transaction.count("SELECT set_config('rovitracker.customer', 'x', true)")
            raise mine

    with pytest.raises(OSError, match="a file of mine") as raised:
        await fail()
    assert raised.value is mine
    row = await single.row("SELECT nullif(current_setting('rovitracker.customer', true), '') AS customer")
    assert row is not None
    assert row["customer"] is None


async def test_a_refused_statement_inside_a_transaction_can_be_told_apart(single: Database) -> None:
    with pytest.raises(StatementRefusedError) as refused:
        async with single.transaction() as transaction:
            await transaction.row("SELECT 1 / 0")
    assert refused.value.sqlstate == "22012"
    assert await role_of(single) == SERVICE_ROLE


@pytest.mark.parametrize(
    ("sqlstate", "kind"),
    [
        ("25006", StoreBusyError),
        ("40001", StoreBusyError),
        ("40P01", StoreBusyError),
        ("53100", StoreBusyError),
        ("53200", StoreBusyError),
        ("55006", StoreBusyError),
        ("55P03", StoreBusyError),
        ("57014", StoreBusyError),
        ("57P01", StoreUnavailableError),
        ("58030", StoreUnavailableError),
        ("22012", StatementRefusedError),
        ("23505", StatementRefusedError),
        ("42501", StatementRefusedError),
        ("42703", StatementRefusedError),
    ],
)
async def test_a_refusal_passes_by_its_class_alone(
    single: Database, sqlstate: str, kind: type[Exception]
) -> None:
    """O-22: what passes may be asked again; what cannot is a bug, and what is left open is neither."""
    with pytest.raises(Exception, match="told so") as refused:
        await single.count(f"DO $$ BEGIN RAISE EXCEPTION 'told so' USING ERRCODE = '{sqlstate}'; END $$")
    assert type(refused.value) is kind
    assert isinstance(refused.value, RefusedError) == (kind is not StatementRefusedError)


@pytest.mark.parametrize("when", ["a statement", "the commit"])
async def test_a_terminated_backend_leaves_the_outcome_open(
    when: str, single: Database, database_url: str
) -> None:
    """R-92: 57P01 is the server's word, and yet no proof."""

    async def lose_the_connection() -> None:
        async with single.transaction() as transaction:
            [row] = await transaction.rows(WHO)
            await terminate(row["pid"], database_url)
            if when == "a statement":
                await transaction.row(WHO)

    with pytest.raises(StoreUnavailableError) as lost:
        await lose_the_connection()
    assert not isinstance(lost.value, NotSentError)
    assert await role_of(single) == SERVICE_ROLE  # on a new connection, and the service's again


async def terminate(pid: int, owner_url: str) -> None:
    owner = await asyncpg.connect(owner_url)
    await owner.execute("SELECT pg_terminate_backend($1, 1000)", pid)
    await owner.close()


async def test_a_held_connection_is_replaced_when_the_server_closed_it(
    single: Database, database_url: str
) -> None:
    """While nothing was under way, so that the pool has taken it back before anybody asks."""
    held = single.hold()
    first = await held.row(WHO)
    assert first is not None
    await terminate(first["pid"], database_url)
    await asyncio.sleep(0.1)
    second = await held.row(WHO)
    assert second is not None
    assert second["pid"] != first["pid"]
    assert second["role"] == SERVICE_ROLE
    await held.give_back()


async def test_a_held_connection_stays(single: Database) -> None:
    held = single.hold()
    assert (await held.rows(WHO)) == (await held.rows(WHO))
    with pytest.raises(StatementRefusedError):
        await held.count("SELECT 1 / 0")
    assert await held.row(WHO) in await held.rows(WHO)
    await held.give_back()


async def test_without_a_connection_nothing_was_sent(database_url: str) -> None:
    database = await open_database(database_url, connections=1, timeouts=Timeouts(acquire_s=1.0))
    async with database.transaction():
        with pytest.raises(NotSentError):
            await database.row(WHO)
    await database.close()


async def test_a_database_without_schema_is_not_called_unreachable(servers: tuple[str, str]) -> None:
    """No role to become there: `rovitracker migrate up` is what to do, not to look for the server."""
    database = await open_database(servers[0], connections=1, role="rovitracker_unheard_of")
    with pytest.raises(StatementRefusedError):
        await database.row(WHO)
    await database.close()


async def test_a_wrong_password_sends_nothing(servers: tuple[str, str]) -> None:
    address = urlsplit(servers[0])
    wrong = address._replace(netloc=f"{address.username}:wrong@").geturl()
    database = await open_database(wrong, connections=1)
    with pytest.raises(NotSentError, match="InvalidPassword"):
        await database.row(WHO)
    await database.close()


async def test_a_slow_statement_is_cut_off_and_its_reply_reaches_nobody(database_url: str) -> None:
    database = await open_database(database_url, connections=1, timeouts=Timeouts(statement_s=0.1))
    for _ in range(3):
        with pytest.raises(StoreUnavailableError):
            await database.row("SELECT 1 AS role FROM pg_sleep(30)")
        assert await role_of(database) == SERVICE_ROLE
    await database.close()


async def test_a_silent_server_costs_a_bounded_time(world: World, database_url: str) -> None:
    """R-91: it accepts and never answers; the statement's and the clean-up's time-outs bound the wait."""
    short = Timeouts(acquire_s=0.2, connect_s=0.2, statement_s=0.2)
    async with context_through_proxy(world.context, database_url, timeouts=short) as (context, proxy):
        assert await context.gathered.applications.find(world.registered.client.id)
        proxy.fall_silent()
        began = time.monotonic()
        asked = [context.gathered.applications.find(world.registered.client.id) for _ in range(300)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert all(isinstance(each, StoreUnavailableError) for each in answers)
        assert time.monotonic() - began < 2


async def test_cancelled_statements_leave_no_reply_to_anybody_else(database_url: str) -> None:
    """R-86: 1,000 statements, half of them given up on the way; every answer belongs to its owner."""
    database = await open_database(database_url, connections=4)
    chance = random.Random(86)  # noqa: S311  # delays, not secrets

    async def ask(number: int) -> int:
        row = await database.row("SELECT $1::int AS number FROM pg_sleep($2)", number, chance.random() / 200)
        assert row is not None
        return int(row["number"])

    for start in range(0, 1000, 50):  # few enough that none waits too long for its turn
        asked = [asyncio.create_task(ask(number)) for number in range(start, start + 50)]
        for each in chance.sample(asked, 25):
            await asyncio.sleep(chance.random() / 500)
            each.cancel()
        for number, answer in enumerate(await asyncio.gather(*asked, return_exceptions=True), start):
            assert answer == number or isinstance(answer, asyncio.CancelledError), answer
    assert await role_of(database) == SERVICE_ROLE
    await database.close()


async def test_cancelled_commands_leave_no_reply_to_anybody_else(redis_url: str) -> None:
    """R-86, the redis-py incident of 2023."""
    valkey = Valkey(redis_url, connections=4, most_waiting=1000)
    chance = random.Random(23)  # noqa: S311  # delays, not secrets
    keys = [f"test:{number}" for number in range(50)]
    for key in keys:
        await put(valkey, key, key.encode())
    for _ in range(20):
        asked = [asyncio.ensure_future(valkey._call("GET", key)) for key in keys]
        for each in chance.sample(asked, 25):
            await asyncio.sleep(chance.random() / 5000)
            each.cancel()
        for key, answer in zip(keys, await asyncio.gather(*asked, return_exceptions=True), strict=True):
            assert answer == key.encode() or isinstance(answer, asyncio.CancelledError), answer
    for key in keys:
        assert await take(valkey, key) == key.encode()
    await valkey.close()
