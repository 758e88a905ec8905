"""Read a customer's machines: a page of the fleet, or one of them."""

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from app.aemp.address.addresses import more_than_one_machine, no_such_dates
from app.aemp.address.paging import page_bounds, require_page
from app.aemp.model.columns import Machines
from app.aemp.model.identifiers import Sought, no_such_machine
from app.context import Context
from app.flows.fleet.pin_page_map import pin_page_map
from app.storage.fleet.fleet import (
    Machine,
    PageMap,
    select_equipment,
    select_fleet_page,
    select_mapped_page,
)
from app.storage.fleet.page_maps import get_page_map
from app.storage.fleet.shares import select_shared_page
from app.storage.fleet.view import FleetView, SeenFleet


class SeenPage(NamedTuple):
    """What a page was read by. map: None for chosen machines. asked_at: the newest change that was heard of before."""

    snapshot: str
    map: PageMap | None
    asked_at: int


@dataclass(frozen=True, slots=True)
class FleetPage:
    """One page and the number of the last one. seen: None where the page may not be given again."""

    machines: Machines
    page: int
    last_page: int
    seen: SeenPage | None = None


async def read_fleet_page(
    context: Context, view: FleetView, page: int, *, token_id: UUID | None = None
) -> FleetPage:
    """Read one page of a fleet, or of the machines of it that are shared.

    token_id: of a reader who goes from page 1 to the last. Page 1 is read as the fleet stands, and pins which machine
    stands where; the later pages follow the pin, so that a machine that stays is on one of them, and on one only. The
    page after a full last one, by the pin, is there for such a reader, and empty.
    Raises AempError 404 when the page is past the end.
    """
    start, end = page_bounds(page)
    places = {"first": start + 1, "last": end}
    asked_at = context.changes.number
    if view.share is not None:
        machines, last_place, snapshot = await select_shared_page(context.database, view, **places)
        last_page = require_page(page, last_place, until_short=token_id is not None)
        return FleetPage(machines, page, last_page, SeenPage(snapshot, None, asked_at))
    pinned = await get_page_map(context.valkey, token_id) if token_id and page > 1 else None
    if pinned is None:
        found = await select_fleet_page(context.database, view, **places)
    else:
        found = await select_mapped_page(context.database, view, pinned, **places)
    last_page = require_page(page, found.machine_count, until_short=token_id is not None)
    if token_id and page == 1:
        await pin_page_map(context, token_id, found.map)
    # By an older map it is this reader's page alone.
    is_everybodys = bool(found.snapshot) and pinned in (None, found.map)
    return FleetPage(
        found.machines,
        page,
        last_page,
        SeenPage(found.snapshot, found.map, asked_at) if is_everybodys else None,
    )


async def read_equipment(
    context: Context, view: FleetView, sought: Sought, perhaps: Sought | None = None
) -> Machine:
    """Read one machine.

    perhaps: the machine that the address names if its end was meant for dates.
    Raises AempError 404 when there is no such machine, 409 when there is more than one, and 400 when only `perhaps` is
    one.
    """
    fleet = SeenFleet(context.database, view)
    machines = await select_equipment(fleet, view, sought)
    if not machines and perhaps and await select_equipment(fleet, view, perhaps):
        raise no_such_dates()
    return _only(sought, machines)


async def require_machine(fleet: SeenFleet, view: FleetView, sought: Sought) -> Machine:
    """Raises AempError 404 when there is no such machine, and 409 when there is more than one."""
    return _only(sought, await select_equipment(fleet, view, sought))


def _only(sought: Sought, machines: tuple[Machine, ...]) -> Machine:
    """Another customer's machine is as unknown as none (404)."""
    if not machines:
        raise no_such_machine()
    if len(machines) > 1:
        raise more_than_one_machine(sought, [each.equipment.header for each in machines])
    return machines[0]
