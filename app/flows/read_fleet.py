"""Read a customer's machines: a page of the fleet, or one of them."""

from dataclasses import dataclass
from uuid import UUID

from app.aemp.errors import AempError
from app.aemp.identifiers import decode_segment, normalise_identifier
from app.aemp.paging import last_page_of, page_bounds, require_page
from app.aemp.values import Equipment
from app.context import Context
from app.storage.fleet import select_equipment, select_fleet_page, select_mapped_page
from app.storage.page_maps import get_page_map, pin_page_map


@dataclass(frozen=True, slots=True)
class FleetPage:
    """One page and the number of the last one."""

    machines: tuple[Equipment, ...]
    page: int
    last_page: int


async def read_fleet_page(
    context: Context, customer_id: UUID, page: int, *, token_id: UUID | None = None
) -> FleetPage:
    """Raises AempError 404 past the end.

    token_id: of a reader who goes from page 1 to the last. Page 1 is read as the fleet stands, and pins which machine
    stands where; the later pages follow the pin, so that a machine that stays is on one of them, and on one only.
    """
    start, end = page_bounds(page)
    places = {"first": start + 1, "last": end}
    pinned = await get_page_map(context.valkey, token_id) if token_id and page > 1 else None
    if pinned is None:
        found = await select_fleet_page(context.database, customer_id, **places)
    else:
        found = await select_mapped_page(context.database, customer_id, pinned, **places)
    last_page = last_page_of(found.machine_count)
    require_page(page, last_page)
    if token_id and page == 1:
        await pin_page_map(context.valkey, token_id, found.map)
    return FleetPage(found.machines, page, last_page)


async def read_equipment(context: Context, customer_id: UUID, raw_segment: str) -> Equipment:
    """By PIN or VIN, else serial number, else equipment id, percent-encoded as it stood in the path. Another customer's machine is as unknown as none (404)."""
    identifier = normalise_identifier(decode_segment(raw_segment))
    machine = await select_equipment(context.database, customer_id, identifier)
    if machine is None:
        raise AempError(404, "equipment_not_found", "There is no such machine in this fleet.")
    return machine
