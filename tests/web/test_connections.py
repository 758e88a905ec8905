"""The customer's list of connected applications on the wire, and the way out of each."""

import asyncio
from dataclasses import replace
from functools import partial
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI

from app.context import Context
from app.flows.account.register_application import register_application
from app.flows.approval.connections import find_connection, list_connections
from app.flows.fleet.count_reads import write_reads
from app.oauth.actor import COMMAND_LINE
from app.storage.token.connections import connect
from tests.support.browser import Browser, forms_of
from tests.support.changing import change
from tests.support.people import PASSWORD, REDIRECT_URI, World
from tests.support.refusals import error_of
from tests.support.sharing import let_end_come
from tests.web.reading import tags_of, words_of

CONNECTIONS = "/app/account/applications"
DISCONNECT = "/app/account/applications/disconnect"


async def signed_in(browser: Browser, world: World) -> httpx2.Response:
    return await browser.sign_in(await browser.get("/app/login"), world.member.email, PASSWORD)


async def test_stranger_signs_in_first(browser: Browser, world: World) -> None:
    page = await browser.get(CONNECTIONS)
    assert 'name="password"' in page.text
    assert world.member.name not in page.text
    assert CONNECTIONS in str((await browser.sign_in(page, world.member.email, PASSWORD)).url)


async def test_approval_whose_code_was_not_redeemed_is_listed_and_may_be_cut(
    browser: Browser, world: World
) -> None:
    """R-19: the connection stands from the approval on, and a cut kills the code that is on its way."""
    code = await world.code(browser)
    listed = await browser.get(CONNECTIONS)
    for page in (listed, await browser.get(f"{CONNECTIONS}/{world.client_id}")):
        assert "Sitewise by Sitewise Rentals Ltd" in words_of(page)
        assert "Not used yet." in words_of(page)
        assert "See your machines" not in words_of(page)
    assert f"Approved by {world.member.name}" in words_of(listed)
    await browser.submit(listed, {}, action=DISCONNECT)
    answer = await world.exchange(browser, code)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert "Nothing is connected" in words_of(await browser.get(CONNECTIONS))


async def test_what_was_used_and_has_no_token_any_more_is_not_called_unused(
    browser: Browser, world: World
) -> None:
    token = await world.token(browser)
    assert "Not used yet." not in words_of(await browser.get(CONNECTIONS))
    assert (await browser.get("/api/v2/Fleet/1", Authorization=f"Bearer {token}")).status_code == 200
    await write_reads(world.context)
    fields = {"client_id": world.client_id, "client_secret": world.client_secret, "token": token}
    await browser.http.post("/app/oauth2/revoke", data=fields)
    assert "Nothing is connected" in words_of(await browser.get(CONNECTIONS))


async def test_one_connection_says_what_the_list_says_of_it(browser: Browser, world: World) -> None:
    """Whether it has a token, waits for one, or needs none; and nothing of what is on no list."""
    context, customer_id = world.context, world.member.customer_id
    await world.token(browser)
    robot = await register_application(
        context,
        COMMAND_LINE,
        name="Robot",
        company="Sitewise Rentals Ltd",
        grants=("client_credentials",),
        customer_id=customer_id,
    )
    other = await register_application(
        context, COMMAND_LINE, name="Fuelwise", company="Fuelwise Ltd", redirect_uris=(REDIRECT_URI,)
    )
    await replace(world, registered=other).code(browser)
    listed = await list_connections(context, customer_id)
    assert {each.application.client.id for each in listed} == {
        each.client.id for each in (world.registered, robot, other)
    }
    for each in listed:
        assert await find_connection(context, customer_id, each.application.client.id) == each
    stranger = await World.make(context)
    assert await find_connection(context, customer_id, stranger.registered.client.id) is None
    assert await find_connection(context, stranger.member.customer_id, other.client.id) is None


