"""Faults of ours on the wire: told bare, logged whole, and never with a secret in either."""

import re
from collections.abc import AsyncIterator, MutableMapping
from typing import Any
from urllib.parse import urlencode

import asyncpg
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from app.storage.errors import StoreUnavailableError
from app.storage.postgres.database import Database, open_database
from tests.conftest import make_database
from tests.support.browser import Browser, query_of
from tests.support.depth import examples
from tests.support.people import PASSWORD, VERIFIER, Strict, World
from tests.support.request_lines import request_lines
from tests.web.reading import words_of
from tests.web.services import Services, same_browser


@pytest.fixture(scope="module")
async def broken(servers: tuple[str, str], worker: int) -> AsyncIterator[Database]:
    """A database in which applications have lost what their code relies on."""
    url = await make_database(servers[0], f"broken_{worker}")
    owner = await asyncpg.connect(url)
    await owner.execute(
        """
        ALTER TABLE application ALTER redirect_uris DROP NOT NULL;
        INSERT INTO application (id, kind, public, name, company, status, grants, scope, redirect_uris)
        VALUES ('01900000-0000-7000-8000-000000000001', 'classic', false, 'x', 'x', 'active', '{}', '', NULL);
        DROP TABLE browser_session CASCADE;
        """
    )
    await owner.close()
    database = await open_database(url, connections=2)
    yield database
    await database.close()


async def test_fault_before_the_redirect_uri_is_proved_gets_a_bare_page(
    browser: Browser, services: Services, broken: Database
) -> None:
    """O-7: status 500, a reference to give, and no word of what happened."""
    gathered = services.gathered(broken)
    app = services.like(database=broken, gathered=gathered)
    with capture_logs() as logs:
        async with same_browser(browser, app) as other:
            answer = await other.get(
                "/app/oauth2/authorize?client_id=01900000-0000-7000-8000-000000000001",
                X_Request_Id="ref-4711",
            )
    await gathered.close()
    assert answer.status_code == 500
    assert answer.headers["cache-control"] == "no-store"
    assert "location" not in answer.headers
    assert "ref-4711" in words_of(answer)
    for trace in ("Traceback", "TypeError", "NoneType", ".py", "asyncpg"):
        assert trace not in answer.text
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["unexpected error"]


async def test_statement_the_database_refuses_is_told_as_a_fault_of_ours(
    browser: Browser, world: World, services: Services, broken: Database
) -> None:
    """O-22: by redirect where the address is proved, on a page where there is none; logged for us."""
    await world.consent_page(browser)
    with capture_logs() as logs:
        async with same_browser(browser, services.like(database=broken)) as other:
            asked = await other.get(world.authorize_url())
            page = await other.get("/app/account/applications")
    assert query_of(asked)["error"] == "server_error"
    assert page.status_code == 500
    assert "retry-after" not in page.headers
    assert "browser_session" not in page.text + asked.headers["location"]
    faults = [line for line in logs if line["log_level"] == "error"]
    assert [line["event"] for line in faults] == ["authorize failed", "unexpected error"]
    assert all(line["exc_info"] is True for line in faults)


@pytest.mark.parametrize("given", ["ref-4711", "a" * 64])
async def test_harmless_request_id_is_kept(browser: Browser, given: str) -> None:
    answer = await browser.get("/app/login", X_Request_Id=given)
    assert answer.headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["short", "a" * 65, "<script>alert", "with blank", '"quoted-id"'])
async def test_other_request_id_is_replaced(browser: Browser, given: str) -> None:
    """R-79"""
    answer = await browser.get("/app/nothing", X_Request_Id=given)
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])
    assert given not in answer.text
    assert answer.headers["x-request-id"] in answer.text


