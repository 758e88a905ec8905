"""Several processes on one database and one Valkey: one code gives one token, and what was issued outlives every kill."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import asyncpg
import httpx2
import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from app.context import Context, open_context
from app.embedded import Embedded, attach
from app.embedded.folders import Folders, Record
from app.embedded.removal import remove
from app.main import create_app
from app.storage.postgres.database import SERVICE_ROLE
from app.storage.schema.migrations import apply_migrations, read_migrations
from app.stores import Stores
from tests.conftest import make_settings
from tests.embedded.probes import (
    is_another,
    kill_postgresql,
    kill_valkey,
    once_back,
    query_at,
    valkey_server,
    wait_until,
)
from tests.support.approvals import waiting_code
from tests.support.browser import Browser, query_of
from tests.support.changing import until, until_true, within_a_second
from tests.support.families import dead
from tests.support.people import Strict, World, reads
from tests.support.server import free_port, listener, running_service

KILLED = {"postgresql": kill_postgresql, "valkey": kill_valkey}


@dataclass(frozen=True, slots=True)
class House:
    """Servers of this file's own, to be killed; two service processes on them; a context to make people with."""

    data_dir: Path
    environment: dict[str, str]
    context: Context
    addresses: list[str]


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    data_dir = tmp_path_factory.mktemp("killed")
    with attach(data_dir) as held:
        yield held
    remove(data_dir)


@pytest.fixture(scope="module")
async def house(embedded: Embedded) -> AsyncIterator[House]:
    await apply_migrations(embedded.database_url, read_migrations())
    settings = make_settings(embedded.database_url, embedded.redis_url, embedded.data_dir)
    stores = Stores(
        embedded.database_url, embedded.database_url, embedded.database_url, embedded.redis_url, SERVICE_ROLE
    )
    environment = {
        "ROVITRACKER_DATABASE_URL": embedded.database_url,
        "ROVITRACKER_REDIS_URL": embedded.redis_url,
        "ROVITRACKER_ENVIRONMENT": "development",
        "ROVITRACKER_SECRET_KEYS": "0123456789abcdef" * 4,
        "ROVITRACKER_DATA_DIR": str(embedded.data_dir),
        "ROVITRACKER_LOG_LEVEL": "error",
    }
    async with AsyncExitStack() as stack:
        context = await stack.enter_async_context(open_context(settings, stores))
        addresses = [
            await stack.enter_async_context(running_service(port=free_port(), settings=environment))
            for _ in range(2)
        ]
        yield House(embedded.data_dir, environment, context, addresses)


