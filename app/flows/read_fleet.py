"""Read a customer's machines: a page of the fleet, or one of them."""

from dataclasses import dataclass
from uuid import UUID

from app.aemp.errors import AempError
from app.aemp.identifiers import decode_segment, normalise_identifier
from app.aemp.paging import last_page_of, page_bounds, require_page
from app.aemp.values import Equipment
from app.context import Context
from app.storage.fleet import select_equipment, select_fleet_page


@dataclass(frozen=True, slots=True)
class FleetPage:
    """One page and the number of the last one."""

    machines: tuple[Equipment, ...]
    page: int
    last_page: int


async def read_fleet_page(context: Context, customer_id: UUID, page: int) -> FleetPage:
    """Raises AempError 404 past the end."""
    start, end = page_bounds(page)
    found = await select_fleet_page(context.database, customer_id, first=start + 1, last=end)
    last_page = last_page_of(found.machine_count)
    require_page(page, last_page)
    return FleetPage(found.machines, page, last_page)


async def read_equipment(context: Context, customer_id: UUID, raw_segment: str) -> Equipment:
    """By PIN or VIN, else serial number, else equipment id, percent-encoded as it stood in the path. Another customer's machine is as unknown as none (404)."""
    identifier = normalise_identifier(decode_segment(raw_segment))
    machine = await select_equipment(context.database, customer_id, identifier)
    if machine is None:
        raise AempError(404, "equipment_not_found", "There is no such machine in this fleet.")
    return machine
