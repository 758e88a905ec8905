"""The client credentials grant on the wire (RFC 6749 section 4.4): what an application gets by its secret alone."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from app.context import Context
from app.flows.account.change_application import change_application, change_status, rotate_secret
from app.flows.account.change_customer import disable_customer, enable_customer
from app.flows.account.register_application import RegisteredApplication, register_application
from app.flows.approval.connections import disconnect_application, list_connections
from app.flows.fleet.import_fleet import import_machines
from app.flows.token.explain_token import explain_token
from app.oauth.actor import COMMAND_LINE
from app.oauth.token_string import bucket_of, mint_client_secret, parse
from app.simulation.fleet import simulate_fleet
from app.storage.people.application_changes import ApplicationChanges
from app.throttling.budgets import Budgets
from tests.support.browser import Browser
from tests.support.families import read
from tests.support.people import World
from tests.support.references import without_reference
from tests.support.refusals import error_of
from tests.web.services import Services, unreachable_database

TOKEN = "/app/oauth2/token"
INTROSPECT = "/app/oauth2/introspect"
FLEET = "/api/v2/Fleet/1"


async def register_robot(context: Context, **options: Any) -> RegisteredApplication:
    return await register_application(
        context,
        COMMAND_LINE,
        name="Robot",
        company="Sitewise Ltd",
        **{"grants": ("client_credentials",), **options},
    )


@pytest.fixture
async def robot(context: Context, world: World) -> RegisteredApplication:
    """One that acts for the test's customer, who has three machines."""
    machines = tuple(simulate_fleet(machines=3, days=1, interval_s=3600, seed=5, now=context.now()))
    await import_machines(context, world.member.customer_id, machines)
    return await register_robot(context, customer_id=world.member.customer_id)


def credentials(registered: RegisteredApplication) -> dict[str, str]:
    assert registered.client_secret is not None
    return {"client_id": str(registered.client.id), "client_secret": registered.client_secret}


async def ask(browser: Browser, registered: RegisteredApplication, **changes: str) -> httpx2.Response:
    fields = {"grant_type": "client_credentials", **credentials(registered), **changes}
    return await browser.http.post(TOKEN, data=fields)


async def token_of(browser: Browser, registered: RegisteredApplication) -> str:
    answer = await ask(browser, registered)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


async def introspect(browser: Browser, registered: RegisteredApplication, token: str) -> dict[str, Any]:
    answer = await browser.http.post(INTROSPECT, data={**credentials(registered), "token": token})
    document: dict[str, Any] = answer.json()
    return document


@pytest.mark.parametrize("kind", ["classic", "strict"])
async def test_answer_is_a_token_of_an_hour_without_a_refresh_token(
    kind: str, browser: Browser, context: Context
) -> None:
    """O-55 (strict), O-59, O-75 (strict): for both kinds of application; the class letter says that it never lives longer."""
    answer = await ask(browser, await register_robot(context, kind=kind))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    document = answer.json()
    assert set(document) == {"access_token", "token_type", "type", "expires_in", "scope"}
    assert document["token_type"] == document["type"] == "Bearer"
    assert (document["expires_in"], document["scope"]) == (3600, "aemp:read")
    token = parse(document["access_token"])
    assert token is not None
    assert (token.kind, token.token_class) == ("at", "s")


async def test_token_acts_for_the_applications_customer(
    browser: Browser, world: World, robot: RegisteredApplication
) -> None:
    text = await token_of(browser, robot)
    described = await introspect(browser, robot, text)
    assert described["sub"] == str(robot.client.id)
    assert described["account"]["id"] == str(world.member.customer_id)
    assert described["client_id"] == str(robot.client.id)
    assert described["exp"] - described["iat"] == 3600
    fleet = await browser.get(FLEET, Authorization=f"Bearer {text}", Accept="application/json")
    assert fleet.status_code == 200
    assert len(fleet.json()["Equipment"]) == 3


