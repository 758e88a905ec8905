"""Machines that leave a fleet: their period of ownership, their place, and what is known of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.aemp.model.columns import HEADER_COLUMNS, READING_COLUMNS
from app.aemp.model.values import EquipmentHeader
from app.storage.postgres.database import Transaction

_HEADER = [name for name, _ in HEADER_COLUMNS]


@dataclass(frozen=True, slots=True)
class Named:
    """A machine that goes by an identifier. kind: of the identifier; the lower one wins a look-up."""

    key: int
    kind: int
    header: EquipmentHeader


SELECT_MACHINES_NAMED = f"""
SELECT e.key, i.kind, {", ".join(f"e.{name}" for name in _HEADER)}
FROM equipment_identifier i JOIN equipment e ON e.key = i.equipment_key
WHERE i.customer_id = $1 AND i.value = $2
ORDER BY i.kind, e.key
"""


async def select_machines_named(
    transaction: Transaction, customer_id: UUID, identifier: str
) -> tuple[Named, ...]:
    """Every machine of the fleet that goes by it. identifier: normalised, as equipment_identifier.value is."""
    rows = await transaction.rows(SELECT_MACHINES_NAMED, customer_id, identifier)
    return tuple(
        Named(row["key"], row["kind"], EquipmentHeader(**{name: row[name] for name in _HEADER}))
        for row in rows
    )


SELECT_KEYS_NAMED = """
SELECT i.value, i.kind, i.equipment_key FROM equipment_identifier i
WHERE i.customer_id = $1 AND i.value = ANY($2::text[]) ORDER BY i.kind
"""


async def select_keys_named(
    transaction: Transaction, customer_id: UUID, identifiers: Sequence[str]
) -> dict[str, tuple[int, ...]]:
    """The keys of the machines that each identifier means, by its first kind. identifiers: normalised."""
    kinds: dict[str, int] = {}
    meant: dict[str, tuple[int, ...]] = {}
    for row in await transaction.rows(SELECT_KEYS_NAMED, customer_id, identifiers):
        if kinds.setdefault(row["value"], row["kind"]) == row["kind"]:
            meant[row["value"]] = (*meant.get(row["value"], ()), row["equipment_key"])
    return meant


MARK_OWNERSHIP_ENDED = """
UPDATE equipment_ownership SET during = tstzrange(lower(during), clock_timestamp())
WHERE equipment_key = $1 AND customer_id = $2 AND upper_inf(during)
RETURNING upper(during) AS ended_at
"""


async def mark_ownership_ended(transaction: Transaction, customer_id: UUID, key: int) -> datetime | None:
    """End the customer's ownership now, and return that time; None when somebody else was faster."""
    row = await transaction.row(MARK_OWNERSHIP_ENDED, key, customer_id)
    return row["ended_at"] if row else None


INSERT_OWNERSHIP = """
INSERT INTO equipment_ownership (equipment_key, customer_id, during) VALUES ($1, $2, tstzrange($3, NULL))
"""


async def insert_ownership(transaction: Transaction, customer_id: UUID, key: int, *, since: datetime) -> None:
    await transaction.count(INSERT_OWNERSHIP, key, customer_id, since)


# The position it leaves comes from the row as it was: RETURNING knows the new one only.
MARK_RELEASED = """
UPDATE equipment e SET customer_id = NULL, position = NULL, joined = NULL
FROM (SELECT key, position FROM equipment WHERE key = $1) AS old
WHERE e.key = old.key
RETURNING old.position
"""


async def mark_released(transaction: Transaction, key: int) -> int:
    """Take a machine from its owner, and return the position it had. The caller holds the fleet's lock."""
    [row] = await transaction.rows(MARK_RELEASED, key)
    return int(row["position"])


UPDATE_OWNER = """
WITH joining AS (
    UPDATE fleet SET machine_count = machine_count + 1, joined = joined + 1
    WHERE customer_id = $2 RETURNING machine_count, joined
)
UPDATE equipment e SET customer_id = $2, position = joining.machine_count, joined = joining.joined
FROM joining, (SELECT key, position FROM equipment WHERE key = $1) AS old
WHERE e.key = old.key
RETURNING old.position
"""


async def update_owner(transaction: Transaction, key: int, *, to: UUID) -> int:
    """Put a machine last in another fleet, and return the position it had. The caller holds both fleets' locks."""
    [row] = await transaction.rows(UPDATE_OWNER, key, to)
    return int(row["position"])


# If the last machine itself left, nobody stands at that position any more, and nothing moves.
UPDATE_MAP = """
WITH shorter AS (
    UPDATE fleet SET machine_count = machine_count - 1, map_version = map_version + 1
    WHERE customer_id = $1 RETURNING machine_count + 1 AS last_position, map_version
), moved AS (
    UPDATE equipment e SET position = $2 FROM shorter
    WHERE e.customer_id = $1 AND e.position = shorter.last_position
    RETURNING e.key, shorter.last_position, shorter.map_version
)
INSERT INTO equipment_move (customer_id, equipment_key, map_version, from_position)
SELECT $1, key, map_version, last_position FROM moved
"""


async def update_map(transaction: Transaction, customer_id: UUID, *, left: int) -> None:
    """Move the last machine to the position that was left, and note the move. The caller holds the fleet's lock."""
    await transaction.count(UPDATE_MAP, customer_id, left)


DELETE_IDENTIFIERS = "DELETE FROM equipment_identifier WHERE equipment_key = $1"


async def delete_identifiers(transaction: Transaction, key: int) -> None:
    await transaction.count(DELETE_IDENTIFIERS, key)


UPDATE_IDENTIFIERS = "UPDATE equipment_identifier SET customer_id = $2 WHERE equipment_key = $1"


async def update_identifiers(transaction: Transaction, key: int, *, to: UUID) -> None:
    await transaction.count(UPDATE_IDENTIFIERS, key, to)


DELETE_LATEST = "DELETE FROM equipment_latest WHERE equipment_key = $1"


async def delete_latest(transaction: Transaction, key: int) -> None:
    await transaction.count(DELETE_LATEST, key)


UPDATE_LATEST_TO_NOTHING = f"""
UPDATE equipment_latest SET customer_id = $2, {", ".join(f"{name} = NULL" for name, _ in READING_COLUMNS)}
WHERE equipment_key = $1
"""


async def update_latest_to_nothing(transaction: Transaction, key: int, *, to: UUID) -> None:
    """The new owner is shown nothing that the machine reported before."""
    await transaction.count(UPDATE_LATEST_TO_NOTHING, key, to)


DELETE_PAST_MOVES = """
DELETE FROM equipment_move
WHERE moved_at < now() - (SELECT keep FROM retention WHERE name = 'equipment_move')
"""


async def delete_past_moves(transaction: Transaction) -> int:
    """Delete the moves of all fleets that are older than any reader's map, and return how many."""
    return await transaction.count(DELETE_PAST_MOVES)
