"""The manual route: what an operator may issue, whose it is, and how it ends."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from app.context import Context
from app.flows.account.add_operator import OperatorError, add_operator, find_operator
from app.flows.account.change_application import ApplicationError, change_application, change_status
from app.flows.account.change_customer import disable_customer
from app.flows.account.register_application import register_application
from app.flows.approval.manual_grant import ManualGrantError, ManualRequest, ManualToken, issue_manually
from app.flows.token.revoke_token import revoke_any_token
from app.oauth.actor import COMMAND_LINE, Actor, ActorKind
from app.oauth.token_string import parse
from app.refused import RefusedError
from app.storage.people.application_changes import ApplicationChanges
from app.storage.people.people import Person
from tests.support.browser import Browser
from tests.support.people import PASSWORD, World

CONNECTIONS = "/app/account/applications"


@pytest.fixture
async def operator(context: Context, world: World) -> Person:
    return await add_operator(
        context,
        COMMAND_LINE,
        email=f"olga.{world.member.id.hex}@rovitracker.example",
        name="Olga Reyes",
        role="reviewer",
        password=PASSWORD,
    )


@pytest.fixture
def issuer(operator: Person) -> Actor:
    return Actor("operator", operator.id)


@pytest.fixture
def asked(world: World) -> ManualRequest:
    return ManualRequest(world.client_id, world.member.email, "Confirmed by phone, case 4711")


ROWS_ABOUT = """\
SELECT (SELECT count(*) FROM authorization_grant WHERE application_id = $1::uuid) AS grants,
       (SELECT count(*) FROM classic_token WHERE application_id = $1::uuid) AS tokens"""


async def rows_about(context: Context, asked: ManualRequest) -> tuple[int, int]:
    """Grants and classic tokens of the application that was asked for."""
    [row] = await context.database.rows(ROWS_ABOUT, asked.client_id)
    return row["grants"], row["tokens"]


async def events_of(context: Context, world: World) -> list[dict[str, Any]]:
    rows = await context.database.rows(
        "SELECT to_json(e)::text AS event FROM audit_event e WHERE application_id = $1::uuid ORDER BY id",
        world.client_id,
    )
    return [orjson.loads(row["event"]) for row in rows]


async def test_token_opens_the_customers_machines_until_it_is_revoked(
    context: Context, browser: Browser, world: World, issuer: Actor, asked: ManualRequest
) -> None:
    """O-143, R-19: like a token from a code, on the customer's list too."""
    issued = await issue_manually(context, issuer, asked)
    token = parse(issued.text)
    assert token is not None
    assert token.token_class == "c"
    described = await world.introspect(browser, issued.text)
    assert described["sub"] == world.client_id
    assert described["account"] == {
        "id": str(world.member.customer_id),
        "name": world.member.customer_name,
    }
    fleet = await browser.get("/api/v2/Fleet/1", Authorization=f"Bearer {issued.text}")
    assert fleet.status_code == 200
    page = await browser.sign_in(await browser.get("/app/login"), world.member.email, PASSWORD)
    assert "Sitewise" in page.text
    assert await revoke_any_token(context, COMMAND_LINE, issued.text)
    assert await world.introspect(browser, issued.text) == {"active": False}


async def test_customer_can_end_it_like_any_other(
    context: Context, browser: Browser, world: World, issuer: Actor, asked: ManualRequest
) -> None:
    """O-143: one by one, by the customer it concerns."""
    issued = await issue_manually(context, issuer, asked)
    page = await browser.sign_in(await browser.get(CONNECTIONS), world.member.email, PASSWORD)
    await browser.submit(page, {}, action=f"{CONNECTIONS}/disconnect")
    assert await world.introspect(browser, issued.text) == {"active": False}


async def test_audit_names_operator_customer_and_reason_and_not_the_token(
    context: Context, world: World, operator: Person, issuer: Actor, asked: ManualRequest
) -> None:
    """O-143."""
    issued = await issue_manually(context, issuer, replace(asked, reason="  Confirmed by phone, case 4711 "))
    event = (await events_of(context, world))[-1]
    assert event["event"] == "token.issued_manually"
    assert event["actor_id"] == str(operator.id)
    assert event["customer_id"] == str(world.member.customer_id)
    assert event["detail"]["reason"] == "Confirmed by phone, case 4711"
    assert issued.text not in orjson.dumps(event).decode()