async def test_token_of_nobodys_application_names_the_application_and_opens_no_fleet(
    browser: Browser, context: Context
) -> None:
    """O-104, O-141: its subject can be taken for no customer."""
    registered = await register_robot(context)
    text = await token_of(browser, registered)
    assert (await introspect(browser, registered, text))["sub"] == str(registered.client.id)
    fleet = await browser.get(FLEET, Authorization=f"Bearer {text}", Accept="application/json")
    assert fleet.status_code == 403, fleet.text


async def test_tokens_lie_with_their_owner_and_anywhere_once_they_are_distributed(
    browser: Browser, context: Context, world: World, robot: RegisteredApplication
) -> None:
    nobodys = await register_robot(context)
    for registered, owner in ((robot, world.member.customer_id), (nobodys, nobodys.client.id)):
        buckets = {read(await token_of(browser, registered)).bucket for _ in range(6)}
        assert (buckets == {bucket_of(owner)}) is not context.policy.distributed


async def test_wrong_credentials_get_no_token(browser: Browser, robot: RegisteredApplication) -> None:
    """O-44, O-45, O-59: whatever is wrong about them, the answer is the same."""
    answers = [
        await ask(browser, robot, client_secret=mint_client_secret()),
        await ask(browser, robot, client_secret=""),
        await ask(browser, robot, client_id="01900000-0000-7000-8000-000000000000"),
    ]
    assert {error_of(answer, 401) for answer in answers} == {"invalid_client"}
    assert len({without_reference(answer) for answer in answers}) == 1


async def test_application_without_the_grant_is_told_so(browser: Browser, world: World) -> None:
    """O-41: the right secret, but not registered for it."""
    assert error_of(await ask(browser, world.registered)) == "unauthorized_client"


async def test_public_application_gets_no_token_by_its_id(browser: Browser, context: Context) -> None:
    """O-59: registering refuses it, and were the grant in the row nevertheless, the endpoint does."""
    registered = await register_application(
        context, COMMAND_LINE, name="Phone", company="Sitewise Ltd", public=True
    )
    await context.database.count(
        "UPDATE application SET grants = '{client_credentials}' WHERE id = $1", registered.client.id
    )
    fields = {"grant_type": "client_credentials", "client_id": str(registered.client.id)}
    assert error_of(await browser.http.post(TOKEN, data=fields)) == "unauthorized_client"


@pytest.mark.parametrize("scope", ["aemp:write", "aemp:read aemp:write", "AEMP:READ", 'aemp:"', " ", "a  b"])
async def test_scope_beyond_what_was_registered_is_refused(
    scope: str, browser: Browser, robot: RegisteredApplication
) -> None:
    """O-18, O-19."""
    assert error_of(await ask(browser, robot, scope=scope)) == "invalid_scope"


async def test_resource_is_ours_or_nobodys(browser: Browser, robot: RegisteredApplication) -> None:
    """O-154."""
    answer = await ask(browser, robot, resource="http://localhost:8000/api")
    told = await introspect(browser, robot, answer.json()["access_token"])
    assert told["aud"] == "http://localhost:8000/api"
    assert error_of(await ask(browser, robot, resource="https://elsewhere.example/api")) == "invalid_target"


async def test_grant_has_to_be_named(browser: Browser, robot: RegisteredApplication) -> None:
    """O-39 (classic): without a code an absent grant type means nothing."""
    assert error_of(await ask(browser, robot, grant_type="")) == "invalid_request"


async def test_a_customer_cuts_what_the_application_does_by_itself_until_somebody_approves_anew(
    browser: Browser, context: Context, world: World, robot: RegisteredApplication
) -> None:
    """R-19: it stands on the list, the cut ends its token and every later one, and the operator's word is an approval."""
    customer_id = world.member.customer_id
    token = await token_of(browser, robot)
    assert [each.application.client.id for each in await list_connections(context, customer_id)] == [
        robot.client.id
    ]
    await disconnect_application(context, world.member.actor, customer_id, robot.client.id)
    assert (await introspect(browser, robot, token))["active"] is False
    assert error_of(await ask(browser, robot)) == "unauthorized_client"
    assert await list_connections(context, customer_id) == ()
    changes = ApplicationChanges(customer_id=customer_id)
    await change_application(context, COMMAND_LINE, str(robot.client.id), changes)
    assert (await introspect(browser, robot, await token_of(browser, robot)))["active"] is True
    assert (await introspect(browser, robot, token))["active"] is False