@pytest.fixture
async def browsers(house: House) -> AsyncIterator[list[Browser]]:
    """One on each process."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Browser(base_url=each)) for each in house.addresses]


async def test_one_code_over_two_processes_gives_one_token(house: House, browsers: list[Browser]) -> None:
    """R-1, R-3, O-63: never two; a store that stalls, as on a busy machine, may make it none and says so."""
    world = await World.make(house.context)
    stalled = 0
    for _ in range(10):
        code = await world.code(browsers[0])
        answers = await asyncio.gather(*(world.exchange(each, code) for _ in range(5) for each in browsers))
        statuses = sorted(answer.status_code for answer in answers)
        if 503 in statuses:
            stalled += 1
            assert statuses.count(200) <= 1
            continue
        assert statuses == [200] + [400] * 9
        assert {answer.json().get("error") for answer in answers} == {None, "invalid_grant"}
    assert stalled < 10


async def test_a_code_replayed_at_another_process_ends_its_token_everywhere(
    house: House, browsers: list[Browser]
) -> None:
    """R-2, R-16, O-28."""
    world = await World.make(house.context)
    code = await world.code(browsers[0])
    token = (await world.exchange(browsers[0], code)).json()["access_token"]
    assert (await world.introspect(browsers[1], token))["active"] is True
    assert (await world.exchange(browsers[1], code)).json()["error"] == "invalid_grant"
    for each in browsers:
        await within_a_second(partial(is_refused, each, token))
        assert await world.introspect(each, token) == {"active": False}


async def is_refused(browser: Browser, token: str) -> bool:
    headers = {"Authorization": f"Bearer {token}"}
    return (await browser.http.get("/api/v2/Fleet/1", headers=headers)).status_code == 401


async def test_a_token_revoked_at_one_process_is_refused_by_the_other_within_a_second(
    house: House, browsers: list[Browser]
) -> None:
    """R-16, O-76, O-94: though the other remembers it, having just served it."""
    world = await World.make(house.context)
    token = await world.token(browsers[0])
    headers = {"Authorization": f"Bearer {token}"}
    assert (await browsers[1].http.get("/api/v2/Fleet/1", headers=headers)).status_code == 200
    fields = {"client_id": world.client_id, "client_secret": world.client_secret, "token": token}
    assert (await browsers[0].http.post("/app/oauth2/revoke", data=fields)).status_code == 200
    await within_a_second(partial(is_refused, browsers[1], token))
    assert await is_refused(browsers[0], token)


async def test_tokens_outlive_a_killed_service(house: House, browsers: list[Browser]) -> None:
    world = await World.make(house.context)
    port = free_port()
    async with (
        running_service(port=port, settings=house.environment) as address,
        Browser(base_url=address) as third,
    ):
        tokens = [await world.token(third) for _ in range(3)]
        os.kill(await asyncio.to_thread(listener, port), signal.SIGKILL)
    assert all([(await world.introspect(browsers[0], token))["active"] for token in tokens])


@pytest.mark.parametrize("server", KILLED)
async def test_tokens_outlive_a_killed_server_and_the_service_recovers(
    server: str, house: House, browsers: list[Browser]
) -> None:
    """R-87, R-90, R-97, R-98: nothing is restarted by hand."""
    world = await World.make(house.context)
    tokens = [await world.token(browsers[0]) for _ in range(3)]
    await asyncio.to_thread(KILLED[server], house.data_dir)
    await until_fully_ready(browsers)
    assert all([(await world.introspect(each, token))["active"] for token in tokens for each in browsers])
    assert await world.token(browsers[0])


async def test_a_spent_refresh_token_is_known_after_everything_was_killed(
    house: House, browsers: list[Browser]
) -> None:
    """R-13: the service that rotated it, and both stores; what a process remembers decides nothing."""
    strict = await Strict.register(house.context)
    port = free_port()
    async with (
        running_service(port=port, settings=house.environment) as address,
        Browser(base_url=address) as third,
    ):
        first = await strict.pair(third)
        second = await strict.refreshed(third, first.refresh)
        os.kill(await asyncio.to_thread(listener, port), signal.SIGKILL)
    for kill_server in KILLED.values():
        await asyncio.to_thread(kill_server, house.data_dir)
    await until_fully_ready(browsers)
    assert await reads(browsers[0], second.access)
    assert (await strict.refresh(browsers[0], first.refresh)).json()["error"] == "invalid_grant"
    assert await dead(browsers[0], strict, second)


async def test_whatever_was_acknowledged_while_postgresql_was_killed_stands(
    house: House, browsers: list[Browser]
) -> None:
    """R-97, R-90: tokens that were answered are active, revocations that were answered hold, and the rest said 503."""
    # A pair keeps ten tokens from codes, so each writer has an application of its own.
    writers = [Journal(await World.make(house.context)) for _ in range(4)]
    work = [asyncio.create_task(each.write(browsers[at % 2])) for at, each in enumerate(writers)]
    await until(lambda: all(each.acknowledged for each in writers))
    await asyncio.to_thread(kill_postgresql, house.data_dir)
    await asyncio.gather(*work)
    await until_fully_ready(browsers)
    assert {status for each in writers for status in each.refused} <= {503}
    for each in writers:
        assert each.acknowledged
        for token, active in each.acknowledged.items():
            for browser in browsers:
                assert (await each.world.introspect(browser, token))["active"] is active


@dataclass(slots=True)
class Journal:
    """The notes of one application's client, which writes down only what was acknowledged."""

    world: World
    acknowledged: dict[str, bool] = field(default_factory=dict)
    refused: set[int] = field(default_factory=set)

    async def write(self, browser: Browser) -> None:
        """Eight tokens, every other one revoked again, through whatever happens meanwhile."""
        codes = [await waiting_code(self.world) for _ in range(8)]
        for number, code in enumerate(codes):
            await asyncio.sleep(0.05)
            answer = await self.world.exchange(browser, code.text)
            if answer.status_code != 200:
                self.refused.add(answer.status_code)
                continue
            token = answer.json()["access_token"]
            self.acknowledged[token] = True
            if number % 2 and not await self._revoke(browser, token):
                del self.acknowledged[token]  # unknown: either is right

    async def _revoke(self, browser: Browser, token: str) -> bool:
        fields = {
            "client_id": self.world.client_id,
            "client_secret": self.world.client_secret,
            "token": token,
        }
        answer = await browser.http.post("/app/oauth2/revoke", data=fields)
        if answer.status_code != 200:
            self.refused.add(answer.status_code)
            return False
        self.acknowledged[token] = False
        return True


async def test_no_answered_token_is_lost_where_the_database_commits_later(
    house: House, browsers: list[Browser]
) -> None:
    """R-97: the database's own word is off, and a WAL that nobody waits for would be written ten seconds later."""
    await as_superuser(
        house.data_dir,
        "ALTER DATABASE rovitracker SET synchronous_commit = off",
        "ALTER SYSTEM SET wal_writer_delay = '10s'",
    )
    await asyncio.to_thread(kill_postgresql, house.data_dir)  # every session is a new one
    await until_fully_ready(browsers)
    assert await query_at(house.environment["ROVITRACKER_DATABASE_URL"], "SHOW synchronous_commit") == "off"
    worlds = [await World.make(house.context) for _ in range(2)]
    codes = [(world, await waiting_code(world)) for world in worlds for _ in range(10)]
    answers = await asyncio.gather(
        *(world.exchange(browsers[at % 2], code.text) for at, (world, code) in enumerate(codes))
    )
    await asyncio.to_thread(kill_postgresql, house.data_dir)
    await until_fully_ready(browsers)
    assert {answer.status_code for answer in answers} == {200}
    for (world, _), answer in zip(codes, answers, strict=True):
        assert (await world.introspect(browsers[0], answer.json()["access_token"]))["active"] is True
    await as_superuser(
        house.data_dir,
        "ALTER DATABASE rovitracker RESET synchronous_commit",
        "ALTER SYSTEM RESET wal_writer_delay",
    )


