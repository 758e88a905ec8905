"""Scripts of other origins may read some answers, and no others."""

import httpx2
import pytest

from tests.support.browser import Browser
from tests.support.people import World

ELSEWHERE = "https://spa.example"
TOKEN, REVOKE = "/app/oauth2/token", "/app/oauth2/revoke"
METADATA = [
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-protected-resource/api",
]
CLOSED = [
    "/app/oauth2/authorize",
    "/app/oauth2/consent",
    "/app/oauth2/introspect",
    "/app/login",
    "/app/logout",
    "/app/account/applications",
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


@pytest.mark.parametrize("path", CLOSED)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
async def test_no_other_origin_may_read_anything_else(browser: Browser, method: str, path: str) -> None:
    """O-140, R-83: not where customers decide, nor where tokens are scanned for."""
    headers = {"Origin": ELSEWHERE, "Access-Control-Request-Method": "POST"}
    answer = await browser.http.request(method, path, headers=headers)
    assert permissions_of(answer.headers) == {}
