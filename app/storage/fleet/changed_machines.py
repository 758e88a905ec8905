"""The machines of a page that changed since it was read: those whose rows a later transaction wrote."""

from array import array
from dataclasses import dataclass

from app.aemp.model.columns import Machines
from app.storage.fleet.fleet import MACHINE_COLUMNS, PageMap, machines_of
from app.storage.fleet.view import FleetView, fleet_of
from app.storage.postgres.database import Database

# A row tells by its xmin who wrote it. Whoever was not visible in a snapshot has no lower number than the snapshot's xmin,
# and neither has a part of its transaction. More rows may have one: they are read again, and show what they showed. A
# machine without figures is always read, since nothing tells when it lost them.
_SINCE = "(SELECT age(pg_snapshot_xmin($4::text::pg_snapshot)::xid))"
_CHANGED = f"l.equipment_key IS NULL OR least(age(e.xmin), age(l.xmin)) <= {_SINCE} AS changed"
# Told once: to read them in each row would cost more than the row.
_KEYS = "CASE WHEN row_number() OVER (ORDER BY page.place) = 1 THEN (SELECT array_agg(key ORDER BY place) FROM page) END AS keys"
_MACHINES = """
LEFT JOIN (page JOIN equipment e ON e.key = page.key AND e.customer_id = $1
           LEFT JOIN equipment_latest l ON l.equipment_key = e.key)
       ON page.changed
"""
_ORDER = "ORDER BY page.place"

SELECT_CHANGED_OF_FLEET = f"""
WITH page AS (
    SELECT e.key, e.position AS place, {_CHANGED}
    FROM equipment e LEFT JOIN equipment_latest l ON l.equipment_key = e.key
    WHERE e.customer_id = $1 AND e.position BETWEEN $2::bigint AND $3::bigint
)
SELECT f.machine_count, f.map_version, f.joined, pg_current_snapshot()::text AS snapshot, {_KEYS}, e.key, {MACHINE_COLUMNS}
FROM fleet f {_MACHINES} WHERE f.customer_id = $1 {_ORDER}
"""
SELECT_CHANGED_OF_SHARE = f"""
WITH page AS (
    SELECT e.key, s.position AS place, {_CHANGED}
    FROM share_machine s JOIN equipment e ON e.key = s.equipment_key AND e.customer_id = $1
    LEFT JOIN equipment_latest l ON l.equipment_key = e.key
    WHERE s.share = $5 AND s.position BETWEEN $2::bigint AND $3::bigint
)
SELECT share.machine_count, pg_current_snapshot()::text AS snapshot, {_KEYS}, e.key, {MACHINE_COLUMNS}
FROM (SELECT coalesce(max(position), 0) AS machine_count FROM share_machine WHERE share = $5) AS share {_MACHINES} {_ORDER}
"""


@dataclass(frozen=True, slots=True)
class ChangedMachines:
    """machines: in order. keys: of all machines of the page, in its order. map: None for chosen machines.

    machine_count: how many places there are in all. snapshot: what the statement saw.
    """

    machines: Machines
    keys: "array[int]"
    machine_count: int
    map: PageMap | None
    snapshot: str


async def select_changed_machines(
    database: Database, view: FleetView, snapshot: str, *, first: int, last: int
) -> ChangedMachines | None:
    """Read what a snapshot may not have seen of the machines between two places; None for a fleet that there is not."""
    arguments = (view.customer_id, first, last, snapshot)
    async with fleet_of(database, view) as transaction:
        if view.share is None:
            rows = await transaction.rows(SELECT_CHANGED_OF_FLEET, *arguments)
        else:
            rows = await transaction.rows(SELECT_CHANGED_OF_SHARE, *arguments, view.share)
    if not rows:
        return None
    head = rows[0]
    count, keys = head["machine_count"], array("q", head["keys"] or ())
    in_force = PageMap(head["map_version"], count, head["joined"]) if view.share is None else None
    return ChangedMachines(machines_of(rows, view), keys, count, in_force, head["snapshot"])
