"""The figures that changed since a page of machines was read: a later transaction wrote their rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.aemp.model.columns import Machines
from app.storage.fleet.fleet import FIGURE_COLUMNS, machines_of
from app.storage.fleet.view import FleetView, SeenFleet
from app.storage.postgres.database import Database

# A row tells by its xmin which transaction wrote it. One that was not visible in a snapshot has no lower number than the
# snapshot's xmin, and neither has a part of it. Others may have such a number too: their rows are read again in vain.
# What a machine is called is beyond figures, so its row of equipment is not read.
SELECT_CHANGED_FIGURES = f"""
SELECT seen.snapshot, seen.beyond_figures, l.equipment_key AS key, {FIGURE_COLUMNS}
FROM (SELECT pg_current_snapshot()::text AS snapshot, EXISTS (
          SELECT FROM fleet_change c
          WHERE c.customer_id = $1 AND c.beyond_figures AND c.xid >= pg_snapshot_xmin($3::text::pg_snapshot)
            AND NOT pg_visible_in_snapshot(c.xid, $3::text::pg_snapshot)) AS beyond_figures) AS seen
LEFT JOIN equipment_latest l ON l.equipment_key = ANY($2::bigint[]) AND l.customer_id = $1
      AND age(l.xmin) <= (SELECT age(pg_snapshot_xmin($3::text::pg_snapshot)::xid))
"""


@dataclass(frozen=True, slots=True)
class ChangedFigures:
    """machines: with their figures alone, in no order. snapshot: what the statement saw."""

    machines: Machines
    snapshot: str


async def select_changed_figures(
    database: Database, view: FleetView, keys: Sequence[int], *, snapshot: str
) -> ChangedFigures | None:
    """Read those of a page's machines whose figures a snapshot may not have seen.

    keys: of all machines of the page. None when more than figures changed in the fleet.
    """
    rows = await SeenFleet(database, view).rows(SELECT_CHANGED_FIGURES, view.customer_id, keys, snapshot)
    if rows[0]["beyond_figures"]:
        return None
    return ChangedFigures(machines_of(rows, view), rows[0]["snapshot"])
