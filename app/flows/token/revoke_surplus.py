"""Keep a customer's live tokens from codes at ten an application and scope: the oldest beyond them end."""

from collections.abc import Sequence
from uuid import UUID

from app.context import Context
from app.policy import MOST_CLASSIC_TOKENS
from app.storage.token.tokens import mark_surplus_revoked, select_crowded_pairs


async def revoke_surplus(context: Context, pairs: Sequence[tuple[UUID, UUID]]) -> None:
    """pairs: customer and application that just got a token. One statement finds the few that have too many."""
    for customer_id, application_id in await select_crowded_pairs(
        context.database, pairs, keep=MOST_CLASSIC_TOKENS
    ):
        await mark_surplus_revoked(
            context.database, customer_id=customer_id, application_id=application_id, keep=MOST_CLASSIC_TOKENS
        )
