"""The eleventh token of a pair ends, though whoever issued it was gone before it looked."""

import asyncio
from dataclasses import replace

import pytest

from app.context import Context
from app.flows.upkeep.keep_cap import keep_cap_for_ever
from app.oauth.token_string import bucket_of, mint
from app.policy import MOST_CLASSIC_TOKENS
from app.process.background import Background
from app.storage.token.grants import Redemption, insert_grants_with_classic_tokens
from tests.support.approvals import approval_for
from tests.support.changing import until_true
from tests.support.people import World

OFTEN_S = 0.2


async def issue(world: World, count: int) -> None:
    """Tokens whose process ended before it looked at their pair."""
    database, lifetimes = world.context.database, world.context.policy.lifetimes
    for _ in range(count):
        approval, _ = await approval_for(world, database)
        token = mint("at", "c", bucket_of(approval.customer_id))
        redemption = Redemption.of(approval, token)
        await insert_grants_with_classic_tokens(database, [redemption], lifetimes=lifetimes)


async def has_so_many(world: World, live: int) -> bool:
    rows = await world.context.database.rows(
        "SELECT id FROM classic_token WHERE customer_id = $1 AND revoked_at IS NULL", world.member.customer_id
    )
    return len(rows) == live


async def test_a_process_looks_when_it_starts_and_again_every_hour(
    world: World, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own work has not failed: other processes were killed, before and while it ran."""
    monkeypatch.setattr("app.flows.upkeep.keep_cap._EVERY_S", OFTEN_S)
    own = replace(context, background=Background())
    await issue(world, MOST_CLASSIC_TOKENS + 1)
    looking = asyncio.create_task(keep_cap_for_ever(own))
    await until_true(lambda: has_so_many(world, MOST_CLASSIC_TOKENS))
    await issue(world, 2)
    assert not own.background.failed.is_set()
    await until_true(lambda: has_so_many(world, MOST_CLASSIC_TOKENS))
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
