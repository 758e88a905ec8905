"""Refreshing when things go wrong in the middle: lost replies, refused statements, rivals in one batch, odd clocks."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from app.context import Context
from app.flows.token import refresh_token
from app.flows.token.issue_token import issue_token
from app.oauth.errors import OAuthError
from app.oauth.token_string import TokenString, compose, mint
from app.storage.errors import StatementRefusedError, StoreUnavailableError
from app.storage.postgres.connections import Timeouts
from app.storage.postgres.database import open_database
from app.storage.token.grants import select_grants
from app.storage.token.refresh_tokens import Rotation, insert_successors, select_refresh_tokens
from tests.conftest import make_database
from tests.support.approvals import waiting_code
from tests.support.families import HERE, alive, asked, begin, read, refresh
from tests.support.people import Pair, Strict
from tests.support.stores import context_through_proxy, gathered_on

HOUR, MONTH = timedelta(hours=1), timedelta(days=30)


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
    database, policy = context.database, context.policy
    made = await insert_successors(database, rotations, audience=policy.audience, lifetimes=policy.lifetimes)
    return set(made)


TOKENS_BESIDE = """\
SELECT (SELECT count(*) FROM refresh_token WHERE grant_id = t.grant_id) AS refresh,
       (SELECT count(*) FROM strict_token WHERE grant_id = t.grant_id) AS access
FROM refresh_token t WHERE id = $1"""


async def tokens_beside(context: Context, token: TokenString) -> tuple[int, int]:
    """How many refresh tokens and access tokens its grant has."""
    [row] = await context.database.rows(TOKENS_BESIDE, token.id)
    return row["refresh"], row["access"]


@pytest.fixture
async def strict(context: Context) -> Strict:
    return await Strict.register(context)


async def test_of_rivals_in_one_batch_one_wins(context: Context, strict: Strict) -> None:
    """R-11: the same statement holds all of them, and the row names one successor."""
    token = read(await begin(context, strict))
    rivals = [rotation_of(strict, token) for _ in range(20)]
    won = await rotate(context, *rivals)
    assert len(won) == 1
    found = await select_refresh_tokens(context.database, [token.id], audience="x")
    [winner] = [each for each in rivals if each.token_id in won]
    assert found[token.id].successor_id == winner.successor_id
    assert await tokens_beside(context, token) == (2, 2)


async def test_a_forger_in_the_same_batch_takes_nobodys_turn(context: Context, strict: Strict) -> None:
    """Whoever knows an id, which is no secret, must not make its owner lose; nor may another application."""
    token = read(await begin(context, strict))
    own = rotation_of(strict, token)
    forged = rotation_of(strict, token)._replace(digest=bytes(32))
    stranger = rotation_of(strict, token)._replace(application_id=token.id)
    too_wide = rotation_of(strict, token)._replace(scope="fleet:write")
    assert await rotate(context, forged, stranger, too_wide, own) == {own.token_id}


async def test_batches_that_overlap_never_deadlock(context: Context, strict: Strict) -> None:
    """R-93: rows are taken in the order of their ids, whichever order they were asked in."""
    for _ in range(5):
        tokens = [read(await begin(context, strict)) for _ in range(10)]
        one = [rotation_of(strict, each) for each in tokens]
        other = [rotation_of(strict, each) for each in reversed(tokens)]
        won = await asyncio.gather(rotate(context, *one), rotate(context, *other))
        assert len(won[0]) + len(won[1]) == 10
        for token in tokens:
            assert await tokens_beside(context, token) == (2, 2)


async def test_a_batch_of_many_families_is_one_commit_and_all_win(context: Context, strict: Strict) -> None:
    tokens = [read(await begin(context, strict)) for _ in range(20)]
    rotations = [rotation_of(strict, each) for each in tokens]
    assert await rotate(context, *rotations) == {each.token_id for each in rotations}


async def test_a_lost_reply_to_the_commit_still_gives_the_pair(
    context: Context, strict: Strict, database_url: str
) -> None:
    """R-4: sent again with the same ids it finds its own successor named, which is no reuse."""
    token = await begin(context, strict)
    async with context_through_proxy(context, database_url) as (through, proxy):
        await refresh(through, strict, await begin(context, strict))
        proxy.lose_reply(to=read(token).id.bytes)
        pair = await refresh(through, strict, token)
    assert await alive(context, pair) == [True, True]
    assert await tokens_beside(context, read(token)) == (2, 2)


async def test_a_lost_reply_counts_as_done_before_any_end_is_judged(
    context: Context, strict: Strict, database_url: str
) -> None:
    """R-4: the standing row decides, though the token has run out between the attempt and the look."""
    token = read(await begin(context, strict))
    rotation = rotation_of(strict, token)
    assert await rotate(context, rotation) == {rotation.token_id}
    owner = await asyncpg.connect(database_url)
    past = "UPDATE refresh_token SET expires_at = now(), absolute_expires_at = now() WHERE id = $1"
    await owner.execute(past, token.id)
    await owner.close()
    assert await refresh_token._rotate(context, rotation, grace=timedelta(0), proved=True) == (
        "aemp:read",
        None,
    )


async def test_a_lost_reply_within_the_grace_still_gives_the_pair(
    context: Context, strict: Strict, database_url: str
) -> None:
    """R-4: the attempt that spends the unused successor may lose its answer as well."""
    token = await begin(context, strict)
    lost = await refresh(context, strict, token)
    async with context_through_proxy(context, database_url) as (through, proxy):
        lifetimes = replace(context.policy.lifetimes, refresh_grace=timedelta(seconds=30))
        policy = replace(context.policy, lifetimes=lifetimes)
        lenient = replace(through, policy=policy)
        await refresh(lenient, strict, await begin(context, strict))
        proxy.lose_reply(to=read(lost.refresh).digest)
        pair = await refresh(lenient, strict, token)
    assert await alive(context, pair) == [True, True]
    assert await alive(context, lost) == [True, False]
    assert await tokens_beside(context, read(token)) == (3, 3)


async def test_an_unknown_outcome_is_said_and_ends_nothing(
    context: Context, strict: Strict, database_url: str
) -> None:
    """O-64: PostgreSQL falls silent: 503, and whichever token stands then is as good as before."""
    token = await begin(context, strict)
    impatient = Timeouts(statement_s=0.2)
    async with context_through_proxy(context, database_url, timeouts=impatient) as (through, proxy):
        await refresh(through, strict, await begin(context, strict))
        proxy.fall_silent()
        with pytest.raises(StoreUnavailableError):
            await refresh(through, strict, token)
    grant = (await select_refresh_tokens(context.database, [read(token).id], audience="x"))[read(token).id]
    row = await context.database.row(
        "SELECT revoked_at FROM authorization_grant WHERE id = $1", grant.grant_id
    )
    assert row is not None
    assert row["revoked_at"] is None


@pytest.fixture(scope="module")
async def fragile(context: Context, servers: tuple[str, str], worker: int) -> AsyncIterator[Context]:
    """A service on a database of this file's own, where triggers may do harm."""
    database = await open_database(await make_database(servers[0], f"spent_{worker}"), connections=4)
    gathered = gathered_on(context, database)
    yield replace(context, database=database, gathered=gathered)
    await gathered.close()
    await database.close()


