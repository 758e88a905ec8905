"""Refreshing when things go wrong in the middle: lost replies, refused statements, rivals in one batch, odd clocks."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from app.context import Context
from app.flows.check_token import check_refresh_token, check_token
from app.flows.issue_token import issue_token
from app.flows.issued_token import IssuedToken
from app.oauth.errors import OAuthError
from app.oauth.request import Credentials, TokenRequest
from app.oauth.token_string import TokenString, mint, parse, secret_digest
from app.storage.errors import StatementRefusedError, StoreUnavailableError
from app.storage.grants import select_grants
from app.storage.refresh_tokens import Rotation, insert_successors, select_refresh_tokens
from tests.approvals import waiting_code
from tests.conftest import make_database
from tests.people import VERIFIER, Strict
from tests.stores import context_through_proxy, gathered_on

HOUR, MONTH = timedelta(hours=1), timedelta(days=30)
HERE = "127.0.0.1"


def asked(strict: Strict, **changes: str) -> TokenRequest:
    secret = secret_digest(strict.client_secret)
    nothing = dict.fromkeys(("code", "redirect_uri", "code_verifier", "refresh_token", "scope", "resource"))
    credentials = Credentials(strict.client_id, secret, "client_secret_post")
    return TokenRequest(**{"grant_type": "refresh_token", "credentials": credentials, **nothing, **changes})  # type: ignore[arg-type]  # each by its name


async def begin(strict: Strict) -> IssuedToken:
    """A family of one token, from a code as a consent page leaves it."""
    code = await waiting_code(strict)
    redeemed = asked(strict, grant_type="authorization_code", code=code.text, code_verifier=VERIFIER)
    return await issue_token(strict.context, redeemed, HERE)


async def refresh(context: Context, strict: Strict, token: str) -> IssuedToken:
    return await issue_token(context, asked(strict, refresh_token=token), HERE)


def token_in(text: str | None) -> TokenString:
    token = parse(text or "")
    assert token is not None
    return token


def rotation_of(strict: Strict, token: TokenString) -> Rotation:
    successor, access = mint("rt", "s", token.bucket), mint("at", "s", token.bucket)
    return Rotation(
        token.id,
        token.digest,
        strict.registered.client.id,
        successor_id=successor.id,
        successor_digest=successor.digest,
        token_id=access.id,
        token_digest=access.digest,
        scope=None,
        resource=None,
    )


async def rotate(context: Context, *rotations: Rotation) -> set[object]:
    audience = context.policy.audience
    return set(
        await insert_successors(context.database, rotations, audience=audience, access_life=HOUR, idle=MONTH)
    )


async def tokens_of(context: Context, grant_of: TokenString) -> tuple[int, int]:
    """How many refresh tokens and access tokens its grant has."""
    row = await context.database.row(
        "SELECT (SELECT count(*) FROM refresh_token WHERE grant_id = t.grant_id) AS refresh, "
        "(SELECT count(*) FROM strict_token WHERE grant_id = t.grant_id) AS access FROM refresh_token t WHERE id = $1",
        grant_of.id,
    )
    assert row is not None
    return row["refresh"], row["access"]


@pytest.fixture
async def strict(context: Context) -> Strict:
    return await Strict.register(context)


@pytest.fixture
async def first(strict: Strict) -> TokenString:
    return token_in((await begin(strict)).refresh_token)


async def test_of_rivals_in_one_batch_one_wins(strict: Strict, first: TokenString) -> None:
    """R-11: the same statement holds all of them, and the row names one successor."""
    rivals = [rotation_of(strict, first) for _ in range(20)]
    won = await rotate(strict.context, *rivals)
    assert len(won) == 1
    found = await select_refresh_tokens(strict.context.database, [first.id], audience="x")
    [winner] = [each for each in rivals if each.token_id in won]
    assert found[first.id].successor_id == winner.successor_id
    assert await tokens_of(strict.context, first) == (2, 2)


async def test_a_forger_in_the_same_batch_takes_nobodys_turn(strict: Strict, first: TokenString) -> None:
    """Whoever knows an id, which is no secret, must not make its owner lose; nor may another application."""
    own = rotation_of(strict, first)
    forged = replace(rotation_of(strict, first), digest=bytes(32))
    stranger = replace(rotation_of(strict, first), application_id=first.id)
    too_wide = replace(rotation_of(strict, first), scope="fleet:write")
    assert await rotate(strict.context, forged, stranger, too_wide, own) == {own.token_id}


async def test_batches_of_two_processes_that_overlap_never_deadlock(strict: Strict) -> None:
    """R-93: rows are taken in the order of their ids, whichever order they were asked in."""
    tokens = [token_in((await begin(strict)).refresh_token) for _ in range(10)]
    one = [rotation_of(strict, each) for each in tokens]
    other = [rotation_of(strict, each) for each in reversed(tokens)]
    won = await asyncio.gather(rotate(strict.context, *one), rotate(strict.context, *other))
    assert len(won[0]) + len(won[1]) == 10
    for token in tokens:
        assert await tokens_of(strict.context, token) == (2, 2)


async def test_a_batch_of_many_families_is_one_commit_and_all_win(strict: Strict) -> None:
    tokens = [token_in((await begin(strict)).refresh_token) for _ in range(20)]
    rotations = [rotation_of(strict, each) for each in tokens]
    assert await rotate(strict.context, *rotations) == {each.token_id for each in rotations}


async def test_a_lost_reply_to_the_commit_still_gives_the_pair(
    strict: Strict, first: TokenString, database_url: str
) -> None:
    """R-4: sent again with the same ids it finds its own successor named, which is no reuse."""
    async with context_through_proxy(strict.context, database_url) as (context, proxy):
        await refresh(context, strict, (await begin(strict)).refresh_token or "")
        code = await begin(strict)
        token = token_in(code.refresh_token)
        proxy.lose_reply(to=token.id.bytes)
        issued = await refresh(context, strict, code.refresh_token or "")
    assert await check_token(strict.context, parse(issued.text), HERE) is not None
    assert await check_refresh_token(strict.context, parse(issued.refresh_token or ""), HERE) is not None
    assert await tokens_of(strict.context, token) == (2, 2)
    assert await tokens_of(strict.context, first) == (1, 1)
