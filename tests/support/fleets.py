"""Fleets of small machines, and what one customer sees of theirs."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.aemp.model.identifiers import sought_by
from app.aemp.model.values import Equipment, EquipmentHeader, Hours
from app.context import Context
from app.flows.fleet.import_fleet import import_machines
from app.storage.fleet.fleet import select_equipment, select_fleet_page
from app.storage.fleet.view import FleetView, fleet_of
from app.storage.postgres.database import Row

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def machine(pin: str, *, hours: float | None = None, at: datetime = NOW, **header: Any) -> Equipment:
    """A machine of this PIN. hours: its one reading, told at `at`; without it there is none."""
    reading = Hours(at=at, hours=hours) if hours is not None else None
    return Equipment(header=replace(EquipmentHeader(pin=pin), **header), cumulative_operating_hours=reading)


async def fill(context: Context, customer_id: UUID, *pins: str) -> None:
    """Machines of these PINs, in this order, each with a reading."""
    await import_machines(context, customer_id, [machine(pin, hours=1) for pin in pins])


async def pins_of(context: Context, customer_id: UUID) -> list[str | None]:
    """The PINs, as the pages have them now."""
    page = await select_fleet_page(context.database, FleetView(customer_id), first=1, last=1000)
    assert len(page.machines) == page.machine_count
    return [each.header.pin for each in page.machines]


async def seen_by(context: Context, customer_id: UUID, statement: str, *arguments: object) -> list[Row]:
    """The rows that the service sees when it acts for this customer."""
    async with fleet_of(context.database, FleetView(customer_id)) as transaction:
        return await transaction.rows(statement, *arguments)


async def find(context: Context, customer_id: UUID, name: str) -> Equipment | None:
    """The machine that goes by this name; None where the customer has none."""
    view = FleetView(customer_id)
    async with fleet_of(context.database, view) as fleet:
        found = await select_equipment(fleet, view, sought_by(name))
    return found[0].equipment if found else None
