"""A customer's machines, read under row-level security by one statement."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.aemp.model.bounds import MOST_NAMED
from app.aemp.model.columns import HEADER_COLUMNS, READING_COLUMNS, Machines, side_by_side
from app.aemp.model.identifiers import IDENTIFIER_KINDS, Sought
from app.aemp.model.values import Equipment
from app.storage.fleet.view import FleetView, SeenFleet
from app.storage.postgres.database import Database, Row, Transaction


def _column(table: str, name: str, kind: str) -> str:
    """Times are told in seconds since 1970: asyncpg reads such a number in a tenth of the time."""
    return f"date_part('epoch', {table}.{name}) AS {name}" if kind == "timestamptz" else f"{table}.{name}"


FIGURE_COLUMNS = ", ".join(_column("l", *column) for column in READING_COLUMNS)
MACHINE_COLUMNS = ", ".join([*(_column("e", *column) for column in HEADER_COLUMNS), FIGURE_COLUMNS])


@dataclass(frozen=True, slots=True)
class PageMap:
    """The map of machines to places at one moment, which a reader names to go on in it.

    version: of the positions. machine_count: how many places there were. joined: how many machines had ever joined.
    """

    version: int
    machine_count: int
    joined: int


@dataclass(frozen=True, slots=True)
class MappedPage:
    """The machines between two places, how many places there are in all, and the map in force.

    snapshot: what the statement saw; empty for a fleet that there is not.
    """

    machines: Machines
    machine_count: int
    map: PageMap
    snapshot: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine as it stands; `key` names its readings. flat: it alone."""

    key: int
    flat: Machines

    @property
    def equipment(self) -> Equipment:
        return next(iter(self.flat))


# The count and the page come from one snapshot, so that the last link and the page never disagree. Places are bigint,
# since a page beyond every position, which is an integer, must be not found rather than an error. The condition on the
# customer of the figures lets PostgreSQL compare the setting of row-level security once, and not for each row.
SELECT_FLEET_PAGE = f"""
SELECT f.machine_count, f.map_version, f.joined, pg_current_snapshot()::text AS snapshot, e.key, {MACHINE_COLUMNS}
FROM fleet f
LEFT JOIN equipment e ON e.customer_id = f.customer_id AND e.position BETWEEN $2::bigint AND $3::bigint
LEFT JOIN equipment_latest l ON l.equipment_key = e.key AND l.customer_id = $1
WHERE f.customer_id = $1
ORDER BY e.position
"""


async def select_fleet_page(database: Database, view: FleetView, *, first: int, last: int) -> MappedPage:
    """Read a page of a whole fleet by the map in force. first, last: places, both included, counted from 1."""
    rows = await SeenFleet(database, view).rows(SELECT_FLEET_PAGE, view.customer_id, first, last)
    if not rows:
        return MappedPage(machines_of([], view), 0, PageMap(0, 0, 0))
    in_force = PageMap(rows[0]["map_version"], rows[0]["machine_count"], rows[0]["joined"])
    return MappedPage(machines_of(rows, view), in_force.machine_count, in_force, rows[0]["snapshot"])


# Machines that joined since stand behind the last place of the map, in the order of joining. Any other stands where it
# stands now if it never moved since, else where it stood before its first move.
SELECT_MAPPED_PAGE = f"""
WITH placed AS (
    SELECT e.key, e.position AS place FROM equipment e
    WHERE e.customer_id = $1 AND e.position BETWEEN $2::bigint AND $3::bigint AND e.joined <= $6
      AND NOT EXISTS (SELECT FROM equipment_move m
                      WHERE m.customer_id = $1 AND m.equipment_key = e.key AND m.map_version > $4)
    UNION ALL
    SELECT e.key, m.from_position FROM equipment_move m
    JOIN equipment e ON e.key = m.equipment_key AND e.customer_id = $1 AND e.joined <= $6
    WHERE m.customer_id = $1 AND m.from_position BETWEEN $2 AND $3 AND m.map_version > $4
      AND NOT EXISTS (SELECT FROM equipment_move earlier
                      WHERE earlier.customer_id = $1 AND earlier.equipment_key = m.equipment_key
                        AND earlier.map_version > $4 AND earlier.map_version < m.map_version)
    UNION ALL
    SELECT e.key, e.joined - $6 + $5 FROM equipment e
    WHERE e.customer_id = $1 AND e.joined > $6 AND e.joined BETWEEN $6 - $5 + $2 AND $6 - $5 + $3
)
SELECT f.joined - $6 + $5 AS places, f.machine_count, f.map_version, f.joined, pg_current_snapshot()::text AS snapshot,
       e.key, {MACHINE_COLUMNS}
FROM fleet f
LEFT JOIN (placed
           JOIN equipment e ON e.key = placed.key
           LEFT JOIN equipment_latest l ON l.equipment_key = e.key AND l.customer_id = $1)
       ON e.customer_id = f.customer_id
WHERE f.customer_id = $1
ORDER BY placed.place
"""


