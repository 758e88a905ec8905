"""PostgreSQL says whether a fleet is as it was when a page of it was read."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple
from uuid import UUID

from app.storage.postgres.database import Database, Statements
from app.storage.postgres.gather import Bounds, Gather


class Seen(NamedTuple):
    """What a statement saw of a fleet. snapshot: PostgreSQL's own text of the transactions that it saw."""

    customer_id: UUID
    snapshot: str


# A change that was under way when the page was read is not visible in its snapshot, and counts once it is committed.
# All that is below the snapshot's xmin was visible, so the index leads past it.
SELECT_UNCHANGED = """
SELECT NOT EXISTS (
    SELECT FROM fleet_change c
    WHERE c.customer_id = seen.customer_id AND c.xid >= pg_snapshot_xmin(seen.snapshot::pg_snapshot)
      AND NOT pg_visible_in_snapshot(c.xid, seen.snapshot::pg_snapshot)) AS unchanged
FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS seen(customer_id, snapshot, place) ORDER BY place
"""


async def select_unchanged(statements: Statements, seen: Sequence[Seen]) -> list[bool]:
    """Whether no change of the fleet is visible now that was not visible then; for each, in order."""
    places = {each: place for place, each in enumerate(dict.fromkeys(seen))}  # many read the same page
    rows = await statements.rows(
        SELECT_UNCHANGED, [each.customer_id for each in places], [each.snapshot for each in places]
    )
    return [rows[places[each]]["unchanged"] for each in seen]


class Unchanged:
    """Asks for many requests at once, on a connection that it holds."""

    def __init__(self, database: Database, bounds: Bounds) -> None:
        self._held = database.hold()
        self._gather = Gather[Seen, bool](partial(select_unchanged, self._held), bounds)

    async def ask(self, seen: Seen) -> bool:
        """Raises StoreUnavailableError when PostgreSQL does not answer, or too many wait."""
        return await self._gather.ask(seen)

    async def close(self) -> None:
        await self._gather.close()
        await self._held.give_back()


DELETE_PAST_FLEET_CHANGES = "SELECT delete_past_fleet_changes() AS deleted"


async def call_delete_past_fleet_changes(statements: Statements) -> int:
    row = await statements.row(DELETE_PAST_FLEET_CHANGES)
    return int(row["deleted"]) if row else 0
