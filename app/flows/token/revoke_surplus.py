"""Keep a customer's live tokens from codes at ten an application and scope: the oldest beyond them end."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from app.context import Context
from app.oauth.token_string import first_id_at, issued_at
from app.policy import MOST_CLASSIC_TOKENS
from app.storage.token.tokens import (
    mark_surplus_revoked,
    select_crowded_pairs,
    select_crowded_pairs_of,
    select_newest_classic_token,
)

Pair = tuple[UUID, UUID]  # customer and application

_PAUSE_S = 0.2
_A_LOOK = timedelta(minutes=1)  # of tokens, so that no statement reads for long


def revoke_surplus_soon(context: Context, pair: Pair) -> None:
    """Look at a pair that got a token, or may have got one, within a second."""
    context.background.collect(
        "surplus", pair, lambda pairs: revoke_surplus(context, pairs), pause_s=_PAUSE_S
    )


async def revoke_surplus(context: Context, pairs: Sequence[Pair]) -> None:
    """One statement finds the few that have too many."""
    crowded = await select_crowded_pairs(context.database, pairs, keep=MOST_CLASSIC_TOKENS)
    await _revoke(context, crowded)


async def find_surplus(context: Context, since: datetime, until: datetime) -> int:
    """Do the same for every pair that got a token in this time; return how many tokens were ended.

    Whoever issued them may have been killed before it did.
    """
    newest = await newest_token_at(context)
    ended = 0
    while newest is not None and since <= min(newest, until):
        first_id, end_id = first_id_at(since), first_id_at(since + _A_LOOK)
        crowded = await select_crowded_pairs_of(context.database, first_id, end_id, keep=MOST_CLASSIC_TOKENS)
        ended += await _revoke(context, crowded)
        since += _A_LOOK
    return ended


async def newest_token_at(context: Context) -> datetime | None:
    """When the newest classic token was made; None where there is none."""
    newest = await select_newest_classic_token(context.database)
    return issued_at(newest) if newest is not None else None


async def _revoke(context: Context, pairs: Sequence[Pair]) -> int:
    ended = 0
    for customer_id, application_id in pairs:
        ended += await mark_surplus_revoked(
            context.database, customer_id=customer_id, application_id=application_id, keep=MOST_CLASSIC_TOKENS
        )
    return ended
