"""The kept history of a customer's machines, as the service sees it when it acts for them."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.aemp.model.values import Equipment, EquipmentHeader
from app.context import Context
from app.flows.fleet.import_fleet import import_machines
from tests.support.fleets import find, seen_by

# A few days ago, on the hour: everything in these tests is new enough to be kept, and none of it from the future.
THEN = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=3)
HOUR = timedelta(hours=1)


async def add(context: Context, customer_id: UUID, *pins: str) -> None:
    """Machines of which nothing is known yet; the serial number of each is its PIN turned round."""
    headers = [EquipmentHeader(pin=pin, serial_number=pin[::-1], equipment_id=f"Our {pin}") for pin in pins]
    await import_machines(context, customer_id, [Equipment(header=header) for header in headers])


async def figures(context: Context, customer_id: UUID, metric: int) -> list[tuple[datetime, float]]:
    """The figures of all machines that were ever the customer's, in order."""
    statement = "SELECT at, value FROM reading WHERE metric = $1 ORDER BY at, value"
    return [(row["at"], row["value"]) for row in await seen_by(context, customer_id, statement, metric)]


async def snapshot(context: Context, customer_id: UUID, pin: str) -> Equipment:
    found = await find(context, customer_id, pin)
    assert isinstance(found, Equipment)
    return found
