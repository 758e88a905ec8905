"""The audit trail of what requests did: each row leads to the request's line in the log, and to where it came from."""

import asyncio

import httpx2
import pytest
from fastapi import FastAPI

from app.context import Context
from tests.support.browser import ORIGIN, Browser
from tests.support.people import PASSWORD, World

ELSEWHERE = "2001:db8::7"


@pytest.fixture(params=["front", "framework"])
def served(request: pytest.FixtureRequest, app: FastAPI, app_without_front: FastAPI) -> FastAPI:
    return app if request.param == "front" else app_without_front


def browser_at(app: FastAPI, address: str) -> Browser:
    browser = Browser(app)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False, client=(address, 4711))
    browser.http = httpx2.AsyncClient(transport=transport, base_url=ORIGIN)
    return browser


EVENTS = """\
SELECT actor_kind, request_id, address FROM audit_event
WHERE event = $1 AND (customer_id = $2 OR application_id = $3) ORDER BY id"""


async def rows_of(context: Context, world: World, event: str) -> list[tuple[str, str, str]]:
    """The kind of actor, the request and the address of each such event about this customer or application."""
    about = world.member.customer_id, world.registered.client.id
    rows = await context.database.rows(EVENTS, event, *about)
    return [(row["actor_kind"], row["request_id"], row["address"]) for row in rows]


async def test_what_a_page_does_is_traced_to_its_request(
    context: Context, world: World, served: FastAPI
) -> None:
    async with browser_at(served, ELSEWHERE) as browser:
        await browser.sign_in(await browser.get("/app/login"), world.member.email, PASSWORD)
        await world.token(browser)
        page = await browser.get("/app/account/applications")
        done = await browser.submit(page, {}, action="/disconnect", X_Request_Id="cut-4711")
    assert done.status_code == 303
    [(kind, request_id, address)] = await rows_of(context, world, "person.signed_in")
    assert (kind, address) == ("customer", ELSEWHERE)
    assert len(request_id) == 32
    assert await rows_of(context, world, "application.disconnected") == [("customer", "cut-4711", ELSEWHERE)]


async def test_what_the_token_endpoint_does_is_traced_to_its_request(
    context: Context, world: World, served: FastAPI
) -> None:
    """Two uses of a code: the second one is noted, with the address of who tried it."""
    async with browser_at(served, "192.0.2.1") as browser, browser_at(served, ELSEWHERE) as thief:
        code = await world.code(browser)
        assert (await world.exchange(browser, code)).status_code == 200
        stolen = await world.exchange(thief, code)
    assert stolen.status_code == 400
    assert await rows_of(context, world, "code.replayed") == [
        ("application", stolen.headers["x-request-id"], ELSEWHERE)
    ]


async def sign_in_from(app: FastAPI, world: World, address: str) -> None:
    async with browser_at(app, address) as browser:
        page = await browser.get("/app/login")
        typed = {"email": world.member.email, "password": PASSWORD}
        request_id = f"sign-in-{address}".replace(".", "-")
        await browser.submit(page, typed, action="/app/login", X_Request_Id=request_id)


async def test_requests_of_one_moment_are_not_mixed_up(context: Context, world: World, app: FastAPI) -> None:
    addresses = [f"192.0.2.{number}" for number in range(1, 5)]
    await asyncio.gather(*[sign_in_from(app, world, address) for address in addresses])
    rows = await rows_of(context, world, "person.signed_in")
    assert sorted(rows) == [("customer", f"sign-in-{each}".replace(".", "-"), each) for each in addresses]
