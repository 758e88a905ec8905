"""Shares: machines of a customer that were chosen for a connection, listed once and never changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.aemp.model.columns import HEADER_COLUMNS, Machines
from app.aemp.model.values import EquipmentHeader
from app.storage.fleet.fleet import MACHINE_COLUMNS, machines_of
from app.storage.fleet.view import FleetView, SeenFleet
from app.storage.postgres.database import Database, Row, Transaction

INSERT_SHARE = "INSERT INTO share (customer_id) VALUES ($1) RETURNING number"
# Only machines that the transaction sees, so no other customer's: in the order of the fleet's pages.
INSERT_SHARE_MACHINES = """
INSERT INTO share_machine (share, position, equipment_key)
SELECT $2, row_number() OVER (ORDER BY position), key FROM equipment WHERE customer_id = $1 AND key = ANY($3::bigint[])
"""


async def insert_share(fleet: Transaction, customer_id: UUID, keys: Sequence[int]) -> int:
    """A share's number. Keys that are none of the customer's are left out.

    fleet: a transaction that sees the customer's whole fleet.
    """
    [row] = await fleet.rows(INSERT_SHARE, customer_id)
    number = int(row["number"])
    await fleet.count(INSERT_SHARE_MACHINES, customer_id, number, keys)
    return number


SELECT_OWNED = """
SELECT clock_timestamp() AS now, EXISTS (SELECT FROM equipment WHERE customer_id = $1 AND key = ANY($2::bigint[])) AS owned
"""


async def select_owned(fleet: Transaction, customer_id: UUID, keys: Sequence[int]) -> tuple[datetime, bool]:
    """PostgreSQL's time, and whether the customer has one of these machines at least."""
    [row] = await fleet.rows(SELECT_OWNED, customer_id, keys)
    return row["now"], row["owned"]


SELECT_KEYS_OWNED = "SELECT key FROM equipment WHERE customer_id = $1 AND key = ANY($2::bigint[])"


async def select_keys_owned(fleet: Transaction, customer_id: UUID, keys: Sequence[int]) -> frozenset[int]:
    """Those of the keys that are the customer's."""
    return frozenset(row["key"] for row in await fleet.rows(SELECT_KEYS_OWNED, customer_id, keys))


@dataclass(frozen=True, slots=True)
class OfferedMachine:
    """A machine as a person chooses it. key: of its row."""

    key: int
    header: EquipmentHeader


_HEADER = [name for name, _ in HEADER_COLUMNS]
SELECT_OFFERED = f"""
SELECT e.key, {", ".join(f"e.{name}" for name in _HEADER)} FROM equipment e
WHERE e.customer_id = $1 AND ($2::bigint[] IS NULL OR e.key = ANY($2)) ORDER BY e.position LIMIT $3
"""


async def select_offered(
    fleet: Transaction, customer_id: UUID, keys: Sequence[int] | None, *, most: int
) -> tuple[OfferedMachine, ...]:
    """The first machines in the order of the fleet's pages. keys: those alone; None for all."""
    rows = await fleet.rows(SELECT_OFFERED, customer_id, keys, most)
    return tuple(
        OfferedMachine(row["key"], EquipmentHeader(**{name: row[name] for name in _HEADER})) for row in rows
    )


_NAMES = "e.pin, e.serial_number, e.equipment_id"
SELECT_NAMES = f"""
SELECT {_NAMES} FROM equipment e WHERE e.customer_id = $1 AND e.key = ANY($2::bigint[]) ORDER BY e.position LIMIT $3
"""
SELECT_SHARED_NAMES = f"""
SELECT {_NAMES} FROM share_machine s JOIN equipment e ON e.key = s.equipment_key AND e.customer_id = $1
WHERE s.share = $2 ORDER BY s.position LIMIT $3
"""
SELECT_SHARED_COUNT = "SELECT count(*) AS machines FROM share_machine WHERE share = $1"


@dataclass(frozen=True, slots=True)
class Names:
    """The names of machines: a PIN, else a serial number, else the owner's own; None of one without any.

    listed: the first ones. count: of all.
    """

    listed: tuple[str | None, ...]
    count: int


async def select_names(fleet: Transaction, customer_id: UUID, keys: Sequence[int], *, most: int) -> Names:
    """The names of machines that are the customer's. They are listed where there are at most so many."""
    if len(keys) > most:
        return Names((), len(keys))
    listed = _names_of(await fleet.rows(SELECT_NAMES, customer_id, keys, most))
    return Names(listed, len(listed))


async def select_shared_names(fleet: Transaction, customer_id: UUID, share: int, *, most: int) -> Names:
    """The names of a share's machines, in the order of its pages."""
    listed = _names_of(await fleet.rows(SELECT_SHARED_NAMES, customer_id, share, most + 1))
    if len(listed) <= most:
        return Names(listed, len(listed))
    [row] = await fleet.rows(SELECT_SHARED_COUNT, share)
    return Names((), row["machines"])


def _names_of(rows: Sequence[Row]) -> tuple[str | None, ...]:
    return tuple(row["pin"] or row["serial_number"] or row["equipment_id"] or None for row in rows)


SELECT_MACHINE_COUNT = "SELECT machine_count FROM fleet WHERE customer_id = $1"


async def select_machine_count(fleet: Transaction, customer_id: UUID) -> int:
    row = await fleet.row(SELECT_MACHINE_COUNT, customer_id)
    return row["machine_count"] if row else 0


MARK_SHARE_REPLACED = "UPDATE share SET replaced_at = clock_timestamp() WHERE number = $1"


async def mark_share_replaced(transaction: Transaction, number: int) -> None:
    await transaction.count(MARK_SHARE_REPLACED, number)


SELECT_SHARE_KEYS = "SELECT equipment_key FROM share_machine WHERE share = $1 ORDER BY position"


async def select_share_keys(transaction: Transaction, number: int) -> tuple[int, ...]:
    return tuple(row["equipment_key"] for row in await transaction.rows(SELECT_SHARE_KEYS, number))


# Places change when a machine leaves, and a reader has no map of them: one who is on the way may miss one once.
SELECT_SHARED_PAGE = f"""
SELECT share.machine_count, pg_current_snapshot()::text AS snapshot, e.key, {MACHINE_COLUMNS}
FROM (SELECT coalesce(max(position), 0) AS machine_count FROM share_machine WHERE share = $2) AS share
LEFT JOIN (share_machine s
           JOIN equipment e ON e.key = s.equipment_key AND e.customer_id = $1
           LEFT JOIN equipment_latest l ON l.equipment_key = e.key AND l.customer_id = $1)
       ON s.share = $2 AND s.position BETWEEN $3::bigint AND $4::bigint
ORDER BY s.position
"""


async def select_shared_page(
    database: Database, view: FleetView, *, first: int, last: int
) -> tuple[Machines, int, str]:
    """The chosen machines between two places, the last place that there is, and what the statement saw."""
    rows = await SeenFleet(database, view).rows(SELECT_SHARED_PAGE, view.customer_id, view.share, first, last)
    return machines_of(rows, view), rows[0]["machine_count"], rows[0]["snapshot"]