async def test_a_connection_that_ended_gives_no_token_and_its_tokens_end_with_it(
    browser: Browser, context: Context, world: World, robot: RegisteredApplication
) -> None:
    """To the second, remembered or not; a token says no later end than its connection's."""
    token = await token_of(browser, robot)
    assert (await introspect(browser, robot, token))["active"] is True
    ends_at = context.now() + timedelta(seconds=1.5)
    await context.database.count(
        "UPDATE connection SET ends_at = $3 WHERE customer_id = $1 AND application_id = $2",
        world.member.customer_id,
        robot.client.id,
        ends_at,
    )
    context.changes.note((world.member.customer_id, robot.client.id))
    described = await introspect(browser, robot, token)
    assert described["exp"] == int(ends_at.timestamp())
    await asyncio.sleep(1.5)
    assert (await introspect(browser, robot, token))["active"] is False
    assert error_of(await ask(browser, robot)) == "unauthorized_client"
    explained = await explain_token(context, token)
    assert [reason[:40] for reason in explained.reasons] == ["the customer shared their machines until"]


async def test_suspended_application_gets_none_and_its_tokens_sleep(
    browser: Browser, context: Context, robot: RegisteredApplication
) -> None:
    token = await token_of(browser, robot)
    client_id = str(robot.client.id)
    await change_status(context, COMMAND_LINE, client_id, "suspend")
    assert error_of(await ask(browser, robot)) == "unauthorized_client"
    assert await introspect(browser, robot, token) == {"active": False}
    await change_status(context, COMMAND_LINE, client_id, "resume")
    assert (await introspect(browser, robot, token))["active"] is True
    await change_status(context, COMMAND_LINE, client_id, "delete")
    assert error_of(await ask(browser, robot), 401) == "invalid_client"


async def test_disabled_customers_application_gets_none_and_its_tokens_sleep(
    browser: Browser, context: Context, world: World, robot: RegisteredApplication
) -> None:
    token = await token_of(browser, robot)
    await disable_customer(context, COMMAND_LINE, world.member.email)
    assert error_of(await ask(browser, robot)) == "unauthorized_client"
    assert await introspect(browser, robot, token) == {"active": False}
    await enable_customer(context, COMMAND_LINE, world.member.email)
    assert (await introspect(browser, robot, token))["active"] is True


async def test_both_secrets_are_right_while_a_rotation_overlaps(
    browser: Browser, context: Context, robot: RegisteredApplication
) -> None:
    new = await rotate_secret(context, COMMAND_LINE, str(robot.client.id), timedelta(days=7))
    assert (await ask(browser, robot)).status_code == 200
    assert (await ask(browser, robot, client_secret=new)).status_code == 200
    other = await register_robot(context)
    await rotate_secret(context, COMMAND_LINE, str(other.client.id), timedelta(0))
    assert error_of(await ask(browser, other), 401) == "invalid_client"


async def test_without_postgresql_nothing_is_issued_or_denied(
    services: Services, robot: RegisteredApplication
) -> None:
    """O-64: the application is known already, and its token could not be remembered."""
    async with unreachable_database() as database:
        gathered = services.gathered(database)
        known = replace(gathered, applications=services.context.gathered.applications)
        async with Browser(services.like(gathered=known)) as browser:
            answer = await ask(browser, robot)
    assert error_of(answer, 503) == "temporarily_unavailable"
    assert answer.headers["retry-after"]


async def test_every_token_of_an_application_takes_from_one_budget(
    services: Services, robot: RegisteredApplication
) -> None:
    """It can have as many as it asks for."""
    async with Browser(services.like(budgets=Budgets(a_minute=1))) as browser:
        tokens = [await token_of(browser, robot) for _ in range(2)]
        answers = [await browser.get(FLEET, Authorization=f"Bearer {token}") for token in tokens]
    assert [answer.status_code for answer in answers] == [200, 429]
