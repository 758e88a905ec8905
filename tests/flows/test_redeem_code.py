"""Redeeming when things go wrong in the middle: lost replies, refused statements, two redeemers in one batch."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import asyncpg
import pytest

from app.context import Context
from app.flows.token.check_token import check_token
from app.flows.token.issue_token import issue_token
from app.oauth.errors import OAuthError
from app.oauth.request import Credentials, TokenRequest
from app.oauth.token_string import TokenString, bucket_of, compose, mint, parse, secret_digest
from app.storage.errors import StatementRefusedError, StoreUnavailableError
from app.storage.postgres.database import open_database
from app.storage.token.codes import Approval, keys_of, read_code
from app.storage.token.grants import Redemption, insert_grants_with_classic_tokens, select_grants
from app.storage.valkey.valkey import Valkey
from tests.conftest import make_database
from tests.support.approvals import approval_for, waiting_code
from tests.support.people import World
from tests.support.proxy import Proxy, proxy_to
from tests.support.stores import context_through_proxy, gathered_on, valkey_socket
from tests.web.services import unreachable_database


def redemption_of(approval: Approval) -> Redemption:
    token = mint("at", "c", bucket_of(approval.customer_id))
    return Redemption.of(approval, token)


async def insert(world: World, *redemptions: Redemption) -> frozenset[object]:
    context = world.context
    lifetimes = context.policy.lifetimes
    return frozenset(
        await insert_grants_with_classic_tokens(context.database, redemptions, lifetimes=lifetimes)
    )


async def test_of_two_redeemers_in_one_batch_one_wins(world: World) -> None:
    """R-1: the same statement holds both, and one unique key decides."""
    database = world.context.database
    approval, _ = await approval_for(world, database)
    rivals = [redemption_of(approval) for _ in range(2)]
    won = await insert(world, *rivals)
    assert len(won) == 1
    grant = (await select_grants(database, [approval.code_id]))[approval.code_id]
    assert {grant.first_token_id} == won
    rows = await database.rows("SELECT id FROM classic_token WHERE grant_id = $1", approval.code_id)
    assert {row["id"] for row in rows} == won


async def test_the_same_redeemer_sent_again_finds_its_own_token(world: World) -> None:
    """R-4: the reply to a committed statement was lost, so it is sent again with the same ids."""
    database = world.context.database
    approval, _ = await approval_for(world, database)
    redemption = redemption_of(approval)
    assert await insert(world, redemption) == {redemption.token_id}
    assert await insert(world, redemption) == frozenset()
    grant = (await select_grants(database, [approval.code_id]))[approval.code_id]
    assert grant.first_token_id == redemption.token_id


async def test_a_code_ends_by_the_databases_clock(world: World) -> None:
    """R-9, R-106: whatever Valkey kept."""
    database = world.context.database
    approval, _ = await approval_for(world, database)
    second = 1_000_000
    old, fresh = (replace(approval, approved_at_us=approval.approved_at_us - s * second) for s in (61, 50))
    assert await insert(world, redemption_of(old)) == frozenset()
    assert len(await insert(world, redemption_of(fresh))) == 1


async def test_a_batch_of_many_is_one_commit_and_all_win(world: World) -> None:
    database = world.context.database
    approvals = [(await approval_for(world, database))[0] for _ in range(50)]
    redemptions = [redemption_of(approval) for approval in approvals]
    assert await insert(world, *redemptions) == {each.token_id for each in redemptions}


def request_for(world: World, code: TokenString) -> TokenRequest:
    credentials = Credentials(world.client_id, secret_digest(world.client_secret), "client_secret_post")
    return TokenRequest(
        grant_type=None, credentials=credentials, scope=None, resource=None, parameters={"code": code.text}
    )


@pytest.fixture(scope="module")
async def fragile(context: Context, servers: tuple[str, str], worker: int) -> AsyncIterator[Context]:
    """A service on a database of this file's own, where triggers may do harm."""
    url = await make_database(servers[0], f"fragile_{worker}")
    database = await open_database(url, connections=4)
    gathered = gathered_on(context, database)
    yield replace(context, database=database, gathered=gathered)
    await gathered.close()
    await database.close()


HARM = {
    "the insert": "CREATE TRIGGER harm BEFORE INSERT ON classic_token FOR EACH ROW EXECUTE FUNCTION harm()",
    "the commit": "CREATE CONSTRAINT TRIGGER harm AFTER INSERT ON classic_token DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION harm()",
}


@pytest.mark.parametrize("sqlstate", ["23514", "40001", "40P01"])
@pytest.mark.parametrize("place", HARM)
async def test_a_refused_statement_leaves_the_code_and_no_row(
    place: str, sqlstate: str, fragile: Context, servers: tuple[str, str], worker: int
) -> None:
    """R-29, R-30, R-93: proven not done, so nothing stands, and the code works afterwards."""
    world = await World.make(fragile)
    code = await waiting_code(world)
    url = servers[0].replace("/rovitracker?", f"/fragile_{worker}?")
    owner = await asyncpg.connect(url)
    await owner.execute(
        f"CREATE OR REPLACE FUNCTION harm() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION 'harm' USING ERRCODE = '{sqlstate}'; END $$; {HARM[place]}"
    )
    try:
        with pytest.raises(StatementRefusedError):
            await issue_token(fragile, request_for(world, code), "127.0.0.1")
    finally:
        await owner.execute("DROP TRIGGER harm ON classic_token")
        await owner.close()
    assert await select_grants(fragile.database, [code.id]) == {}
    life_ms = await fragile.valkey._call("PTTL", keys_of(code.id)[1])
    assert 0 < life_ms <= 60_000
    issued = await issue_token(fragile, request_for(world, code), "127.0.0.1")
    assert parse(issued.text)


