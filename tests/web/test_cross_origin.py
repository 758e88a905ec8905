"""Scripts of other origins may read some answers, and no others."""

import httpx2
import pytest

from app.throttling.budgets import Budgets
from tests.support.browser import Browser
from tests.support.people import World
from tests.web.services import Services

ELSEWHERE = "https://spa.example"
TOKEN, REVOKE = "/app/oauth2/token", "/app/oauth2/revoke"
METADATA = [
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-protected-resource/api",
]
READINGS = [
    "/app/oauth2/userinfo",
    "/api/v1/Fleet/1",
    "/api/v2/Fleet",
    "/api/v2/fleet/1",
    "/api/v2/Fleet/Equipment/PIN7/2026-01-01/2026-01-02",
]
# What a browser application needs to know of an answer beside its body.
EXPOSED = {
    *("ETag", "WWW-Authenticate", "Retry-After"),
    *("RateLimit-Policy", "RateLimit", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"),
}
CLOSED = [
    "/api/v2/telemetry",
    "/app/oauth2/authorize",
    "/app/oauth2/consent",
    "/app/oauth2/introspect",
    "/app/login",
    "/app/logout",
    "/app/language",
    "/app/account/applications",
    "/app/account/security",
    "/health/ready",
]


def permissions_of(headers: httpx2.Headers) -> dict[str, str]:
    """Every header by which a browser is told what another origin's script may do."""
    return {name: value for name, value in headers.items() if name.startswith("access-control-")}


@pytest.mark.parametrize("path", [TOKEN, REVOKE])
async def test_any_origin_may_read_an_answer_or_an_error(browser: Browser, world: World, path: str) -> None:
    """O-97: and no answer allows credentials, so a browser sends no cookie along."""
    given = {"client_id": world.client_id, "client_secret": world.client_secret}
    sent = {"code": await world.code(browser), "token": "x"}
    for fields, status in (({**given, **sent}, 200), (sent, 401), (given, 400), ({}, 400)):
        answer = await browser.http.post(path, data=fields, headers={"Origin": ELSEWHERE})
        assert answer.status_code == status
        assert permissions_of(answer.headers) == {"access-control-allow-origin": "*"}


@pytest.mark.parametrize("path", METADATA)
async def test_any_origin_may_read_the_metadata(browser: Browser, path: str) -> None:
    """O-97"""
    answer = await browser.get(path, Origin=ELSEWHERE)
    assert permissions_of(answer.headers) == {"access-control-allow-origin": "*"}


@pytest.mark.parametrize("path", [TOKEN, REVOKE])
async def test_preflight_allows_a_form_and_no_credentials(browser: Browser, path: str) -> None:
    """O-97"""
    headers = {
        "Origin": ELSEWHERE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    answer = await browser.http.options(path, headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")
    permissions = permissions_of(answer.headers)
    assert permissions.pop("access-control-max-age").isdecimal()
    assert permissions == {
        "access-control-allow-origin": "*",
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "Content-Type",
    }


@pytest.mark.parametrize("path", READINGS)
async def test_preflight_of_the_api_allows_a_token_and_no_credentials(browser: Browser, path: str) -> None:
    """O-97"""
    headers = {
        "Origin": ELSEWHERE,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization,if-none-match",
    }
    answer = await browser.http.options(path, headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")
    permissions = permissions_of(answer.headers)
    assert int(permissions.pop("access-control-max-age")) >= 600
    assert permissions == {
        "access-control-allow-origin": "*",
        "access-control-allow-methods": "GET, HEAD",
        "access-control-allow-headers": "Authorization, If-None-Match",
    }


async def test_any_origin_may_read_every_answer_of_the_api(
    browser: Browser, world: World, services: Services
) -> None:
    """O-97: an error as well as a document, else a browser application cannot tell why it failed."""
    given = {"Origin": ELSEWHERE, "Authorization": f"Bearer {await world.token(browser)}"}
    page = await browser.http.get("/api/v2/Fleet/1", headers=given)
    known = {**given, "If-None-Match": page.headers["etag"]}
    answers = [
        page,
        await browser.http.get("/api/v2/Fleet/1", headers=known),
        await browser.http.get("/api/v1/Fleet/1", headers=given),
        await browser.http.get("/api/v2/Fleet/0", headers=given),
        await browser.http.get("/api/v2/Fleet/Equipment/PIN7", headers=given),
        await browser.http.get("/api/v2/Fleet/1", headers={**given, "Accept": "image/png"}),
        await browser.http.get("/api/v2/Fleet/1", headers={"Origin": ELSEWHERE}),
        await browser.http.put("/api/v2/Fleet/1", headers=given),
    ]
    async with Browser(services.like(now=lambda: 1 / 0)) as faulty:
        answers.append(await faulty.http.get("/api/v2/Fleet/1", headers=given))
    async with Browser(services.like(budgets=Budgets(a_minute=1))) as spent:
        answers += [await spent.http.get("/api/v2/Fleet/1", headers=given) for _ in range(3)][-1:]
    assert [answer.status_code for answer in answers] == [200, 304, 200, 400, 404, 406, 401, 405, 500, 429]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
        assert set(answer.headers["access-control-expose-headers"].split(", ")) == EXPOSED
    told = {name.lower() for answer in answers for name in answer.headers}
    assert {name.lower() for name in EXPOSED} <= told


@pytest.mark.parametrize("path", CLOSED)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
async def test_no_other_origin_may_read_anything_else(browser: Browser, method: str, path: str) -> None:
    """O-140, R-83: not where customers decide, nor where tokens are scanned for."""
    headers = {"Origin": ELSEWHERE, "Access-Control-Request-Method": "POST"}
    answer = await browser.http.request(method, path, headers=headers)
    assert permissions_of(answer.headers) == {}
