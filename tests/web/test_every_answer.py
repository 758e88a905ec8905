"""Every answer, whoever gives it, has a content type that is believed, and no word of the service's parts."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Iterator
from functools import cache
from http import HTTPMethod
from importlib.metadata import distributions
from pathlib import Path
from platform import python_version

import httpx2
import pytest
from fastapi import FastAPI

from app import __version__
from app.context import Context
from app.throttling.failures import Failures
from app.web.pages.render import ASSET_VERSION
from app.web.routes import router
from tests.support.browser import Browser
from tests.support.people import World
from tests.support.raw import get, post, send
from tests.support.server import free_port, running_service, settings_on
from tests.web.sampled import sample_of
from tests.web.services import Services, same_browser, unreachable_database

METHODS = [*sorted(set(HTTPMethod.__members__) - {"CONNECT"}), "PROPFIND"]


def paths() -> Iterator[str]:
    """Every route's, with something in the place of its parameters."""
    for route in router.routes:
        yield sample_of(route.path)  # type: ignore[attr-defined]  # all of ours have one


@pytest.fixture(params=["front", "framework"])
async def client(
    request: pytest.FixtureRequest, app: FastAPI, app_without_front: FastAPI
) -> AsyncIterator[Browser]:
    async with Browser(app if request.param == "front" else app_without_front) as browser:
        yield browser


def assert_believed(answer: httpx2.Response) -> None:
    assert answer.headers.get_list("x-content-type-options") == ["nosniff"], (answer.request, answer)


@pytest.mark.parametrize("path", sorted({*paths(), "/nowhere", "/api/nowhere", "/app/oauth2/nowhere"}))
async def test_every_route_is_believed_by_every_method(client: Browser, path: str) -> None:
    """R-67: of pages, documents, files, and of what refuses a method."""
    for method in METHODS:
        assert_believed(await client.http.request(method, path))


async def answers_of_every_kind(
    browser: Browser, world: World, services: Services
) -> AsyncIterator[httpx2.Response]:
    token = await world.token(browser)
    bearer = {"Authorization": f"Bearer {token}"}
    document = await browser.get("/api/v2/Fleet/1", **bearer)
    yield document
    yield await browser.get("/api/v2/Fleet/1", **bearer, If_None_Match=document.headers["etag"])
    for accept in ("application/json", "application/xml", "image/png"):
        yield await browser.get("/api/v2/Fleet/0", **bearer, Accept=accept)
    yield await browser.get("/api/v2/Fleet/1", Authorization="Bearer x")
    style = await browser.get(f"/app/static/site.css?v={ASSET_VERSION}")
    yield style
    yield await browser.get("/app/static/site.css", If_None_Match=style.headers["etag"])
    yield await browser.get("/app/static/../x")
    yield await browser.http.options("/app/oauth2/token")
    yield await world.exchange(browser, await world.code(browser))
    yield await world.exchange(browser, "rovi_ac_x")
    yield await world.exchange(browser, "rovi_ac_x", client_secret="wrong")
    yield await browser.http.post("/app/oauth2/token", json={})
    yield await browser.http.post("/app/oauth2/token", content=b"x" * 70_000)
    yield await browser.http.post("/app/login", content=b"x" * 70_000)
    yield await browser.get("/app/oauth2/authorize?client_id=x")
    yield await browser.get(world.authorize_url(response_type="token"))
    consent = await world.consent_page(browser)
    yield consent
    yield await browser.submit(consent, {}, action="/consent", Sec_Fetch_Site="cross-site")
    yield await browser.submit(consent, {"decision": "deny"}, action="/consent")
    yield await browser.submit(consent, {"decision": "approve"}, action="/consent")
    async with unreachable_database() as database:
        gathered = services.gathered(database)
        async with same_browser(browser, services.like(database=database, gathered=gathered)) as down:
            yield await down.get("/app/account/applications")
            yield await world.exchange(down, "rovi_ac_x")
            yield await down.get("/health/ready")
        await gathered.close()
    async with same_browser(browser, services.like(failures=Failures(a_minute=1))) as limited:
        for _ in range(3):
            yield await world.exchange(limited, "rovi_ac_x", client_secret="wrong")
    async with same_browser(browser, services.like(now=lambda: 1 / 0)) as faulty:
        yield await world.exchange(faulty, "rovi_ac_x")
        yield await faulty.get("/app/account/applications")
    async with same_browser(browser, services.like(policy=None)) as broken:
        yield await broken.get("/.well-known/oauth-authorization-server")


