"""Read a customer's machines: a page of the fleet, or one of them."""

from dataclasses import dataclass
from uuid import UUID

from app.aemp.addresses import no_such_dates
from app.aemp.identifiers import Sought, no_such_machine
from app.aemp.paging import last_page_of, page_bounds, require_page
from app.aemp.values import Equipment
from app.context import Context
from app.storage.database import Transaction
from app.storage.fleet import Machine, fleet_of, select_equipment, select_fleet_page


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


async def read_equipment(
    context: Context, customer_id: UUID, sought: Sought, perhaps: Sought | None = None
) -> Equipment:
    """perhaps: which machine the address names if its end was meant for dates; there being one, that is told (400)."""
    async with fleet_of(context.database, customer_id) as fleet:
        machine = await select_equipment(fleet, customer_id, sought)
        if machine is None and perhaps and await select_equipment(fleet, customer_id, perhaps):
            raise no_such_dates()
        return _required(machine).equipment


async def find_machine(fleet: Transaction, customer_id: UUID, sought: Sought) -> Machine:
    return _required(await select_equipment(fleet, customer_id, sought))


def _required(machine: Machine | None) -> Machine:
    """Another customer's machine is as unknown as none (404)."""
    if machine is None:
        raise no_such_machine()
    return machine
