"""Read what one machine reported over time: a page of a series, or which series there are."""

from dataclasses import dataclass

from app.aemp.address.paging import last_page_of, page_bounds, require_page
from app.aemp.address.ranges import Range
from app.aemp.model.columns import Columns
from app.aemp.model.identifiers import Sought
from app.aemp.model.series import Series
from app.context import Context
from app.flows.fleet.read_fleet import require_machine
from app.storage.fleet.fleet import Machine
from app.storage.fleet.series import Asked, Counted, count_readings, select_readings, select_reported
from app.storage.fleet.view import FleetView, series_of


@dataclass(frozen=True, slots=True)
class FoundReadings:
    """One page of a machine's readings, and the number of the last one."""

    machine_key: int
    readings: Columns
    last_page: int


async def read_series(
    context: Context, view: FleetView, sought: Sought, *, series: Series, within: Range, page: int
) -> FoundReadings:
    """Read one page of a series; the first is there even when nothing was reported.

    The page after a full last one is there too, and empty.
    Raises AempError 404 when there is no such machine or page, and 409 when there is more than one such machine.
    """
    asked_at = context.changes.number
    async with series_of(context.database, view) as fleet:
        machine = await require_machine(fleet, view, sought)
        asked = Asked(view, machine.key, within)
        count = _recall_count(context, asked, series, machine.version)
        # A page is not called the last, or missing, by what is remembered.
        if count is None or page >= last_page_of(count):
            count = await count_readings(fleet, asked, series)
            if machine.version is not None:
                context.counts.keep((asked, series.name), Counted(count, machine.version, asked_at))
        last_page = require_page(page, count)
        first, _ = page_bounds(page)
        readings = await select_readings(fleet, asked, series, machine.flat.columns, offset=first)
        return FoundReadings(machine.key, readings, last_page)


async def read_reported(
    context: Context, view: FleetView, sought: Sought, within: Range
) -> tuple[Machine, tuple[Series, ...]]:
    """The machine, and its series that have a reading in the range. Raises AempError 404 when it is unknown."""
    async with series_of(context.database, view) as fleet:
        machine = await require_machine(fleet, view, sought)
        return machine, await select_reported(fleet, Asked(view, machine.key, within))


def _recall_count(context: Context, asked: Asked, series: Series, version: int | None) -> int | None:
    """How many readings there were, for pages read one after the other; None where the machine told something since.

    version: of the machine, read before. What is counted after it has seen at least what made that version.
    """
    known, changes = context.counts.get((asked, series.name)), context.changes
    if known is None or known.version != version:
        return None
    # A standby that takes over may give the same version again, and changes are not heard meanwhile.
    return known.readings if changes.current and not changes.since(known.asked_at, ()) else None
