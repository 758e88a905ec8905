"""Bearer tokens at the AEMP routes: where they are read, and that whatever does not work looks the same."""

import asyncio
from hashlib import sha256
from time import monotonic
from uuid import UUID

import asyncpg
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.context import Context
from app.flows.account.register_application import register_application
from app.oauth.actor import COMMAND_LINE
from app.oauth.token_string import mint, parse
from app.web.paths import (
    BELOW_FLEET_BEFORE_V1,
    BELOW_FLEET_V1,
    BELOW_FLEET_V2,
    FLEET_BEFORE_V1_ROUTE,
    FLEET_V1_ROUTE,
    FLEET_V2_ROUTE,
    TELEMETRY,
)
from app.web.table import TABLE
from tests.support.browser import Browser
from tests.support.changing import change
from tests.support.depth import examples
from tests.support.people import World
from tests.support.references import without_reference
from tests.web.told import challenge_of

FLEET = "/api/v2/Fleet/1"
METADATA = "http://localhost:8000/.well-known/oauth-protected-resource/api"


async def read(browser: Browser, token: str, path: str = FLEET) -> httpx2.Response:
    return await browser.get(path, Authorization=f"Bearer {token}", Accept="application/json")


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_token_in_a_body_is_not_read(browser: Browser, world: World, method: str) -> None:
    """O-66: reading is GET, which has no form, and no route takes one instead of the header."""
    token = await world.token(browser)
    answer = await browser.http.request(method, FLEET, data={"access_token": token})
    assert answer.status_code == (401 if method == "GET" else 405)
    if method == "GET":
        told = {"realm": "RoviTracker", "scope": "aemp:read", "resource_metadata": METADATA}
        assert challenge_of(answer) == told


async def test_no_cookie_and_no_address_ever_holds_a_token(browser: Browser, world: World) -> None:
    """O-75 (classic), O-136: of a whole flow only the token answer does, and what it is good for."""
    answers: list[httpx2.Response] = []

    async def keep(answer: httpx2.Response) -> None:
        answers.append(answer)

    browser.http.event_hooks["response"].append(keep)
    token = await world.token(browser)
    assert (await read(browser, token)).status_code == 200
    assert (await world.introspect(browser, token))["aud"] == "http://localhost:8000/api"
    page = await browser.get("/app/account/applications")
    assert "Sitewise" in page.text
    holding = [answer.url.path for answer in answers if token in answer.text]
    assert holding == ["/app/oauth2/token"]
    for answer in answers:
        assert token not in str(answer.url) + str(answer.headers)


@pytest.mark.parametrize("path", ["/api/v1/Fleet/1", FLEET, "/api/v2/Fleet/Equipment/X"])
async def test_token_in_the_query_is_refused_and_not_kept(browser: Browser, world: World, path: str) -> None:
    """O-67, O-68, O-136: alone and beside the header, on every route."""
    token = await world.token(browser)
    for headers in ({}, {"Authorization": f"Bearer {token}"}):
        answer = await browser.http.get(f"{path}?access_token={token}", headers=headers)
        assert answer.status_code == 400
        assert challenge_of(answer)["error"] == "invalid_request"
        assert answer.headers["cache-control"] == "no-store"
        assert token not in answer.text + str(answer.headers)


async def test_whatever_does_not_work_is_refused_alike(
    browser: Browser, world: World, database_url: str
) -> None:
    """O-72, O-77, O-131, O-154: unknown, mistyped, revoked, expired, for another audience, suspended: one answer."""
    revoked, expired, elsewhere, suspended = [await world.token(browser) for _ in range(4)]
    credentials = {"client_id": world.client_id, "client_secret": world.client_secret}
    await browser.http.post("/app/oauth2/revoke", data={**credentials, "token": revoked})
    owner = await asyncpg.connect(database_url)  # the service itself may not change a token's customer
    await owner.execute(MADE_FOR_ELSEWHERE, id_of(elsewhere))
    await owner.execute(EXPIRED, id_of(expired))
    await owner.close()
    answers = [
        await read(browser, token)
        for token in (
            *(revoked, expired, elsewhere, suspended[:-1], suspended[:-1] + "~", "x"),
            *(mint("at", "c", 7).text, mint("at", "s", 7).text, mint("rt", "s", 7).text),
            *(mint("ac", "c", 7).text, world.client_secret),
        )
    ]
    assert (await read(browser, suspended)).status_code == 200
    await change(
        world.context,
        "UPDATE application SET status = 'suspended' WHERE id = $1",
        world.registered.client.id,
    )
    answers.append(await read(browser, suspended))
    assert {answer.status_code for answer in answers} == {401}
    assert {challenge_of(answer)["error"] for answer in answers} == {"invalid_token"}
    assert len({answer.headers["www-authenticate"] for answer in answers}) == 1
    assert len({without_reference(answer) for answer in answers}) == 1


MADE_FOR_ELSEWHERE = "UPDATE classic_token SET audience = 'https://elsewhere.example/api' WHERE id = $1"
EXPIRED = "UPDATE classic_token SET expires_at = clock_timestamp() WHERE id = $1"


def id_of(text: str) -> UUID:
    token = parse(text)
    assert token is not None
    return token.id