async def test_connection_is_listed_with_what_and_since_when_and_by_whom(
    browser: Browser, world: World
) -> None:
    await world.token(browser)
    words = words_of(await browser.get(CONNECTIONS))
    assert "Sitewise by Sitewise Rentals Ltd" in words
    assert "See your machines" in words
    assert f"Connected {world.context.now():%-d %B %Y}" in words
    assert f"Approved by {world.member.name}" in words


async def test_customer_who_disconnects_ends_every_token_at_once(browser: Browser, world: World) -> None:
    """R-19, R-16: all of them, the list shows it, and the page says so."""
    tokens = [await world.token(browser) for _ in range(3)]
    page = await browser.get(CONNECTIONS)
    answer = await browser.submit(page, {}, action=DISCONNECT)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(CONNECTIONS)
    for token in tokens:
        assert await world.introspect(browser, token) == {"active": False}
        fleet = await browser.get("/api/v2/Fleet/1", Authorization=f"Bearer {token}")
        assert fleet.status_code == 401
    words = words_of(await browser.follow(answer))
    assert "The application was disconnected." in words
    assert "Nothing is connected" in words
    assert "Sitewise" not in words


async def test_disconnected_application_may_be_connected_again(browser: Browser, world: World) -> None:
    """R-19: what is approved afterwards stands."""
    before = await world.token(browser)
    await browser.submit(await browser.get(CONNECTIONS), {}, action=DISCONNECT)
    after = await world.token(browser)
    assert (await world.introspect(browser, before))["active"] is False
    assert (await world.introspect(browser, after))["active"] is True
    assert "You connected this application" in words_of(await world.consent_page(browser))


async def test_connection_that_ended_may_be_approved_anew_and_its_old_tokens_stay_dead(
    browser: Browser, world: World
) -> None:
    """They may have been granted more than the customer approves now."""
    before, code = await world.token(browser), await world.code(browser)
    await let_end_come(world)
    assert "Sitewise" not in words_of(await browser.get(CONNECTIONS))
    after = await world.token(browser)
    assert (await world.introspect(browser, after))["active"] is True
    assert await world.introspect(browser, before) == {"active": False}
    fleet = await browser.get("/api/v2/Fleet/1", Authorization=f"Bearer {before}")
    assert fleet.status_code == 401
    assert (await world.exchange(browser, code)).json()["error"] == "invalid_grant"


async def test_approval_that_is_older_than_the_end_brings_nothing_back(
    browser: Browser, world: World
) -> None:
    """As that of a consent form whose commit is tried again, or of a token that is imported once more."""
    await world.token(browser)
    before = world.context.now()
    await let_end_come(world)
    customer_id, application_id = world.member.customer_id, world.registered.client.id
    approve = partial(
        connect,
        world.context.database,
        customer_id,
        application_id,
        route="imported",
        approved_by=None,
    )
    assert await approve(approved_at=before) is False
    assert "Sitewise" not in words_of(await browser.get(CONNECTIONS))
    assert await approve(approved_at=world.context.now()) is True


async def test_disconnecting_ends_a_code_that_is_still_on_its_way(browser: Browser, world: World) -> None:
    """R-19"""
    await world.token(browser)
    code = await world.code(browser)
    await browser.submit(await browser.get(CONNECTIONS), {}, action=DISCONNECT)
    assert error_of(await world.exchange(browser, code)) == "invalid_grant"


async def test_disconnecting_touches_no_other_application_and_no_other_customer(
    app: FastAPI, browser: Browser, world: World
) -> None:
    """R-19"""
    second = await register_application(
        world.context, COMMAND_LINE, name="Fuelwatch", company="Fuelwatch GmbH", redirect_uris=(REDIRECT_URI,)
    )
    other_application = World(world.context, world.member, second)
    stranger = await World.make(world.context)
    other_customer = World(world.context, stranger.member, world.registered)
    async with Browser(app) as elsewhere:
        kept = [
            (other_application, await other_application.token(browser)),
            (other_customer, await other_customer.token(elsewhere)),
        ]
        await world.token(browser)
        page = await browser.get(CONNECTIONS)
        form = next(form for form in forms_of(page) if DISCONNECT in form.action)  # the newest stands first
        assert words_of(page).index("Sitewise") < words_of(page).index("Fuelwatch")
        await browser.http.post(form.action, data=form.hidden)
        words = words_of(await browser.get(CONNECTIONS))
        assert "Fuelwatch" in words
        assert "Sitewise" not in words
        for whose, token in kept:
            assert (await whose.introspect(browser, token))["active"] is True


