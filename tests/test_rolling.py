"""Processes come and go while the service is used: many start at once, and old code works on a newer schema."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import asyncpg
import pytest

from app.context import Context, open_context
from app.storage.postgres.database import MOST_HELD, SERVICE_ROLE, Database, Held
from app.storage.schema.migrations import Migration, apply_migrations, read_migrations
from app.stores import Stores
from tests.conftest import make_database, make_settings
from tests.support.approvals import waiting_code
from tests.support.browser import Browser
from tests.support.people import Strict, World
from tests.support.server import free_port, running_service, settings_on

LIMIT = 3
PROCESSES = 3


@dataclass(frozen=True, slots=True)
class Ground:
    """A database of this file's own, the settings of processes on it, and a context to make people with."""

    database_url: str
    environment: dict[str, str]
    context: Context


@pytest.fixture
async def stores(servers: tuple[str, str], redis_url: str, worker: int) -> Stores:
    url = await make_database(servers[0], f"rolling_{worker}")
    return Stores(url, url, url, redis_url, SERVICE_ROLE)


@pytest.fixture
async def ground(stores: Stores, tmp_path: Path) -> AsyncIterator[Ground]:
    environment = {
        **settings_on(stores.database_url, stores.redis_url, tmp_path),
        "ROVITRACKER_SECRET_KEYS": "0123456789abcdef" * 4,
        "ROVITRACKER_LIMIT_DATABASE_CONNECTIONS": str(LIMIT),
        "ROVITRACKER_LOG_LEVEL": "error",
    }
    settings = make_settings(stores.database_url, stores.redis_url, tmp_path)
    async with open_context(settings, stores) as context:
        yield Ground(stores.database_url, environment, context)


async def test_processes_that_start_at_once_keep_to_their_connections(ground: Ground) -> None:
    """R-95: a crowd waits for them, and each opens what it may hold and no more."""
    world = await World.make(ground.context)
    codes = [await waiting_code(world) for _ in range(10)]
    owner = await asyncpg.connect(ground.database_url)
    own = await connections(owner)
    seen: list[int] = []
    watching = asyncio.create_task(watch(owner, seen))
    try:
        async with AsyncExitStack() as stack:
            starting = (
                running_service(port=free_port(), settings=ground.environment) for _ in range(PROCESSES)
            )
            addresses = await asyncio.gather(*map(stack.enter_async_context, starting))
            browsers = [await stack.enter_async_context(Browser(base_url=each)) for each in addresses]
            asked = [world.exchange(browsers[at % PROCESSES], code.text) for at, code in enumerate(codes)]
            asked += [each.get("/app/login") for each in browsers * 20]
            answers = await asyncio.gather(*asked)
    finally:
        watching.cancel()
        await owner.close()
    assert {answer.status_code for answer in answers} == {200}
    upkeep = 1  # for a moment, when a process starts
    assert PROCESSES < max(seen) - own <= PROCESSES * (LIMIT + MOST_HELD + 1 + upkeep)


async def watch(owner: asyncpg.Connection, seen: list[int]) -> None:
    while True:
        seen.append(await connections(owner))
        await asyncio.sleep(0.01)


async def connections(owner: asyncpg.Connection) -> int:
    asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    return int(await owner.fetchval(asked))


async def test_every_kind_of_shared_statement_may_hold_one(
    stores: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-95: `doctor` and the documents count with so many."""
    holders: list[Held] = []
    hold = Database.hold

    def note(database: Database) -> Held:
        holders.append(hold(database))
        return holders[-1]

    monkeypatch.setattr(Database, "hold", note)
    async with open_context(make_settings(stores.database_url, stores.redis_url, tmp_path), stores):
        assert len(holders) == MOST_HELD


NEXT = """
CREATE TABLE next_thing (id uuid PRIMARY KEY);
ALTER TABLE application ADD COLUMN next_thing uuid REFERENCES next_thing (id);
ALTER TABLE authorization_grant ADD COLUMN next_thing uuid;
ALTER TABLE refresh_token ADD COLUMN next_thing text NOT NULL DEFAULT 'none';
ALTER TABLE strict_token ADD COLUMN next_thing text NOT NULL DEFAULT 'none';
ALTER TABLE classic_token ADD COLUMN next_thing text;
ALTER TABLE equipment ADD COLUMN next_thing text;
"""


async def test_old_code_goes_on_beside_a_newer_schema(ground: Ground) -> None:
    """R-104: a migration that adds is applied under load; who runs goes on, and who starts is told to be updated."""
    world, strict = await World.make(ground.context), await Strict.register(ground.context)
    async with (
        running_service(port=free_port(), settings=ground.environment) as address,
        Browser(base_url=address) as browser,
    ):
        token = await world.token(browser)
        pair = await strict.pair(browser)
        codes = [await waiting_code(world) for _ in range(9)]
        working = asyncio.create_task(redeem(world, browser, [each.text for each in codes[:8]]))
        migrations = read_migrations()
        number = len(migrations) + 1
        newer = Migration(number, f"{number:04}_next", NEXT)
        assert await apply_migrations(ground.database_url, (*migrations, newer)) == 1
        assert await working == {200}
        assert (await world.exchange(browser, codes[8].text)).status_code == 200
        assert (await world.introspect(browser, token))["active"] is True
        assert (await strict.refreshed(browser, pair.refresh)).access
        assert (await browser.get("/health/ready")).json()["status"] == "ok"
        read = partial(browser.get, Authorization=f"Bearer {token}")
        assert (await read("/api/v2/Fleet/1")).status_code == 200
        with pytest.raises(AssertionError, match="the service ended with 1"):
            async with running_service(port=free_port(), settings=ground.environment):
                pass


async def redeem(world: World, browser: Browser, codes: list[str]) -> set[int]:
    """The statuses of codes that are redeemed one after the other."""
    statuses = set()
    for code in codes:
        statuses.add((await world.exchange(browser, code)).status_code)
        await asyncio.sleep(0.02)
    return statuses
