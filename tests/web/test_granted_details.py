"""Granted authorization details in answers of the token endpoint and of introspection (RFC 9396 sections 7 and 9)."""

from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg
import orjson
import pytest

from app.context import Context
from app.flows.fleet.change_owner import release_machine
from app.oauth.actor import COMMAND_LINE
from app.oauth.token_string import mint
from tests.support.browser import Browser
from tests.support.changing import within_a_second
from tests.support.details import approved, asked_page, asking, granted, ticked
from tests.support.fleets import fill
from tests.support.people import Strict, World, pair_of
from tests.support.refusals import error_of
from tests.support.sharing import change, fields_of, pins_read, these
from tests.web.services import Services, unreachable_database

DETAILS = "authorization_details"
PINS = ("PIN1", "PIN2", "PIN3")


async def told(browser: Browser, world: World, token: str) -> object:
    """What introspection says of the token's details; None where it says nothing."""
    answer = await world.introspect(browser, token)
    assert answer["active"] is True
    return answer.get(DETAILS)


async def test_classic_application_is_told_what_was_granted(browser: Browser, world: World) -> None:
    """O-158: the published wire has grown by one member."""
    await fill(world.context, world.member.customer_id, *PINS)
    ends_at = (world.context.now() + timedelta(days=30)).replace(microsecond=0)
    page = await asked_page(browser, world, "PIN1", "PIN3", history_from="2026-05-01")
    answer = await world.exchange(
        browser, await approved(browser, page, ends_at=f"{ends_at:%Y-%m-%dT%H:%M:%S}")
    )
    expected = granted(
        "PIN1", "PIN3", history_from="2026-05-01T00:00:00Z", ends_at=f"{ends_at:%Y-%m-%dT%H:%M:%SZ}"
    )
    document = answer.json()
    assert document[DETAILS] == expected
    assert (document["token_type"], document["type"]) == ("Bearer", "Bearer")
    assert await told(browser, world, document["access_token"]) == expected


async def test_whoever_did_not_ask_by_details_gets_the_answer_of_before(
    browser: Browser, world: World
) -> None:
    """O-54, O-158: but introspection tells what the customer narrowed, or no resource server could keep to it."""
    await fill(world.context, world.member.customer_id, *PINS)
    answer = await world.exchange(browser, await world.code(browser))
    assert set(answer.json()) == {"access_token", "token_type", "type", "expires_in", "scope"}
    token = answer.json()["access_token"]
    assert await told(browser, world, token) is None
    assert (await change(browser, world, await these(world, "PIN2"))).status_code == 303
    assert await told(browser, world, token) == granted("PIN2")
    later = await world.exchange(browser, await world.code(browser))
    assert DETAILS not in later.json()


async def test_changed_connection_is_told_at_once(browser: Browser, world: World) -> None:
    """O-158: narrowed and widened."""
    await fill(world.context, world.member.customer_id, *PINS)
    code = await approved(browser, await asked_page(browser, world, "PIN1"))
    token = str((await world.exchange(browser, code)).json()["access_token"])
    await change(browser, world, {"machines": "all", "history_from": "2026-06-01"})
    assert await told(browser, world, token) == granted(history_from="2026-06-01T00:00:00Z")
    await change(browser, world, {"machines": "all", "history_from": ""})
    assert await told(browser, world, token) == granted()
    assert await pins_read(browser, token) == list(PINS)


async def test_a_machine_that_leaves_its_fleet_is_told_of_no_more(browser: Browser, world: World) -> None:
    """O-158: within a second, though nobody changed the connection."""
    await fill(world.context, world.member.customer_id, *PINS)
    code = await approved(browser, await asked_page(browser, world, "PIN1", "PIN2"))
    token = str((await world.exchange(browser, code)).json()["access_token"])
    assert await told(browser, world, token) == granted("PIN1", "PIN2")
    await release_machine(world.context, COMMAND_LINE, world.member, "PIN1")

    async def is_told() -> bool:
        return await told(browser, world, token) == granted("PIN2")

    await within_a_second(is_told)