@asynccontextmanager
async def valkey_through_proxy(redis_url: str) -> AsyncIterator[tuple[Valkey, Proxy]]:
    socket = valkey_socket(redis_url)
    async with proxy_to(socket) as proxy:
        url = redis_url.replace(socket, proxy.path)
        valkey = Valkey(url, connections=4, most_waiting=1000, timeout_s=0.3)
        yield valkey, proxy
        await valkey.close()


async def test_a_lost_reply_to_the_reading_costs_nothing(world: World, redis_url: str) -> None:
    """R-5: the code is asked for again, since to read it takes nothing away."""
    code = await waiting_code(world)
    async with valkey_through_proxy(redis_url) as (valkey, proxy):
        proxy.lose_reply(to=b"GETEX")
        issued = await issue_token(
            replace(world.context, valkey=valkey), request_for(world, code), "127.0.0.1"
        )
    assert await check_token(world.context, parse(issued.text), "127.0.0.1") is not None


async def test_a_code_that_was_read_and_no_more_works_for_the_next(world: World, redis_url: str) -> None:
    """R-4, R-5: a process that dies between Valkey and PostgreSQL burns no code."""
    code = await waiting_code(world)
    request = request_for(world, code)
    async with valkey_through_proxy(redis_url) as (valkey, proxy):
        proxy.fall_silent()
        with pytest.raises(StoreUnavailableError):
            await issue_token(replace(world.context, valkey=valkey), request, "127.0.0.1")
    assert await read_code(world.context.valkey, code.id) is not None
    assert await select_grants(world.context.database, [code.id]) == {}
    assert (await issue_token(world.context, request, "127.0.0.1")).text


async def test_a_redeemed_code_is_gone_from_valkey(world: World) -> None:
    """O-28: by the next turn of the loop, before any other request of the process can ask for it."""
    valkey, code = world.context.valkey, await waiting_code(world)
    await issue_token(world.context, request_for(world, code), "127.0.0.1")
    await asyncio.sleep(0)
    assert await read_code(valkey, code.id) is None


def forged(world: World, code: TokenString) -> TokenRequest:
    """By somebody who knows the id of a code, and not its secret part."""
    return request_for(world, compose("ac", code.token_class, code.id, bytes(20)))


async def test_a_code_that_does_not_fit_is_burned_before_it_is_refused(world: World, redis_url: str) -> None:
    """R-7, O-43: though the first reply to the burning is lost."""
    code = await waiting_code(world)
    async with valkey_through_proxy(redis_url) as (valkey, proxy):
        proxy.lose_reply(to=b"DEL")
        with pytest.raises(OAuthError, match="invalid_grant"):
            await issue_token(replace(world.context, valkey=valkey), forged(world, code), "127.0.0.1")
    assert await read_code(world.context.valkey, code.id) is None
    with pytest.raises(OAuthError, match="invalid_grant"):
        await issue_token(world.context, request_for(world, code), "127.0.0.1")


async def test_nobody_is_refused_for_a_code_that_may_not_be_burned(world: World, redis_url: str) -> None:
    """R-7: a refusal says that the code is gone, so it is not said while nobody knows."""
    code = await waiting_code(world)
    async with valkey_through_proxy(redis_url) as (valkey, proxy):
        proxy.lose_reply(to=b"DEL", times=2)
        with pytest.raises(StoreUnavailableError):
            await issue_token(replace(world.context, valkey=valkey), forged(world, code), "127.0.0.1")


async def test_a_silent_valkey_costs_two_time_outs(world: World, redis_url: str) -> None:
    """R-88: it accepts and never answers."""
    code = await waiting_code(world)
    async with proxy_to(valkey_socket(redis_url)) as proxy:
        url = redis_url.replace(valkey_socket(redis_url), proxy.path)
        valkey = Valkey(url, connections=4, most_waiting=1000, timeout_s=0.1)
        await valkey.check_writable()
        proxy.fall_silent()
        context = replace(world.context, valkey=valkey)
        try:
            with pytest.raises(StoreUnavailableError):
                await asyncio.wait_for(issue_token(context, request_for(world, code), "127.0.0.1"), 1)
        finally:
            await valkey.close()


async def test_a_lost_reply_to_the_commit_still_gives_the_token(world: World, database_url: str) -> None:
    """R-4: the statement is sent again with the same ids and finds its own row; one grant, one token, and it works."""
    code = await waiting_code(world)
    async with context_through_proxy(world.context, database_url) as (context, proxy):
        await issue_token(context, request_for(world, await waiting_code(world)), "127.0.0.1")
        proxy.lose_reply(to=code.id.bytes)
        issued = await issue_token(context, request_for(world, code), "127.0.0.1")
        await context.background.settle()
    assert await check_token(world.context, parse(issued.text), "127.0.0.1") is not None
    rows = await world.context.database.rows("SELECT id FROM classic_token WHERE grant_id = $1", code.id)
    token = parse(issued.text)
    assert token is not None
    assert [row["id"] for row in rows] == [token.id]
    with pytest.raises(OAuthError, match="invalid_grant"):
        await issue_token(world.context, request_for(world, code), "127.0.0.1")


async def test_a_code_whose_statement_was_never_sent_stays(world: World) -> None:
    """R-90: PostgreSQL went down between the proof and the token, so nothing took effect, provably."""
    code = await waiting_code(world)
    async with unreachable_database() as database:
        redemptions = gathered_on(world.context, database).classic_redemptions
        gathered = replace(world.context.gathered, classic_redemptions=redemptions)
        with pytest.raises(StoreUnavailableError):
            await issue_token(
                replace(world.context, gathered=gathered), request_for(world, code), "127.0.0.1"
            )
    assert (await issue_token(world.context, request_for(world, code), "127.0.0.1")).text
