"""The real thing for every test: private PostgreSQL and Valkey, migrated once per worker, and the service on them."""

import gc
import os
import sys
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import asyncpg
import pytest
import structlog
from fastapi import FastAPI
from xdist.remote import Producer
from xdist.scheduler import Scheduling

from app.context import Context
from app.embedded import attach
from app.embedded.removal import remove
from app.flows.developer import keep_reporting
from app.main import create_app
from app.settings import PREFIX, Settings
from app.storage.schema.migrations import apply_migrations, read_migrations
from bench.ground.database import create_database
from tests.support import order
from tests.support.alone import Turns
from tests.support.browser import Browser
from tests.support.claims import Claims
from tests.support.depth import deepen
from tests.support.people import MADE, World
from tests.support.spread import COORDINATOR, join_workers, settings_on, spread
from tests.support.verbs import Verbs, loaded

for name in [name for name in os.environ if name.startswith(PREFIX)]:
    del os.environ[name]  # the suite is about the defaults, whatever this shell was set to
# The suite starts the program hundreds of times, each of which would compile all of it where this shell keeps no compiled files.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# By default structlog draws an error with the source and the variables of each frame, which takes up to half a second.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)
deepen()
CLAIMS = pytest.StashKey[Claims]()  # on this worker's database, once there is one
TURNS = pytest.StashKey[Turns]()  # of a worker that has others beside it


def pytest_sessionstart(session: pytest.Session) -> None:
    """Only the workers of a parallel run take turns: a run of one process has nobody beside it."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = session.config._tmp_path_factory.getbasetemp().parent  # type: ignore[attr-defined]  # pytest sets it for its own fixtures
        session.config.stash[TURNS] = Turns(base)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Thousands of tests stand until the end: Python looks for no garbage among them while they come, nor later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order.sort(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    return order.Scheduling(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, object, object]:
    """Give a test its turn, before its own time begins to count. Those that run alone share one."""
    turns = item.config.stash.get(TURNS, None)
    if turns is None:
        return (yield)
    turns.take(alone=order.runs_alone(item))
    try:
        return (yield)
    finally:
        if nextitem is None or not (order.runs_alone(item) and order.runs_alone(nextitem)):
            turns.give()


@pytest.hookimpl(trylast=True)  # after what `-x` leaves to be torn down, the servers among it
def pytest_sessionfinish(session: pytest.Session) -> None:
    """The servers' files lie outside the temporary folder when root runs the suite: take them along."""
    if turns := session.config.stash.get(TURNS, None):
        turns.close()
    if "PYTEST_XDIST_WORKER" not in os.environ:
        remove(session.config._tmp_path_factory.getbasetemp() / "servers")  # type: ignore[attr-defined]  # pytest sets it for its own fixtures


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say before the closing line how many browser tests did not run, and why."""
    skipped = [report for report in terminalreporter.getreports("skipped") if "browser" in report.keywords]
    reasons = sorted({report.longrepr[2].removeprefix("Skipped: ") for report in skipped})
    terminalreporter.write_line(": ".join([f"Browser tests that did not run: {len(skipped)}", *reasons]))


@pytest.fixture(scope="session")
def worker(request: pytest.FixtureRequest) -> int:
    """Number of this worker, 0 without parallel ones."""
    return int(getattr(request.config, "workerinput", {"workerid": "gw0"})["workerid"].removeprefix("gw"))


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Addresses of the private servers, which all workers of a run share: PostgreSQL's, then Valkey's."""
    base = tmp_path_factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with attach(root / "servers") as embedded:
        yield COORDINATOR or embedded.database_url, embedded.redis_url


@pytest.fixture(scope="session")
def verbs() -> Verbs:
    """The command line's verbs, each a process."""
    return loaded()


