"""Signed answers of the introspection endpoint on the wire (RFC 9701)."""

from base64 import urlsafe_b64decode
from time import time
from typing import Any

import httpx2
import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from app.context import Context
from app.oauth.token_string import mint
from app.storage.people.signing_keys import remember_signing_keys
from tests.support.assertions import fresh, register_keyed
from tests.support.browser import ORIGIN, Browser
from tests.support.people import World
from tests.web.services import Services, unreachable_database

INTROSPECT = "/app/oauth2/introspect"
JWT = "application/token-introspection+jwt"


async def ask(browser: Browser, world: World, token: str, accept: str | None = JWT) -> httpx2.Response:
    fields = {"client_id": world.client_id, "client_secret": world.client_secret, "token": token}
    headers = {"Accept": accept} if accept is not None else {}
    return await browser.http.post(INTROSPECT, data=fields, headers=headers)


async def verified(browser: Browser, answer: httpx2.Response) -> dict[str, Any]:
    """The claims, by a key of the published set."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == JWT
    assert answer.headers["cache-control"] == "no-store"
    key_set = KeySet.import_key_set((await browser.get("/app/oauth2/jwks")).json())
    read = jwt.decode(answer.text, key_set, ["ES256"])
    assert read.header["typ"] == "token-introspection+jwt"
    assert read.header["kid"] in {key.kid for key in key_set}
    return read.claims


async def test_signed_answer_says_what_the_plain_one_says(browser: Browser, world: World) -> None:
    """O-152: for the one who asked, now, and no more; a live token and one that is none."""
    for token in (await world.token(browser), mint("at", "c", 1).text, "rubbish"):
        plain = (await ask(browser, world, token, accept="application/json")).json()
        claims = await verified(browser, await ask(browser, world, token))
        issued_at = claims.pop("iat")
        assert claims == {"iss": ORIGIN, "aud": world.client_id, "token_introspection": plain}
        assert abs(issued_at - time()) < 5


async def test_each_caller_gets_its_own(browser: Browser, world: World, context: Context) -> None:
    """O-105, O-152: by whatever method it proved itself."""
    token = await world.token(browser)
    keyed = await register_keyed(context)
    answer = await browser.http.post(
        INTROSPECT, data={**fresh(keyed), "token": token}, headers={"Accept": JWT}
    )
    claims = await verified(browser, answer)
    assert (claims["aud"], claims["token_introspection"]) == (str(keyed.client.id), {"active": False})
    by_basic = await browser.http.post(
        INTROSPECT,
        data={"token": token},
        auth=(world.client_id, world.client_secret),
        headers={"Accept": JWT},
    )
    assert (await verified(browser, by_basic))["token_introspection"]["active"] is True


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", f"{JWT};q=0", "application/jwt"])
async def test_nobody_else_gets_a_jwt(accept: str | None, browser: Browser, world: World) -> None:
    """O-152."""
    answer = await ask(browser, world, "rubbish", accept)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"active": False}


async def test_accept_may_come_in_lines(browser: Browser, world: World) -> None:
    fields = {"client_id": world.client_id, "client_secret": world.client_secret, "token": "x"}
    headers = [("Accept", "application/json;q=0.5"), ("Accept", JWT)]
    await verified(browser, await browser.http.post(INTROSPECT, data=fields, headers=headers))


async def test_refusals_stay_json(browser: Browser, world: World) -> None:
    """O-100: RFC 6749's errors, whatever was asked for."""
    fields = {"client_id": world.client_id, "client_secret": "wrong", "token": "x"}
    answer = await browser.http.post(INTROSPECT, data=fields, headers={"Accept": JWT})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["content-type"] == "application/json"


async def test_signed_answer_opens_nothing(browser: Browser, world: World) -> None:
    """RFC 9701 section 8.1: it is no access token here, nor an assertion of who is named in it."""
    text = (await ask(browser, world, await world.token(browser))).text
    read = await browser.get("/api/v2/Fleet/1", Authorization=f"Bearer {text}")
    assert read.status_code == 401
    claims = orjson.loads(urlsafe_b64decode(text.split(".")[1] + "=="))
    assert not {"sub", "exp", "client_id", "scope"} & set(claims)


async def test_without_a_key_that_can_be_read_nothing_is_answered(world: World, services: Services) -> None:
    """O-108: not a plain answer in place of a signed one."""
    context = services.context
    async with unreachable_database() as database:
        keys = remember_signing_keys(database, context.keys, context.changes)
        async with Browser(services.like(database=database, signing_keys=keys)) as browser:
            answer = await ask(browser, world, "rubbish")
            assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
            assert (await browser.get("/app/oauth2/jwks")).status_code == 503
            assert (await ask(browser, world, "rubbish", None)).json() == {"active": False}
