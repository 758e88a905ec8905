"""Several processes on one database and one Valkey: one code gives one token, and what was issued outlives every kill."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from app.context import Context, open_context
from app.embedded import Embedded, attach
from app.embedded.removal import remove
from app.storage.postgres.database import SERVICE_ROLE
from app.storage.schema.migrations import apply_migrations, read_migrations
from app.stores import Stores
from tests.conftest import make_settings
from tests.embedded.probes import kill_postgresql, kill_valkey
from tests.support.approvals import waiting_code
from tests.support.browser import Browser
from tests.support.changing import within_a_second
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
    await asyncio.sleep(0.3)
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


async def until_fully_ready(browsers: list[Browser]) -> None:
    """Ready includes Valkey here: degraded is not back yet. PostgreSQL replays its log as slowly as the disk is."""
    deadline = asyncio.get_running_loop().time() + 60
    while True:
        answers = [await each.http.get("/health/ready") for each in browsers]
        if all(answer.json()["status"] == "ok" for answer in answers):
            return
        assert asyncio.get_running_loop().time() < deadline, answers[0].text
        await asyncio.sleep(0.1)
