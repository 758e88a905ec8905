"""A statement that the database refuses: a bug is told bare and logged with its trace, and only what passes is 503."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import NamedTuple

import asyncpg
import httpx2
import pytest
from structlog.testing import capture_logs

from app.context import Context
from app.storage.postgres.database import open_database
from tests.conftest import make_database
from tests.support.browser import Browser
from tests.support.people import World
from tests.support.request_lines import request_lines
from tests.web.services import Services


class Ground(NamedTuple):
    """A service on a database of its own, its owner's address, and what was issued before any harm."""

    context: Context
    owner_url: str
    world: World


@pytest.fixture(scope="module")
async def database_of_harm(servers: tuple[str, str], worker: int) -> str:
    """A database in which nobody waits long for a lock, as an operator may set it."""
    name = f"harmed_{worker}"
    url = await make_database(servers[0], name)
    owner = await asyncpg.connect(url)
    await owner.execute(f"ALTER DATABASE {name} SET lock_timeout = '100ms'")
    await owner.close()
    return url


@pytest.fixture
async def ground(services: Services, database_of_harm: str) -> AsyncIterator[Ground]:
    database = await open_database(database_of_harm, connections=2)
    context = replace(services.context, database=database, gathered=services.gathered(database))
    yield Ground(context, database_of_harm, await World.make(context))
    await context.background.settle()  # it still uses the database
    await context.gathered.close()
    await database.close()


# Faults done to the database, and how each is undone.
BUGS = {
    "a wrong column": (
        "ALTER TABLE application RENAME COLUMN status TO state",
        "ALTER TABLE application RENAME COLUMN state TO status",
        "42703",
    ),
    "a missing grant": (
        "REVOKE SELECT ON application FROM rovitracker_service",
        "GRANT SELECT ON application TO rovitracker_service",
        "42501",
    ),
}


@asynccontextmanager
async def harmed(url: str, harm: str, mend: str) -> AsyncIterator[None]:
    owner = await asyncpg.connect(url)
    await owner.execute(harm)
    try:
        yield
    finally:
        await owner.execute(mend)
        await owner.close()


async def exchange(browser: Browser, world: World, _token: str) -> httpx2.Response:
    return await world.exchange(browser, "rovi_ac_c0000")


async def introspect(browser: Browser, world: World, token: str) -> httpx2.Response:
    fields = {"client_id": world.client_id, "client_secret": world.client_secret, "token": token}
    return await browser.http.post("/app/oauth2/introspect", data=fields)


async def revoke(browser: Browser, world: World, token: str) -> httpx2.Response:
    fields = {"client_id": world.client_id, "client_secret": world.client_secret, "token": token}
    return await browser.http.post("/app/oauth2/revoke", data=fields)


async def read_fleet(browser: Browser, _world: World, token: str) -> httpx2.Response:
    return await browser.get("/api/v2/Fleet/1", Authorization=f"Bearer {token}", Accept="application/json")


async def open_consent(browser: Browser, world: World, _token: str) -> httpx2.Response:
    return await browser.get(world.authorize_url())


Ask = Callable[[Browser, World, str], Awaitable[httpx2.Response]]
EVERYWHERE = pytest.mark.parametrize("ask", [exchange, introspect, revoke, read_fleet, open_consent])


def code_of(answer: httpx2.Response) -> str:
    """Empty on a page, which names none."""
    if answer.headers["content-type"].startswith("text/html"):
        return ""
    document = answer.json()
    return str(document.get("error") or document["code"])


@EVERYWHERE
@pytest.mark.parametrize("bug", BUGS)
async def test_a_bug_is_500_and_logged_with_its_trace(
    ground: Ground, services: Services, ask: Ask, bug: str
) -> None:
    """O-22, R-80: the caller is not asked to try again, and learns nothing of the schema."""
    harm, mend, sqlstate = BUGS[bug]
    async with Browser(
        services.like(database=ground.context.database, gathered=ground.context.gathered)
    ) as browser:
        token = await ground.world.token(browser)
        async with harmed(ground.owner_url, harm, mend):
            with capture_logs() as logs, request_lines() as lines:
                answer = await ask(browser, ground.world, token)
        mended = await ask(browser, ground.world, token)
    assert (answer.status_code, code_of(answer)) in ((500, "server_error"), (500, ""))
    assert "retry-after" not in answer.headers
    for word in (sqlstate, "application", "column", "permission"):
        assert word not in answer.text
    [event] = [line for line in logs if line["log_level"] == "error"]
    assert (event["event"], event["exc_info"]) == ("unexpected error", True)
    assert [line["status"] for line in lines] == [500]
    assert mended.status_code in (200, 303, 400)


@EVERYWHERE
async def test_what_passes_is_503_and_no_error_of_ours(ground: Ground, services: Services, ask: Ask) -> None:
    """O-22: the application is locked for a moment, and 55P03 is PostgreSQL's word for that."""
    async with Browser(
        services.like(database=ground.context.database, gathered=ground.context.gathered)
    ) as browser:
        token = await ground.world.token(browser)
        async with harmed(
            ground.owner_url, "BEGIN; LOCK TABLE application IN ACCESS EXCLUSIVE MODE", "ROLLBACK"
        ):
            with capture_logs() as logs, request_lines() as lines:
                answer = await ask(browser, ground.world, token)
        mended = await ask(browser, ground.world, token)
    assert (answer.status_code, code_of(answer)) in ((503, "temporarily_unavailable"), (503, ""))
    assert answer.headers["retry-after"] == "2"
    assert "55P03" not in answer.text
    assert [line for line in logs if line["log_level"] == "error"] == []
    [line] = lines
    assert line["detail"].startswith("55P03")
    assert mended.status_code in (200, 303, 400)
