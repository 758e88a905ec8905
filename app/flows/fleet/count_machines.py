"""How many machines a customer has, and how many of them were heard of today."""

from dataclasses import dataclass
from datetime import time
from uuid import UUID

from app.context import Context
from app.storage.fleet.fleet import count_heard


@dataclass(frozen=True, slots=True)
class MachineCount:
    """heard_today: since midnight, UTC."""

    machines: int
    heard_today: int


async def count_machines(context: Context, customer_id: UUID) -> MachineCount:
    now = context.now()
    midnight = now.combine(now.date(), time(tzinfo=now.tzinfo))
    return MachineCount(*await count_heard(context.database, customer_id, midnight))