@pytest.fixture(scope="session")
async def database_url(
    servers: tuple[str, str], worker: int, request: pytest.FixtureRequest
) -> AsyncIterator[str]:
    """A database of this worker's own, migrated; two workers migrate two databases of one cluster at once.

    It is never emptied: a test brings people and applications of its own. The address is the owner's, who may do more
    than the service.
    """
    address = await make_database(servers[0], f"test_{worker}")
    request.config.stash[CLAIMS] = claims = Claims(address)
    yield address
    del request.config.stash[CLAIMS]
    claims.close()


@pytest.fixture(autouse=True)
def _claims_of_a_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """The fleets of a test give up their PINs when it ends."""
    yield from _claims(request)


@pytest.fixture(scope="module", autouse=True)
def _claims_of_a_module(request: pytest.FixtureRequest) -> Iterator[None]:
    """The fleets that a file's tests share give up their PINs when they end."""
    yield from _claims(request)


@pytest.fixture(scope="module", autouse=True)
def _left_open() -> Iterator[None]:
    """What a file's tests leave open fails the last of them, and not whichever test the collector runs in later."""
    yield
    gc.collect()


def _claims(request: pytest.FixtureRequest) -> Iterator[None]:
    made_before = len(MADE)
    yield
    claims = request.config.stash.get(CLAIMS, None)
    if claims and (made := MADE[made_before:]):
        claims.end(made)


async def make_database(owner_url: str, name: str) -> str:
    """An empty, migrated database; its address."""
    url = await create_database(owner_url, name)
    await join_workers(url)
    await apply_migrations(url, read_migrations())
    await spread(url)
    return url


@pytest.fixture(scope="session")
def redis_url(servers: tuple[str, str], worker: int) -> str:
    """The shared Valkey, in the numbered database that is this worker's."""
    base, _, _ = servers[1].partition("?")
    return f"{base}?db={worker}"


@pytest.fixture(scope="session")
def settings(database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return make_settings(database_url, redis_url, tmp_path_factory.mktemp("data"))


def make_settings(database_url: str, redis_url: str, data_dir: Path, **changes: object) -> Settings:
    """Settings of development, in which the limits of failures, guesses and mails are out of reach.

    changes: settings by the names of their fields, over all of these.
    """
    values = {
        "database_url": database_url,
        "redis_url": redis_url,
        "environment": "development",
        "secret_keys": "0123456789abcdef" * 4,
        "data_dir": data_dir,
        "limit_queue_wait": "5s",  # a busy machine is not an overloaded service
        "limit_failures": 1_000_000,
        "limit_guesses_per_account": 1_000_000,
        "limit_guesses_per_address": 1_000_000,
        "limit_mails_per_sender": 1_000_000,  # all tests of a worker come from one address
    }
    return Settings.model_validate({**values, **settings_on(database_url), **changes})


@pytest.fixture(scope="session")
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    """The suite's service in this process, started once for a worker, with its work in the background."""
    keep_reporting.EVERY_S = 86_400  # the test customers of one test do not report in the middle of another
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture(scope="session")
def context(app: FastAPI) -> Context:
    """What the app's handlers work with, for tests that ask no endpoint."""
    context = app.state.context
    assert isinstance(context, Context)
    return context


@pytest.fixture(scope="session")
def app_without_front(app: FastAPI, settings: Settings) -> FastAPI:
    """The same service with every request going through the framework's stack."""
    plain = create_app(settings.model_copy(update={"asgi_front": False}))
    plain.state.context, plain.state.demo = app.state.context, app.state.demo
    return plain


@pytest.fixture
async def browser(app: FastAPI, request: pytest.FixtureRequest) -> AsyncIterator[Browser]:
    """A new browser on the service: no cookies, no script; tests/web/conftest.py picks the way in."""
    way = getattr(request, "param", "front")
    async with Browser(app if way == "front" else request.getfixturevalue("app_without_front")) as browser:
        yield browser


@pytest.fixture
async def writer(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Whoever writes machines by hand, under the role that sees those of all."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("SET ROLE rovitracker_ingest")
    yield connection
    await connection.close()


@pytest.fixture
async def world(context: Context) -> World:
    """A customer and an application of this test's own."""
    return await World.make(context)