async def test_form_of_another_session_disconnects_nothing(
    app: FastAPI, browser: Browser, world: World
) -> None:
    """R-43, R-71: the token is bound to the session, not only to the customer."""
    token = await world.token(browser)
    page = await browser.get(CONNECTIONS)
    for whose in (world, await World.make(world.context)):
        async with Browser(app) as other:
            await signed_in(other, whose)
            assert (await other.submit(page, {}, action=DISCONNECT)).status_code == 400
    assert (await world.introspect(browser, token))["active"] is True


@pytest.mark.parametrize(
    ("headers", "fields", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, True, 403),
        ({"Origin": "null"}, True, 403),
        ({}, False, 400),
        ({"Sec-Fetch-Site": "same-origin"}, False, 400),
    ],
)
async def test_forged_form_disconnects_nothing(
    browser: Browser,
    world: World,
    headers: dict[str, str],
    fields: bool,  # noqa: FBT001  # a column of the table above
    status: int,
) -> None:
    """R-43"""
    token = await world.token(browser)
    form = next(form for form in forms_of(await browser.get(CONNECTIONS)) if DISCONNECT in form.action)
    answer = await browser.http.post(form.action, data=form.hidden if fields else {}, headers=headers)
    assert answer.status_code == status
    assert (await world.introspect(browser, token))["active"] is True


async def test_sign_out_form_is_no_disconnect_form(browser: Browser, world: World) -> None:
    token = await world.token(browser)
    page = await browser.get(CONNECTIONS)
    logout = next(form for form in forms_of(page) if "/logout" in form.action)
    assert (await browser.http.post(DISCONNECT, data=logout.hidden)).status_code == 400
    assert (await world.introspect(browser, token))["active"] is True


async def test_disconnecting_after_signing_out_asks_to_sign_in(browser: Browser, world: World) -> None:
    token = await world.token(browser)
    page = await browser.get(CONNECTIONS)
    await browser.submit(page, {}, action="/app/logout")
    answer = await browser.submit(page, {}, action=DISCONNECT)
    assert answer.headers["location"] == "/app/login"
    assert (await world.introspect(browser, token))["active"] is True


async def test_disconnecting_twice_at_once_is_harmless(browser: Browser, world: World) -> None:
    token = await world.token(browser)
    page = await browser.get(CONNECTIONS)
    answers = await asyncio.gather(*(browser.submit(page, {}, action=DISCONNECT) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {303}
    assert (await world.introspect(browser, token))["active"] is False


async def test_suspended_application_is_listed_and_may_be_cut(browser: Browser, world: World) -> None:
    """R-20: it may be resumed, so the customer's way out stays open."""
    await world.token(browser)
    await change(
        world.context, "UPDATE application SET status = 'suspended' WHERE id = $1", world.registered.client.id
    )
    page = await browser.get(CONNECTIONS)
    assert "Sitewise" in words_of(page)
    assert (await browser.submit(page, {}, action=DISCONNECT)).status_code == 303
    assert "Nothing is connected" in words_of(await browser.get(CONNECTIONS))


async def test_names_on_the_list_are_escaped(browser: Browser, context: Context) -> None:
    """O-32, R-48"""
    world = await World.make(context)
    registered = await register_application(
        context,
        COMMAND_LINE,
        name="<script>x</script>",
        company=f"<b>{uuid4()}</b>",
        redirect_uris=(REDIRECT_URI,),
    )
    await World(context, world.member, registered).token(browser)
    page = await browser.get(CONNECTIONS)
    assert tags_of(page).isdisjoint({"script", "b"})
    assert "<script>x</script>" in words_of(page)