async def test_remembered_token_ends_when_its_time_is_over(
    browser: Browser, world: World, context: Context
) -> None:
    """O-103, O-107: nobody has to be told, and no cache in between may keep what was said of it."""
    token = await world.token(browser)
    await change(
        context,
        "UPDATE classic_token SET expires_at = clock_timestamp() + interval '1 s' WHERE id = $1",
        id_of(token),
    )
    ends_at = monotonic() + 1
    fields = {"client_id": world.client_id, "client_secret": world.client_secret, "token": token}
    described = await browser.http.post("/app/oauth2/introspect", data=fields)
    assert described.headers["cache-control"] == "no-store"
    assert described.json()["active"] is True
    assert (await read(browser, token)).status_code == 200
    heard = context.changes.number
    await asyncio.sleep(ends_at - monotonic() + 0.02)
    assert await world.introspect(browser, token) == {"active": False}
    assert (await read(browser, token)).status_code == 401
    assert context.changes.number == heard


async def test_a_header_is_known_again_by_its_digest_and_its_token_is_judged_each_time(
    browser: Browser, world: World, context: Context
) -> None:
    """O-72, O-131: made-up tokens displace nobody, and the memory holds no text that opens anything."""
    token, forged = await world.token(browser), mint("at", "c", 7).text
    assert [(await read(browser, each)).status_code for each in (token, token, forged)] == [200, 200, 401]
    known, made_up = (sha256(f"Bearer {each}".encode()).digest() for each in (token, forged))
    assert known in context.bearers
    assert made_up not in context.bearers
    assert token not in repr(context.bearers)
    twice = [("Authorization", f"Bearer {token}")] * 2
    assert (await browser.http.get(FLEET, headers=twice)).status_code == 400
    fields = {"client_id": world.client_id, "client_secret": world.client_secret, "token": token}
    await browser.http.post("/app/oauth2/revoke", data=fields)
    assert (await read(browser, token)).status_code == 401


async def test_scope_too_small_is_told_with_the_one_that_is_needed(
    browser: Browser, context: Context
) -> None:
    """O-73, O-131: a token of an application that acts for nobody reads nobody's machines."""
    robot = await register_application(
        context, COMMAND_LINE, name="Robot", company="Sitewise Ltd", grants=("client_credentials",)
    )
    fields = {
        "grant_type": "client_credentials",
        "client_id": str(robot.client.id),
        "client_secret": robot.client_secret or "",
    }
    token = (await browser.http.post("/app/oauth2/token", data=fields)).json()["access_token"]
    answer = await read(browser, token)
    assert answer.status_code == 403
    challenge = challenge_of(answer)
    assert (challenge["error"], challenge["scope"]) == ("insufficient_scope", "aemp:read")


READING = (
    FLEET_BEFORE_V1_ROUTE,
    BELOW_FLEET_BEFORE_V1,
    FLEET_V1_ROUTE,
    BELOW_FLEET_V1,
    FLEET_V2_ROUTE,
    BELOW_FLEET_V2,
)
# Every address of the API that asks for a token, by the scope that it asks for.
ASKED = {
    **dict.fromkeys(READING, "aemp:read"),
    TELEMETRY: "telemetry:write",
}


@pytest.mark.parametrize(
    ("path", "method"),
    [(row.path, method) for row in TABLE if row.errors == "aemp" for method in row.methods],
)
async def test_each_route_says_in_its_401_which_scope_it_asks_for(
    browser: Browser, world: World, path: str, method: str
) -> None:
    """O-69, O-73, O-153: RFC 6750 section 3. Clients that read it ask for that, and not for all that is listed."""
    address = path.replace("{fleet:fleet}", "Fleet").replace("{address:path}", "1")
    revoked = await world.token(browser)
    credentials = {"client_id": world.client_id, "client_secret": world.client_secret}
    await browser.http.post("/app/oauth2/revoke", data={**credentials, "token": revoked})
    for error, sent in ((None, {}), ("invalid_token", {"Authorization": f"Bearer {revoked}"})):
        answer = await browser.http.request(method, address, headers=sent)
        challenge = challenge_of(answer)
        assert (answer.status_code, challenge.get("error")) == (401, error)
        assert challenge["scope"] == ASKED[path]


async def test_whoever_asks_for_the_scope_of_the_challenge_reads(browser: Browser, world: World) -> None:
    """As the SDKs of MCP do, which know nothing else of us than an address of the API."""
    scope = challenge_of(await browser.get(FLEET))["scope"]
    code = await world.code(browser, scope=scope)
    granted = (await world.exchange(browser, code)).json()
    assert granted["scope"] == scope
    assert (await read(browser, granted["access_token"])).status_code == 200


HEADERS = st.binary(max_size=30) | st.binary(max_size=30).map(b"Bearer ".__add__)


@given(headers=st.lists(HEADERS, max_size=3), path=st.sampled_from([FLEET, "/api/v1/Fleet/Equipment/X"]))
@examples(60)
async def test_any_authorization_is_answered_with_a_challenge_of_the_rfc(
    browser: Browser, headers: list[bytes], path: str
) -> None:
    """O-68, O-69, O-70, O-71, O-74, O-153: whatever the caller sent, no word of it comes back."""
    answer = await browser.http.get(path, headers=[(b"authorization", each) for each in headers])
    challenge = challenge_of(answer)
    assert challenge["resource_metadata"] == METADATA
    error = challenge.get("error")
    assert (answer.status_code, error) in ((401, None), (401, "invalid_token"), (400, "invalid_request"))
    if error is None:
        assert set(challenge) == {"realm", "scope", "resource_metadata"}
    if answer.status_code == 401:
        assert challenge["scope"] == "aemp:read"
    if len(headers) > 1:
        assert error == "invalid_request"
    if not headers:
        assert error is None
