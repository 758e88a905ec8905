"""A store that takes connections and never answers: each kind of request is refused within its bound, and then all is well."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic

import httpx2
import psutil
import pytest

from app.cli.work import once_it_answers
from app.context import open_context
from app.embedded import Embedded, attach
from app.embedded.removal import remove
from app.storage.errors import StoreUnavailableError
from app.storage.postgres.connections import CONNECT_TIMEOUT_S
from app.storage.postgres.database import SERVICE_ROLE
from app.storage.schema.migrations import apply_migrations, read_migrations, read_status
from app.stores import Stores
from tests.conftest import make_settings
from tests.embedded.probes import kill_postgresql, kill_valkey, postmaster, valkey_server
from tests.support.approvals import waiting_code
from tests.support.browser import Browser
from tests.support.changing import until_true
from tests.support.people import PASSWORD, Strict, World
from tests.support.server import free_port, running_service, settings_on

PROGRAM_S = 3.5  # half a second of it in the queue
PERSON_S = 6.0
RECOVERED_S = 5.0
LATE_S = 0.3

SERVERS = {"PostgreSQL": postmaster, "Valkey": valkey_server}

Ask = Callable[[], Awaitable[httpx2.Response]]


@dataclass(frozen=True, slots=True)
class House:
    """Servers of this file's own, which are stopped and let go on, and a service on them."""

    data_dir: Path
    world: World
    strict: Strict
    browser: Browser
    log: Path
    stores: Stores
    environment: dict[str, str]

    @contextmanager
    def frozen(self, server: str) -> Iterator[None]:
        """All its processes stand still; connections are accepted by the kernel alone."""
        main = psutil.Process(SERVERS[server](self.data_dir))
        stopped = [main, *main.children(recursive=True)]
        try:
            for each in stopped:
                each.send_signal(signal.SIGSTOP)
            yield
        finally:
            for each in stopped:
                with suppress(psutil.NoSuchProcess):
                    each.send_signal(signal.SIGCONT)

    async def ready(self) -> bool:
        return bool((await self.browser.get("/health/ready")).json()["status"] == "ok")


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    data_dir = tmp_path_factory.mktemp("frozen")
    with attach(data_dir) as held:
        yield held
    remove(data_dir)


@pytest.fixture(scope="module")
async def house(embedded: Embedded) -> AsyncIterator[House]:
    database_url, redis_url, data_dir = embedded.database_url, embedded.redis_url, embedded.data_dir
    await apply_migrations(database_url, read_migrations())
    settings = make_settings(database_url, redis_url, data_dir)
    stores = Stores(database_url, database_url, database_url, redis_url, SERVICE_ROLE)
    environment = {
        **settings_on(database_url, redis_url, data_dir),
        "ROVITRACKER_SECRET_KEYS": "0123456789abcdef" * 4,
        "ROVITRACKER_LOG_LEVEL": "warning",
    }
    async with AsyncExitStack() as stack:
        context = await stack.enter_async_context(open_context(settings, stores))
        log = data_dir / "log"
        service = running_service(port=free_port(), settings=environment, log=log)
        address = await stack.enter_async_context(service)
        browser = await stack.enter_async_context(Browser(base_url=address))
        browser.http.timeout = httpx2.Timeout(30)
        yield House(
            data_dir,
            await World.make(context),
            await Strict.register(context),
            browser,
            log,
            stores,
            environment,
        )


async def seconds_of(ask: Ask) -> tuple[int, float]:
    began = monotonic()
    answer = await ask()
    return answer.status_code, monotonic() - began


async def test_a_frozen_postgresql_keeps_nobody_waiting_for_longer_than_is_said(house: House) -> None:
    """R-91: alone and in a crowd. Nothing is started again, and what was only waiting in the service works afterwards."""
    world, strict, browser = house.world, house.strict, house.browser
    await browser.sign_in(await browser.get("/app/login"), world.member.email, PASSWORD)
    tokens = [await world.token(browser) for _ in range(2)]
    pair = await strict.pair(browser)
    codes = [(await waiting_code(world)).text for _ in range(8)]
    secret = {"client_id": world.client_id, "client_secret": world.client_secret}
    bearer = {"Authorization": f"Bearer {tokens[0]}"}
    programs: dict[str, Ask] = {
        "exchange": lambda: world.exchange(browser, codes[0]),
        "revoke": lambda: browser.http.post("/app/oauth2/revoke", data={**secret, "token": tokens[1]}),
        "introspect": lambda: browser.http.post(
            "/app/oauth2/introspect", data={**secret, "token": tokens[1]}
        ),
        "refresh": lambda: strict.refresh(browser, pair.refresh),
        "page of the fleet": lambda: browser.http.get("/api/v2/Fleet/1", headers=bearer),
    }
    people: dict[str, Ask] = {
        "consent": lambda: browser.get(world.authorize_url()),
        "applications": lambda: browser.get("/app/account/applications"),
    }
    with house.frozen("PostgreSQL"):
        took = {name: await seconds_of(ask) for name, ask in {**programs, **people}.items()}
        crowd = await asyncio.gather(*(seconds_of(partial(world.exchange, browser, code)) for code in codes))
    began = monotonic()
    await until_true(house.ready, patience_s=60)
    recovered_s = monotonic() - began
    assert {status for status, _ in (*took.values(), *crowd)} == {503}
    assert {name: took[name] for name in programs if took[name][1] > PROGRAM_S + LATE_S} == {}
    assert {name: took[name] for name in people if took[name][1] > PERSON_S + LATE_S} == {}
    assert max(seconds for _, seconds in crowd) <= PROGRAM_S + LATE_S
    assert recovered_s < RECOVERED_S
    again = [(await world.exchange(browser, code)).status_code for code in codes]
    assert set(again) <= {200, 400}, "the server had some in its hands and did them when it went on"
    assert 200 in again
    assert (await world.introspect(browser, tokens[1]))["active"] is True