async def select_mapped_page(
    database: Database, view: FleetView, page_map: PageMap, *, first: int, last: int
) -> MappedPage:
    """Read a page by an earlier map: machines that left are left out, and the others stand where they stood."""
    arguments = (first, last, page_map.version, page_map.machine_count, page_map.joined)
    rows = await SeenFleet(database, view).rows(SELECT_MAPPED_PAGE, view.customer_id, *arguments)
    if not rows:
        return MappedPage(machines_of([], view), 0, page_map)
    in_force = PageMap(rows[0]["map_version"], rows[0]["machine_count"], rows[0]["joined"])
    return MappedPage(machines_of(rows, view), rows[0]["places"], in_force, rows[0]["snapshot"])


# Makes and models are names, so letter case and spaces do not matter; a machine without one has an empty one.
_NAME = "lower(regexp_replace(btrim({}), '\\s+', ' ', 'g'))"
_SAME = f"{_NAME} = {_NAME}"

# Those that go by an identifier, the first of its kinds first.
NAMED_MACHINES = f"""
FROM equipment_identifier i
JOIN equipment e ON e.key = i.equipment_key
LEFT JOIN equipment_latest l ON l.equipment_key = e.key AND l.customer_id = $1
WHERE i.customer_id = $1 AND i.value = $2 AND i.kind = ANY($3::smallint[])
  AND ($4::text IS NULL OR ({_SAME.format("coalesce(e.oem_name, '')", "$4")}
                            AND {_SAME.format("coalesce(e.model, '')", "$5::text")}))
ORDER BY i.kind, i.equipment_key
"""
# The keys of the same for a name without a make. Row-level security shows an identifier wherever it shows the machine, so
# the row of the machine is not looked at, nor are its policies.
NAMED_KEYS = """
FROM equipment_identifier i
WHERE i.customer_id = $1 AND i.value = $2 AND i.kind = ANY($3::smallint[]) AND num_nulls($4::text, $5::text) = 2
ORDER BY i.kind, i.equipment_key
"""
SELECT_EQUIPMENT = f"SELECT e.key, i.kind, {MACHINE_COLUMNS} {NAMED_MACHINES} LIMIT {MOST_NAMED + 1}"


async def select_equipment(
    fleet: Transaction | SeenFleet, view: FleetView, sought: Sought
) -> tuple[Machine, ...]:
    """The machines that go by the identifier, by the first of its kinds that any has: mostly one."""
    rows = await fleet.rows(SELECT_EQUIPMENT, *arguments_of(view, sought))
    return tuple(
        Machine(row["key"], machines_of([row], view)) for row in rows if row["kind"] == rows[0]["kind"]
    )


def arguments_of(view: FleetView, sought: Sought) -> tuple[object, ...]:
    """The arguments of NAMED_MACHINES."""
    kinds = [IDENTIFIER_KINDS.index(kind) + 1 for kind in sought.kinds]
    return view.customer_id, sought.value, kinds, sought.make, sought.model


# newest_at moves with every reading that is kept, so the machines' figures need not be looked at.
COUNT_HEARD = """
SELECT coalesce((SELECT f.machine_count FROM fleet f WHERE f.customer_id = $1), 0) AS machines,
       count(*) AS heard FROM equipment e JOIN equipment_latest l ON l.equipment_key = e.key
WHERE e.customer_id = $1 AND l.newest_at >= $2
"""


async def count_heard(database: Database, customer_id: UUID, since: datetime) -> tuple[int, int]:
    """How many machines the customer has, and how many of them reported something at or after a moment."""
    [row] = await SeenFleet(database, FleetView(customer_id)).rows(COUNT_HEARD, customer_id, since)
    return row["machines"], row["heard"]


def machines_of(rows: list[Row], view: FleetView) -> Machines:
    return side_by_side([row for row in rows if row["key"] is not None], since=view.history_from)


NEWEST_AT = """
SELECT max(l.newest_at) AS newest_at FROM equipment e JOIN equipment_latest l ON l.equipment_key = e.key
WHERE e.customer_id = $1
"""


async def select_newest_at(database: Database, customer_id: UUID) -> datetime | None:
    """When a machine of the fleet told something last; None when none ever did."""
    [row] = await SeenFleet(database, FleetView(customer_id)).rows(NEWEST_AT, customer_id)
    newest_at: datetime | None = row["newest_at"]
    return newest_at
