"""Read what one machine reported over time: a page of a series, or which series there are."""

from dataclasses import dataclass

from app.aemp.address.paging import last_page_of, page_bounds, require_page
from app.aemp.address.ranges import Range
from app.aemp.model.columns import Columns
from app.aemp.model.identifiers import Sought, no_such_machine
from app.aemp.model.series import Series
from app.context import Context
from app.flows.fleet.read_fleet import require_machine
from app.storage.fleet.fleet import Machine
from app.storage.fleet.series import Asked, Counted, select_reported, select_series_page
from app.storage.fleet.view import FleetView, SeenFleet


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
    asked, asked_at = Asked(view, sought, within), context.changes.number
    known = _recall_count(context, asked, series, page)
    fleet, (first, _) = SeenFleet(context.database, view), page_bounds(page)
    found = await select_series_page(fleet, asked, series, offset=first, counted=known is None)
    if known and found and (found.machine_key, found.version) != (known.machine_key, known.version):
        known = None  # the machine told something since, or another goes by its name
        found = await select_series_page(fleet, asked, series, offset=first, counted=True)
    if found is None:
        await require_machine(fleet, view, sought)
        raise no_such_machine()  # it came after its readings were asked for
    if known:
        count = known.readings
    else:
        count = found.count or 0
        if found.version is not None:
            counted = Counted(count, found.machine_key, found.version, asked_at)
            context.counts.keep((asked, series.name), counted)
    return FoundReadings(found.machine_key, found.readings, require_page(page, count))


async def read_reported(
    context: Context, view: FleetView, sought: Sought, within: Range
) -> tuple[Machine, tuple[Series, ...]]:
    """The machine, and its series that have a reading in the range. Raises AempError 404 when it is unknown."""
    fleet = SeenFleet(context.database, view)
    machine = await require_machine(fleet, view, sought)
    return machine, await select_reported(fleet, machine.key, within)


def _recall_count(context: Context, asked: Asked, series: Series, page: int) -> Counted | None:
    """How many readings there were, for pages read one after the other; None where they are counted anew.

    A page is not called the last, or missing, by what is remembered. A standby that takes over may give the same version
    again, and changes are not heard meanwhile.
    """
    known, changes = context.counts.get((asked, series.name)), context.changes
    if known is None or page >= last_page_of(known.readings):
        return None
    return known if changes.current and not changes.since(known.asked_at, ()) else None