async def by_import(world: World, _writer: asyncpg.Connection) -> None:
    """It names the machine in another spelling, by which it is recognised."""
    await fill(world.context, world.member.customer_id, "pin1")


async def by_hand(world: World, writer: asyncpg.Connection) -> None:
    await writer.execute(
        "UPDATE equipment SET pin = 'pin1' WHERE customer_id = $1 AND pin = 'PIN1'", world.member.customer_id
    )


@pytest.mark.parametrize("rename", [by_import, by_hand])
async def test_a_machine_is_told_by_its_new_name(
    rename: Callable[[World, asyncpg.Connection], Awaitable[None]],
    browser: Browser,
    world: World,
    writer: asyncpg.Connection,
) -> None:
    """O-158: within a second, though nobody changed the connection."""
    await fill(world.context, world.member.customer_id, *PINS)
    code = await approved(browser, await asked_page(browser, world, "PIN1", "PIN2"))
    token = str((await world.exchange(browser, code)).json()["access_token"])
    assert await told(browser, world, token) == granted("PIN1", "PIN2")
    await rename(world, writer)

    async def is_told() -> bool:
        return await told(browser, world, token) == granted("pin1", "PIN2")

    await within_a_second(is_told)


async def test_cut_connection_tells_nothing(browser: Browser, world: World) -> None:
    """O-102, O-158."""
    await fill(world.context, world.member.customer_id, *PINS)
    code = await approved(browser, await asked_page(browser, world, "PIN1"))
    token = str((await world.exchange(browser, code)).json()["access_token"])
    listed = await browser.get("/app/account/applications")
    await browser.submit(listed, {}, action="/disconnect")
    assert await world.introspect(browser, token) == {"active": False}
    # Connected again without details, it is like any other.
    answer = await world.exchange(browser, await world.code(browser))
    assert DETAILS not in answer.json()
    assert await told(browser, world, answer.json()["access_token"]) is None


async def test_strict_application_is_told_at_each_refresh(browser: Browser, context: Context) -> None:
    """O-158 (strict): by how the connection stands then, and not where a token reads no machine."""
    strict = await Strict.register(context, scope=("account:read", "aemp:read"))
    await fill(context, strict.member.customer_id, *PINS)
    page = await strict.consent_page(
        browser, scope="account:read aemp:read", authorization_details=asking("PIN1", "PIN2")
    )
    answer = await strict.exchange(browser, await approved(browser, page))
    assert answer.json()[DETAILS] == granted("PIN1", "PIN2")
    pair = pair_of(answer)
    for token in pair:
        assert await told(browser, strict, token) == granted("PIN1", "PIN2")
    fields = await fields_of(context, strict.member.customer_id)
    await change(browser, strict, {fields["PIN1"]: ""})
    refreshed = await strict.refresh(browser, pair.refresh)
    assert refreshed.json()[DETAILS] == granted("PIN2")
    assert await told(browser, strict, pair_of(refreshed).access) == granted("PIN2")
    account = await strict.refresh(browser, pair_of(refreshed).refresh, scope="account:read")
    assert DETAILS not in account.json()
    assert await told(browser, strict, pair_of(account).access) is None


async def test_store_that_is_down_costs_no_refresh_token(
    browser: Browser, context: Context, services: Services
) -> None:
    """R-4, O-158 (strict): an answer that cannot say what was granted leaves it out, and introspection waits for it."""
    strict = await Strict.register(context)
    await fill(context, strict.member.customer_id, *PINS)
    page = await strict.consent_page(browser, authorization_details=asking("PIN1"))
    pair = pair_of(await strict.exchange(browser, await approved(browser, page)))
    async with unreachable_database() as database, Browser(services.like(database=database)) as other:
        refreshed = await strict.refresh(other, pair.refresh)
        assert DETAILS not in refreshed.json()
        asked = await other.http.post(
            "/app/oauth2/introspect", data={**strict.credentials, "token": pair_of(refreshed).access}
        )
        assert (asked.status_code, error_of(asked, 503)) == (503, "temporarily_unavailable")
    again = await strict.refresh(browser, pair_of(refreshed).refresh)
    assert again.json()[DETAILS] == granted("PIN1")


