"""Connections that end soon, and whose owners do not know it yet."""

from dataclasses import dataclass
from uuid import UUID

from app.storage.postgres.database import Transaction
from app.storage.token.connections import SOON
from app.storage.token.standing import is_connected


@dataclass(frozen=True, slots=True)
class EndingConnection:
    """A connection that is marked. connected: whether it stands, so that there is an end to tell of."""

    customer_id: UUID
    application_id: UUID
    connected: bool


# Those of a disabled customer wait until it is enabled again. What another process has locked is that one's.
MARK_ENDS_KNOWN = f"""
WITH due AS MATERIALIZED (
    SELECT k.customer_id, k.application_id FROM connection k
    JOIN customer c ON c.id = k.customer_id AND c.disabled_at IS NULL
    WHERE k.ends_at IS NOT NULL AND NOT k.end_known AND k.ends_at <= {SOON}
    ORDER BY k.ends_at LIMIT $1 FOR UPDATE OF k SKIP LOCKED
)
UPDATE connection k SET end_known = true FROM due
WHERE k.customer_id = due.customer_id AND k.application_id = due.application_id
RETURNING k.customer_id, k.application_id, {is_connected("k")} IS TRUE AS connected
"""


async def mark_ends_known(transaction: Transaction, most: int) -> tuple[EndingConnection, ...]:
    """At most so many, the nearest end first. They stay locked until the transaction ends."""
    return tuple(EndingConnection(**row) for row in await transaction.rows(MARK_ENDS_KNOWN, most))