async def test_every_kind_of_answer_is_believed(browser: Browser, world: World, services: Services) -> None:
    """R-67."""
    statuses = set()
    async for answer in answers_of_every_kind(browser, world, services):
        assert_believed(answer)
        statuses.add(answer.status_code)
    assert statuses == {200, 204, 303, 304, 400, 401, 403, 404, 406, 409, 413, 415, 429, 500, 503}


# Not within a word: sealed values are made of random letters, and now and then some of them spell a short name.
NAMES = re.compile(
    r"(?<![A-Za-z0-9_-])"
    r"(?:uvicorn|starlette|fastapi|httptools|uvloop|asyncpg|hiredis|redis-py|pydantic|jinja|orjson|c?python/|wsgi|openssl)",
    re.IGNORECASE,
)


@cache
def installed_versions() -> frozenset[str]:
    return frozenset(each.version for each in distributions())


async def versions_of(context: Context) -> set[str]:
    """The interpreter's, the libraries' and the stores', without the service's own; short ones are no evidence."""
    row = await context.database.row("SELECT current_setting('server_version') AS version")
    assert row is not None
    found = {python_version(), str(row["version"]).split()[0], *installed_versions()}
    return {version for version in found if version.count(".") == 2} - {__version__}


def assert_says_nothing(text: str, versions: set[str]) -> None:
    assert NAMES.search(text) is None, text[:2000]
    there = [version for version in versions if version in text]  # which is found out much sooner
    named = {version for version in there if re.search(rf"(?<![\d.]){re.escape(version)}(?![\d.])", text)}
    assert not named, named


@pytest.mark.parametrize("path", sorted({*paths(), "/nowhere", "/api/nowhere"}))
async def test_no_answer_tells_strangers_of_production_what_the_service_is_made_of(
    services: Services, context: Context, path: str
) -> None:
    """R-113: the faults of a library are found by its version."""
    versions = await versions_of(context)
    async with Browser(services.under(development=False)) as browser:
        for method in METHODS:
            answer = await browser.http.request(method, path)
            assert_says_nothing(f"{answer.headers}\n{answer.text}", versions)


async def test_version_tells_strangers_of_production_the_services_own_alone(services: Services) -> None:
    """R-113."""
    async with Browser(services.under(development=False)) as browser:
        assert (await browser.get("/version")).json() == {"version": __version__}


async def test_a_running_service_says_no_more(
    database_url: str, redis_url: str, context: Context, tmp_path: Path
) -> None:
    """R-67, R-113: nor does the server under it, nor the one that serves the metrics, of one worker and of several."""
    versions = await versions_of(context)
    port, management = free_port(), free_port()
    settings = {
        **settings_on(database_url, redis_url, tmp_path),
        "ROVITRACKER_ENVIRONMENT": "production",
        "ROVITRACKER_PUBLIC_URL": "https://auth.example.com",
        "ROVITRACKER_SECRET_KEYS": secrets.token_hex(32),
        "ROVITRACKER_MANAGEMENT_PORT": str(management),
    }
    css = f"/app/static/site.css?v={ASSET_VERSION}".encode()
    async with running_service(port=port, settings=settings):
        for request in (
            get(b"/"),
            get(css),
            get(b"/version"),
            get(b"/api/v2/Fleet/1"),
            post(b"client_id=x"),
            get(b"/x"),
        ):
            [answer] = await send(port, request)
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert_says_nothing(f"{answer.headers}\n{answer.body.decode()}", versions)
        hostile = (get(b"/" + b"x" * 70_000), b"PUT / HTTP/1.1\r\n\r\n")
        for request in (get(b"/metrics"), get(b"/favicon.ico"), post(b"x"), *hostile):
            said = await everything_said(management, request)
            assert_says_nothing(said, versions)
            assert "x-content-type-options: nosniff" in said.lower()


async def everything_said(port: int, request: bytes) -> str:
    """Up to the end of the connection, whatever it is."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    writer.write_eof()
    said = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return said.decode()