async def test_no_log_line_of_a_whole_flow_holds_a_secret(browser: Browser, world: World) -> None:
    """R-80, R-81: state, code, token, password, cookies and client secret stay out, also when it goes wrong."""
    with capture_logs() as logs, request_lines() as lines:
        page = await browser.get(world.authorize_url(state="state-canary"))
        refused = await browser.submit(
            page, {"email": world.member.email, "password": "password-canary"}, action="/app/login"
        )
        page = await browser.sign_in(refused, world.member.email, PASSWORD)
        approved = await browser.submit(page, {"decision": "approve"}, action="/consent")
        code = query_of(approved)["code"]
        token = (await world.exchange(browser, code)).json()["access_token"]
        await world.exchange(browser, code)
        strict = await Strict.register(world.context)
        pair = await strict.pair(browser)
        for _ in range(2):  # spent, and used again
            await strict.refresh(browser, pair.refresh)
        await browser.get("/app/oauth2/authorize?client_id=x&state=state-canary")
        await browser.get("/api/v2/Fleet/1", Authorization=f"Bearer {token}x")
        await browser.http.post("/app/oauth2/consent", data={"flow": "flow-canary"})
    written = repr(logs + lines)
    assert len(lines) >= 10
    cookies = [cookie.value for cookie in browser.http.cookies.jar if cookie.value]
    assert len(cookies) == 3  # the session, the flow's browser, and that the browser is known
    for secret in (PASSWORD, code, token, *pair, VERIFIER, world.client_secret, "canary", *cookies):
        assert secret not in written


async def test_client_that_goes_away_within_its_body_is_no_fault(app: FastAPI) -> None:
    """R-86: nothing is answered, and nothing is logged as ours."""
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/app/login",
        "raw_path": b"/app/login",
        "query_string": b"",
        "headers": [],
    }
    with capture_logs() as logs, request_lines() as lines:
        await app(scope, receive, send)
    assert sent == []
    beside = {"mail tried", "maintained", "event loop blocked"}  # what the suite's service does besides
    assert {each["event"] for each in logs} <= beside
    assert [(line["event"], line["level"]) for line in lines] == [("request", "info")]


async def test_body_beyond_the_limit_is_refused_before_it_is_whole(browser: Browser) -> None:
    """R-75"""
    given = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal given
        while True:
            given += 4096
            yield b"x" * 4096

    answer = await browser.http.post("/app/login", content=endless())
    assert answer.status_code == 413
    assert given < 100_000


async def test_unreachable_valkey_is_named_in_the_log_only(world: World, services: Services) -> None:
    with pytest.raises(StoreUnavailableError, match="Valkey"):
        await services.without_valkey().state.context.valkey.check_writable()
    async with Browser(services.without_valkey()) as browser:
        page = await world.consent_page(browser)
        with capture_logs() as logs:
            answer = await browser.submit(page, {"decision": "approve"}, action="/consent")
    assert "alkey" not in answer.headers["location"]
    assert any("Valkey" in line.get("detail", "") for line in logs)


NAMES = st.sampled_from(
    ["client_id", "redirect_uri", "state", "scope", "flow", "form", "email", "decision", "code"]
)
PAIRS = st.lists(st.tuples(NAMES | st.text(max_size=5), st.binary(max_size=40)), max_size=6)
FORMS = (
    "/app/login",
    "/app/login/code",
    "/app/logout",
    "/app/language",
    "/app/account/security/password",
    "/app/oauth2/consent",
    "/app/oauth2/authorize",
)


@given(pairs=PAIRS, body=st.binary(max_size=200), path=st.sampled_from(FORMS))
@examples(60)
async def test_nothing_a_stranger_sends_is_a_fault_of_ours(
    browser: Browser, pairs: list[tuple[str, bytes]], body: bytes, path: str
) -> None:
    """O-6, R-33, R-76: refused as what it is, never a 500."""
    query = urlencode(pairs)
    for answer in (
        await browser.get(f"/app/oauth2/authorize?{query}"),
        await browser.http.post(path, content=query.encode()),
        await browser.http.post(path, content=body),
        await browser.get("/app/account/applications", Cookie=f"rovi_session={query}; rovi_browser={query}"),
    ):
        assert answer.status_code in {200, 303, 400}
        assert not answer.headers.get("location", "/app/").startswith("http")