async def test_its_end_is_the_one_that_was_asked_for(
    context: Context, browser: Browser, world: World, issuer: Actor, asked: ManualRequest
) -> None:
    """O-143: absolute, whether it is used or not; without it that of every classic token."""

    async def life_of(issued: ManualToken) -> int:
        described = await world.introspect(browser, issued.text)
        exp, iat = described["exp"], described["iat"]
        assert isinstance(exp, int)
        assert isinstance(iat, int)
        return exp - iat

    assert (
        await life_of(await issue_manually(context, issuer, replace(asked, expires_in=timedelta(days=30))))
        == 2_592_000
    )
    assert await life_of(await issue_manually(context, issuer, asked)) == 365 * 86_400


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"reason": ""}, "reason"),
        ({"reason": "   "}, "reason"),
        ({"reason": "x" * 501}, "1 to 500"),
        ({"reason": "one\nline, then a forged one"}, "printable"),
        ({"reason": "\x1b[2Jgone"}, "printable"),
        ({"expires_in": timedelta(0)}, "at least a second"),
        ({"expires_in": timedelta(seconds=-1)}, "at least a second"),
        ({"expires_in": timedelta(days=1096)}, "1095 days at most"),
        ({"scope": "aemp:write"}, "aemp:read"),
        ({"scope": 'aemp:"'}, "malformed"),
        ({"client_id": "nobody"}, "no application has the client_id nobody"),
        ({"customer_email": "nobody@nowhere.example"}, "nobody signs in with nobody@nowhere.example"),
    ],
    ids=lambda value: "" if isinstance(value, dict) else value,
)
async def test_what_is_refused_stores_nothing(
    changes: dict[str, Any], told: str, context: Context, issuer: Actor, asked: ManualRequest
) -> None:
    with pytest.raises(RefusedError, match=told):
        await issue_manually(context, issuer, replace(asked, **changes))
    assert await rows_about(context, asked) == (0, 0)


@pytest.mark.parametrize("kind", ["customer", "application", "command line", "service"])
async def test_only_an_operator_issues_by_hand(
    kind: ActorKind, context: Context, operator: Person, asked: ManualRequest
) -> None:
    """The kind is what was proved, so no id makes up for it."""
    with pytest.raises(ManualGrantError, match="only an operator"):
        await issue_manually(context, Actor(kind, operator.id), asked)
    assert await rows_about(context, asked) == (0, 0)


async def test_a_customer_is_no_operator(context: Context, world: World) -> None:
    for email in (world.member.email, "nobody@nowhere.example"):
        with pytest.raises(OperatorError, match=f"{email} is no operator"):
            await find_operator(context, email)


@pytest.mark.parametrize("party", ["application", "customer", "operator"])
async def test_a_party_that_does_not_stand_gets_no_token(
    party: str, context: Context, world: World, issuer: Actor, asked: ManualRequest
) -> None:
    """Judged by the statement that would store it, whatever was read before."""
    if party == "application":
        await change_status(context, COMMAND_LINE, world.client_id, "suspend")
    elif party == "customer":
        await disable_customer(context, COMMAND_LINE, world.member.email)
    else:
        await context.database.count(
            "UPDATE operator SET disabled_at = clock_timestamp() WHERE person_id = $1", issuer.id
        )
    with pytest.raises(ApplicationError):
        await issue_manually(context, issuer, asked)
    assert await rows_about(context, asked) == (0, 0)


async def test_scope_is_no_wider_than_the_applications(
    context: Context, issuer: Actor, asked: ManualRequest
) -> None:
    """The default stands for what every application may ask for."""
    other = await register_application(context, COMMAND_LINE, name="Other", company="Other Ltd")
    issued = await issue_manually(context, issuer, replace(asked, client_id=str(other.client.id)))
    assert issued.scope == "aemp:read"


async def test_an_application_in_test_mode_gets_no_real_customer(
    context: Context, world: World, issuer: Actor, asked: ManualRequest
) -> None:
    """Neither by hand, nor as the customer it acts for by itself: the connection would not begin."""
    tested = await register_application(
        context, COMMAND_LINE, name="Sitewise", company="Sitewise Ltd", owner_id=world.member.id
    )
    own = replace(asked, client_id=tested.client.client_id)
    with pytest.raises(ManualGrantError, match="test mode"):
        await issue_manually(context, issuer, own)
    assert await rows_about(context, own) == (0, 0)
    with pytest.raises(ApplicationError, match="test mode"):
        await change_application(
            context,
            COMMAND_LINE,
            tested.client.client_id,
            ApplicationChanges(
                grants=frozenset({"client_credentials"}), customer_id=world.member.customer_id
            ),
        )