HARM = {
    "the access token": "CREATE TRIGGER harm BEFORE INSERT ON strict_token FOR EACH ROW EXECUTE FUNCTION harm()",
    "the successor": "CREATE TRIGGER harm BEFORE INSERT ON refresh_token FOR EACH ROW EXECUTE FUNCTION harm()",
    "the commit": "CREATE CONSTRAINT TRIGGER harm AFTER UPDATE ON refresh_token DEFERRABLE INITIALLY DEFERRED "
    "FOR EACH ROW EXECUTE FUNCTION harm()",
}


@pytest.mark.parametrize("sqlstate", ["23514", "40001"])
@pytest.mark.parametrize("place", HARM)
async def test_a_refused_statement_leaves_the_token_as_it_was(
    place: str, sqlstate: str, fragile: Context, servers: tuple[str, str], worker: int
) -> None:
    """R-29, R-30, R-93: spent, succeeded and issued together, or nothing of it."""
    strict = await Strict.register(fragile)
    token = await begin(fragile, strict)
    owner = await asyncpg.connect(servers[0].replace("/rovitracker?", f"/spent_{worker}?"))
    await owner.execute(
        f"CREATE OR REPLACE FUNCTION harm() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION 'harm' USING ERRCODE = '{sqlstate}'; END $$; {HARM[place]}"
    )
    try:
        with pytest.raises(StatementRefusedError):
            await refresh(fragile, strict, token)
    finally:
        await owner.execute(f"DROP TRIGGER harm ON {HARM[place].split(' ON ')[1].split()[0]}")
        await owner.close()
    assert await tokens_beside(fragile, read(token)) == (1, 1)
    assert await alive(fragile, await refresh(fragile, strict, token)) == [True, True]


@pytest.mark.parametrize("place", ["the access token", "the successor"])
async def test_a_refused_strict_redemption_gives_the_code_back(
    place: str, fragile: Context, servers: tuple[str, str], worker: int
) -> None:
    """R-29: grant, access token and refresh token stand together, or nothing of it."""
    strict = await Strict.register(fragile)
    code = await waiting_code(strict)
    request = asked(strict, "authorization_code", code=code.text)
    owner = await asyncpg.connect(servers[0].replace("/rovitracker?", f"/spent_{worker}?"))
    await owner.execute(
        "CREATE OR REPLACE FUNCTION harm() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION 'harm' USING ERRCODE = '23514'; END $$; {HARM[place]}"
    )
    try:
        with pytest.raises(StatementRefusedError):
            await issue_token(fragile, request, HERE)
    finally:
        await owner.execute(f"DROP TRIGGER harm ON {HARM[place].split(' ON ')[1].split()[0]}")
        await owner.close()
    assert await select_grants(fragile.database, [code.id]) == {}
    assert (await issue_token(fragile, request, HERE)).refresh_token


async def test_a_lost_reply_to_a_strict_redemption_still_gives_the_pair(
    context: Context, strict: Strict, database_url: str
) -> None:
    """R-4: the grant names our own first token."""
    code = await waiting_code(strict)
    async with context_through_proxy(context, database_url) as (through, proxy):
        await begin(through, strict)
        proxy.lose_reply(to=code.id.bytes)
        issued = await issue_token(through, asked(strict, "authorization_code", code=code.text), HERE)
    assert issued.refresh_token is not None
    assert await alive(context, Pair(issued.text, issued.refresh_token)) == [True, True]
    assert await tokens_beside(context, read(issued.refresh_token)) == (1, 1)


async def test_an_id_of_a_month_without_partition_is_unknown(context: Context, strict: Strict) -> None:
    """A family's partition goes after it, and its tokens are no more than a guess."""
    await begin(context, strict)
    old = compose("rt", "s", UUID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"), bytes(20))
    with pytest.raises(OAuthError, match="invalid_grant"):
        await refresh(context, strict, old.text)
