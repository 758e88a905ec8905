"""Connections that end soon, and whose owners do not know it yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.storage.postgres.database import Statements, Transaction
from app.storage.token.connections import soon_after
from app.storage.token.standing import is_connected

_DUE = f"k.ends_at IS NOT NULL AND NOT k.end_known AND k.ends_at < {soon_after('clock_timestamp()')}"


@dataclass(frozen=True, slots=True)
class EndingConnection:
    """A connection that is marked. connected: whether it stands, so that there is an end to tell of."""

    customer_id: UUID
    application_id: UUID
    connected: bool


# The lock of a customer keeps all its connections for one process, so that one mail names them. Those of a disabled
# customer wait until it is enabled again.
MARK_ENDS_KNOWN = f"""
WITH due AS MATERIALIZED (
    SELECT c.id FROM customer c
    WHERE c.disabled_at IS NULL AND c.id IN (SELECT k.customer_id FROM connection k WHERE {_DUE})
    LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
), marked AS (
    UPDATE connection k SET end_known = true FROM due WHERE k.customer_id = due.id AND {_DUE}
    RETURNING k.customer_id, k.application_id, k.ends_at, {is_connected("k")} IS TRUE AS connected
)
SELECT customer_id, application_id, connected FROM marked ORDER BY customer_id, ends_at, application_id
"""


async def mark_ends_known(transaction: Transaction, most: int) -> tuple[EndingConnection, ...]:
    """All that are due of so many customers, and of each the nearest end first. They stay locked for the transaction."""
    return tuple(EndingConnection(**row) for row in await transaction.rows(MARK_ENDS_KNOWN, most))


SELECT_ENDS_OF = f"""
SELECT k.application_id, k.ends_at FROM connection k
WHERE k.customer_id = $1 AND k.application_id = ANY ($2::uuid[]) AND k.ends_at IS NOT NULL AND {is_connected("k")}
ORDER BY k.ends_at, k.application_id
"""


async def select_ends_of(
    statements: Statements, customer_id: UUID, application_ids: Sequence[UUID]
) -> dict[UUID, datetime]:
    """When those connections end that stand and have an end, the nearest first."""
    rows = await statements.rows(SELECT_ENDS_OF, customer_id, list(application_ids))
    return {row["application_id"]: row["ends_at"] for row in rows}
