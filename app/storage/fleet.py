"""A customer's machines, read under row-level security: the setting first, then one statement."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from app.aemp.columns import HEADER_COLUMNS, READING_COLUMNS, from_columns
from app.aemp.identifiers import IDENTIFIER_KINDS, Sought
from app.aemp.values import Equipment
from app.storage.database import Database, Transaction

SET_CUSTOMER = "SELECT set_config('rovitracker.customer', $1, true)"

_COLUMNS = ", ".join(
    [f"e.{name}" for name, _ in HEADER_COLUMNS] + [f"l.{name}" for name, _ in READING_COLUMNS]
)


@dataclass(frozen=True, slots=True)
class FleetPage:
    """The machines between two positions, and how many the customer has in all."""

    machines: tuple[Equipment, ...]
    machine_count: int


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine as it stands; `key` names its readings."""

    key: int
    equipment: Equipment


# The count and the page come from one snapshot, so that the last link and the page never disagree.
SELECT_FLEET_PAGE = f"""
SELECT f.machine_count, e.key, {_COLUMNS}
FROM fleet f
LEFT JOIN equipment e ON e.customer_id = f.customer_id AND e.position BETWEEN $2 AND $3
LEFT JOIN equipment_latest l ON l.equipment_key = e.key
WHERE f.customer_id = $1
ORDER BY e.position
"""


async def select_fleet_page(database: Database, customer_id: UUID, *, first: int, last: int) -> FleetPage:
    """first, last: positions, both included, counted from 1."""
    async with fleet_of(database, customer_id) as transaction:
        rows = await transaction.rows(SELECT_FLEET_PAGE, customer_id, first, last)
    machines = tuple(from_columns(row) for row in rows if row["key"] is not None)
    return FleetPage(machines, rows[0]["machine_count"] if rows else 0)


SELECT_EQUIPMENT = f"""
SELECT e.key, {_COLUMNS}
FROM equipment_identifier i
JOIN equipment e ON e.key = i.equipment_key
LEFT JOIN equipment_latest l ON l.equipment_key = e.key
WHERE i.customer_id = $1 AND i.value = $2 AND i.kind = ANY($3::smallint[])
  AND ($4::text IS NULL OR (lower(e.oem_name) = lower($4) AND lower(e.model) = lower($5::text)))
ORDER BY i.kind, i.equipment_key LIMIT 1
"""


async def select_equipment(fleet: Transaction, customer_id: UUID, sought: Sought) -> Machine | None:
    kinds = [IDENTIFIER_KINDS.index(kind) + 1 for kind in sought.kinds]
    row = await fleet.row(SELECT_EQUIPMENT, customer_id, sought.value, kinds, sought.make, sought.model)
    return Machine(row["key"], from_columns(row)) if row else None


@asynccontextmanager
async def fleet_of(database: Database, customer_id: UUID) -> AsyncIterator[Transaction]:
    """A transaction that sees this customer's rows alone."""
    async with database.transaction() as transaction:
        await transaction.row(SET_CUSTOMER, str(customer_id))
        yield transaction