async def test_an_approval_and_a_code_outlive_an_idle_connection_and_a_restart_of_valkey(
    house: House, browsers: list[Browser]
) -> None:
    """R-87: `timeout` closes what is idle, a restart closes everything, and the next request needs no second try."""
    worlds = [await World.make(house.context) for _ in range(2)]
    pages = [await world.consent_page(each) for world in worlds for each in browsers]
    for each in browsers:
        assert await worlds[0].code(each)  # every process has a connection that was used
    async with valkey_at_hand(house) as client:
        await client.config_set("timeout", 1)
        await until_true(partial(has_no_other_connection, client))
        await client.config_set("timeout", 0)
    codes = [await approve(browsers[at], pages[at]) for at in range(2)]
    for each, code in zip(browsers, codes, strict=True):
        assert (await worlds[0].exchange(each, code)).status_code == 200
    pid = valkey_server(house.data_dir)
    os.kill(pid, signal.SIGTERM)
    await asyncio.to_thread(wait_until, lambda: is_another(partial(valkey_server, house.data_dir), pid), 30)
    async with valkey_at_hand(house) as client:
        await once_back(client.ping)
    codes = [await approve(browsers[at - 2], pages[at]) for at in (2, 3)]
    for each, code in zip(browsers, codes, strict=True):
        assert (await worlds[1].exchange(each, code)).status_code == 200


def valkey_at_hand(house: House) -> Redis:
    return Redis.from_url(house.environment["ROVITRACKER_REDIS_URL"], retry=Retry(NoBackoff(), 0))


async def has_no_other_connection(client: Redis) -> bool:
    return len(await client.client_list()) == 1


async def approve(browser: Browser, page: httpx2.Response) -> str:
    answer = await browser.submit(page, {"decision": "approve"}, action="/consent")
    return query_of(answer)["code"]


async def test_the_eleventh_token_ends_though_its_process_was_killed(
    house: House, browsers: list[Browser]
) -> None:
    """The cap of ten a pair: the next process to start finds it, and one whose PostgreSQL was away finds it again."""
    world = await World.make(house.context)
    port = free_port()
    async with (
        running_service(port=port, settings=house.environment) as address,
        Browser(base_url=address) as third,
    ):
        pid = await asyncio.to_thread(listener, port)
        codes = [await waiting_code(world) for _ in range(11)]
        answers = [await world.exchange(third, code.text) for code in codes]
        os.kill(pid, signal.SIGKILL)
    oldest, *_, last = [answer.json()["access_token"] for answer in answers]
    assert (await world.introspect(browsers[0], oldest))["active"] is True
    started = create_app(make_settings(*addresses_of(house), house.data_dir))
    async with started.router.lifespan_context(started):
        await until_true(partial(is_inactive, world, browsers[0], oldest))
    assert (await world.introspect(browsers[0], last))["active"] is True
    second = (await world.exchange(browsers[0], (await waiting_code(world)).text)).json()["access_token"]
    await asyncio.to_thread(kill_postgresql, house.data_dir)  # in the moment before the look
    await until_fully_ready(browsers)
    await until_true(partial(has_ten_live, house.context, world))
    assert (await world.introspect(browsers[0], second))["active"] is True


def addresses_of(house: House) -> tuple[str, str]:
    return house.environment["ROVITRACKER_DATABASE_URL"], house.environment["ROVITRACKER_REDIS_URL"]


async def is_inactive(world: World, browser: Browser, token: str) -> bool:
    return await world.introspect(browser, token) == {"active": False}


async def has_ten_live(context: Context, world: World) -> bool:
    rows = await context.database.rows(
        "SELECT id FROM classic_token WHERE customer_id = $1 AND revoked_at IS NULL", world.member.customer_id
    )
    return len(rows) == 10


async def as_superuser(data_dir: Path, *statements: str) -> None:
    record = Record.load(Folders(data_dir))
    assert record is not None
    superuser = await asyncpg.connect(
        user="postgres",
        password=record.postgres_password,
        database="rovitracker",
        host=f"{Folders(data_dir).run_link.resolve()}",
    )
    for statement in statements:
        await superuser.execute(statement)
    await superuser.close()


async def until_fully_ready(browsers: list[Browser]) -> None:
    """Ready includes Valkey here: degraded is not back yet. PostgreSQL replays its log as slowly as the disk is."""
    deadline = asyncio.get_running_loop().time() + 60
    while True:
        answers = [await each.http.get("/health/ready") for each in browsers]
        if all(answer.json()["status"] == "ok" for answer in answers):
            return
        assert asyncio.get_running_loop().time() < deadline, answers[0].text
        await asyncio.sleep(0.1)