async def test_a_frozen_valkey_keeps_nobody_waiting_for_longer_than_is_said(house: House) -> None:
    """R-88: only who needs it waits, and no code is lost."""
    world, browser = house.world, house.browser
    token = await world.token(browser)
    code = (await waiting_code(world)).text
    secret = {"client_id": world.client_id, "client_secret": world.client_secret}
    bearer = {"Authorization": f"Bearer {token}"}
    with house.frozen("Valkey"):
        needs_it = await seconds_of(lambda: world.exchange(browser, code))
        others = {
            "introspect": await seconds_of(
                lambda: browser.http.post("/app/oauth2/introspect", data={**secret, "token": token})
            ),
            "page of the fleet": await seconds_of(
                lambda: browser.http.get("/api/v2/Fleet/1", headers=bearer)
            ),
            "the same again": await seconds_of(lambda: browser.http.get("/api/v2/Fleet/1", headers=bearer)),
        }
    began = monotonic()
    await until_true(house.ready, patience_s=60)
    recovered_s = monotonic() - began
    assert needs_it[0] == 503
    assert needs_it[1] <= PROGRAM_S + LATE_S
    assert {status for status, _ in others.values()} == {200}
    assert {name: took for name, took in others.items() if took[1] > LATE_S} == {}
    assert recovered_s < RECOVERED_S
    assert (await world.exchange(browser, code)).status_code == 200


async def test_a_start_waits_for_a_postgresql_that_is_slow_to_answer(house: House) -> None:
    """R-91: on a busy machine it took three seconds of silence for a wrong address, and ended."""
    async with AsyncExitStack() as stack:
        service = running_service(port=free_port(), settings=house.environment)
        with house.frozen("PostgreSQL"):
            starting = asyncio.create_task(stack.enter_async_context(service))
            await asyncio.sleep(CONNECT_TIMEOUT_S + 1.5)
            assert not starting.done()
        address = await starting
        async with httpx2.AsyncClient() as client:
            assert (await client.get(f"{address}/health/ready")).json()["status"] == "ok"


async def test_a_start_waits_no_longer_than_it_is_told(house: House) -> None:
    """R-91: then the last refusal stands, and names the address."""

    async def look(connect_s: float) -> None:
        await read_status(house.stores.owner_url, read_migrations(), connect_s=connect_s)

    with house.frozen("PostgreSQL"), pytest.raises(StoreUnavailableError, match=r"no answer in 2\.\d s"):
        await asyncio.wait_for(once_it_answers(look, 6.0), 7.0)


async def test_an_outage_leaves_lines_and_no_trace(house: House) -> None:
    """R-87, R-90: both stores are killed at work; what the service says of it is a line each."""
    world, browser = house.world, house.browser
    token = await world.token(browser)
    bearer = {"Authorization": f"Bearer {token}"}
    for kill in (kill_postgresql, kill_valkey):
        codes = [(await waiting_code(world)).text for _ in range(50)]
        working = asyncio.create_task(work(house, codes, bearer))
        await asyncio.sleep(0.2)
        await asyncio.to_thread(kill, house.data_dir)
        assert await working <= {200, 401, 503}  # 401 once ten younger tokens of the connection stand
        await until_true(house.ready, patience_s=60)
    lines = house.log.read_text().splitlines()
    assert lines
    assert [line for line in lines if "Traceback" in line or "never retrieved" in line] == []


async def work(house: House, codes: list[str], bearer: dict[str, str]) -> set[int]:
    """Requests of each kind, three at once, through whatever happens meanwhile."""
    statuses: set[int] = set()
    for code in codes:
        await asyncio.sleep(0.02)
        answers = await asyncio.gather(
            house.world.exchange(house.browser, code),
            house.browser.http.get("/api/v2/Fleet/1", headers=bearer),
            house.browser.get("/app/account/applications"),
        )
        statuses |= {answer.status_code for answer in answers}
    return statuses