async def test_refresh_of_an_application_that_did_not_ask_says_nothing(
    browser: Browser, context: Context
) -> None:
    """O-158 (strict)"""
    strict = await Strict.register(context)
    pair = await strict.pair(browser)
    assert DETAILS not in (await strict.refresh(browser, pair.refresh)).json()


async def test_many_machines_are_counted_and_not_listed(browser: Browser, world: World) -> None:
    """R-76, O-158: no answer grows with the fleet."""
    await fill(world.context, world.member.customer_id, *(f"P{each:03}" for each in range(101)))
    page = await asked_page(browser, world, *(f"P{each:03}" for each in range(101)))
    answer = await world.exchange(browser, await approved(browser, page))
    assert answer.json()[DETAILS] == granted(machine_count=101)
    token = str(answer.json()["access_token"])
    assert await told(browser, world, token) == granted(machine_count=101)
    again = await asked_page(browser, world)
    code = await approved(browser, again, **{ticked(again)[-1]: ""})
    listed = (await world.exchange(browser, code)).json()[DETAILS]
    assert listed == granted(*(f"P{each:03}" for each in range(100)))


@pytest.mark.parametrize("grant", ["authorization_code", "refresh_token", "client_credentials"])
async def test_token_endpoint_takes_no_details(browser: Browser, context: Context, grant: str) -> None:
    """O-157: refused before a code or a refresh token is spent, and after the application is known."""
    every = ("authorization_code", "refresh_token", "client_credentials")
    strict = await Strict.register(context, grants=every)
    spent = {
        "authorization_code": {"code": mint("ac", "s", 1).text},
        "refresh_token": {"refresh_token": mint("rt", "s", 1).text},
    }.get(grant, {})
    asked = {"grant_type": grant, **spent, DETAILS: asking("PIN1")}
    refused = await strict.ask(browser, **asked)
    assert (refused.status_code, error_of(refused)) == (400, "invalid_authorization_details")
    stranger = await strict.ask(browser, **{**asked, "client_secret": "wrong"})
    assert (stranger.status_code, error_of(stranger, 401)) == (401, "invalid_client")


async def test_refused_details_spend_nothing(browser: Browser, context: Context) -> None:
    """O-157 (strict)"""
    strict = await Strict.register(context)
    code = await strict.code(browser)
    refused = await strict.exchange(browser, code, authorization_details=asking("PIN1"))
    assert error_of(refused) == "invalid_authorization_details"
    pair = pair_of(await strict.exchange(browser, code))
    refused = await strict.refresh(browser, pair.refresh, authorization_details="[]")
    assert error_of(refused) == "invalid_authorization_details"
    assert (await strict.refresh(browser, pair.refresh)).status_code == 200


async def test_signed_introspection_tells_the_same(browser: Browser, world: World) -> None:
    """O-152, O-158."""
    await fill(world.context, world.member.customer_id, *PINS)
    code = await approved(browser, await asked_page(browser, world, "PIN1"))
    token = str((await world.exchange(browser, code)).json()["access_token"])
    signed = await browser.http.post(
        "/app/oauth2/introspect",
        data={"client_id": world.client_id, "client_secret": world.client_secret, "token": token},
        headers={"Accept": "application/token-introspection+jwt"},
    )
    claims = orjson.loads(_payload(signed.text))
    assert claims["token_introspection"][DETAILS] == granted("PIN1")


def _payload(jwt: str) -> bytes:
    part = jwt.split(".")[1]
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))
