"""A token explained to those who run the service: its parties, and every reason for which it is dead."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from app.context import Context
from app.flows.account.change_application import change_status
from app.flows.account.change_customer import disable_customer
from app.flows.approval.connections import disconnect_application
from app.flows.token.explain_token import explain_token
from app.flows.token.revoke_token import revoke_any_token
from app.oauth.actor import COMMAND_LINE
from app.oauth.token_string import compose, parse
from tests.support.browser import Browser
from tests.support.families import begin, refresh
from tests.support.moving import Former
from tests.support.people import Strict, World


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    owner = await asyncpg.connect(database_url)
    yield owner
    await owner.close()


async def test_a_live_token_is_told_with_its_parties(
    world: World, browser: Browser, context: Context
) -> None:
    explained = await explain_token(context, await world.token(browser))
    assert (explained.kind, explained.reasons) == ("access token", ())
    assert explained.facts is not None
    assert explained.facts.client_id == world.client_id
    assert (explained.facts.application, explained.facts.company) == ("Sitewise", "Sitewise Rentals Ltd")
    assert (explained.facts.customer, explained.facts.scope) == ("Hillside Plant Hire", "aemp:read")


async def test_a_dead_token_is_told_with_every_reason(
    world: World, browser: Browser, context: Context, owner: asyncpg.Connection
) -> None:
    text = await world.token(browser)
    token = parse(text)
    assert token is not None
    await revoke_any_token(context, COMMAND_LINE, text)
    await disconnect_application(context, COMMAND_LINE, world.member.customer_id, world.registered.client.id)
    await change_status(context, COMMAND_LINE, world.client_id, "suspend")
    await disable_customer(context, COMMAND_LINE, world.member.email)
    for statement in (
        "UPDATE classic_token SET expires_at = '2026-05-04T12:00:00Z' WHERE id = $1",
        "UPDATE authorization_grant SET revoked_at = '2026-05-05T12:00:00Z' WHERE first_token_id = $1",
    ):
        await owner.execute(statement, token.id)
    explained = await explain_token(context, text)
    told = (
        "it was revoked at 20",
        "all tokens of its approval were revoked at 2026-05-05T12:00:00Z",
        "the customer's connection to the application was ended at 20",
        "it expired at 2026-05-04T12:00:00Z",
        "its application is suspended",
        "its customer is disabled since 20",
    )
    assert len(explained.reasons) == len(told)
    assert all(reason.startswith(text) for reason, text in zip(explained.reasons, told, strict=True))
    assert explained.facts is not None
    assert explained.facts.customer == "Hillside Plant Hire"


async def test_a_spent_refresh_token_and_a_short_lived_one_are_told(context: Context) -> None:
    strict = await Strict.register(context)
    first = await begin(context, strict)
    pair = await refresh(context, strict, first)
    spent = await explain_token(context, first)
    assert spent.kind == "refresh token"
    assert spent.reasons == ("it was spent: its application has the refresh token that came in its place",)
    for text in pair:
        assert (await explain_token(context, text)).reasons == ()


async def test_what_is_no_token_of_ours_is_told_apart(
    world: World, browser: Browser, context: Context
) -> None:
    """A right id with a wrong secret tells nothing of the token that has it."""
    code = await world.code(browser)
    text = await world.token(browser)
    token = parse(text)
    assert token is not None
    for unverified, told in {
        "rubbish": "its check digits do not fit",
        text[:-1]: "its check digits do not fit",
        code: "it is an authorization code",
        compose("at", "c", token.id, bytes(20)).text: "nobody was issued it here",
    }.items():
        explained = await explain_token(context, unverified)
        assert explained.facts is None
        [reason] = explained.reasons
        assert told in reason


async def test_an_imported_token_is_told_whether_such_tokens_are_accepted(context: Context) -> None:
    former = await Former.make(context, token="imported-" + uuid4().hex)
    tomorrow, past = context.now() + timedelta(days=1), datetime(2026, 5, 6, tzinfo=UTC)
    for until, told in (
        (None, ("tokens of a former system are accepted only where ROVITRACKER_LEGACY_TOKENS_UNTIL is set",)),
        (tomorrow, ()),
        (past, ("all tokens of the former system ended at 2026-05-06T00:00:00Z",)),
    ):
        asked = replace(context, policy=replace(context.policy, legacy_tokens_until=until))
        explained = await explain_token(asked, former.token)
        assert (explained.kind, explained.reasons) == ("access token of a former system", told)
        assert explained.facts is not None
        assert explained.facts.client_id == former.client_id
