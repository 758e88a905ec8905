"""A machine's device is replaced: the new one counts from its own zero, and the machine's figures go on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.aemp.model.series import SERIES, Metric
from app.context import Context
from app.flows.fleet.find_machine import find_machine
from app.oauth.actor import Actor
from app.refused import RefusedError
from app.storage.fleet.fleet_import import ingest
from app.storage.fleet.offsets import Offset, lock_readings, select_last_value, upsert_offset
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.members import Member
from app.storage.postgres.database import Transaction

# Figures that a tracker counts by itself; the rest comes from the machine's own computers.
COUNTED = (Metric.CUMULATIVE_OPERATING_HOURS, Metric.DISTANCE)

# A figure beyond these would be no plausible reading, and could not be put right again.
_HIGHEST = {metric: series.value.highest for series in SERIES for metric in series.metrics}


class OffsetError(RefusedError):
    """There is no earlier figure to continue from, or the value to add is out of range."""

    code = "invalid_offset"


@dataclass(frozen=True, slots=True)
class OffsetSet:
    """values: what is added, by metric. restated: how many stored figures were changed."""

    values: Mapping[Metric, float]
    restated: int


async def set_offset(
    context: Context,
    actor: Actor,
    owner: Member,
    identifier: str,
    from_at: datetime,
    *,
    values: Mapping[Metric, float],
) -> OffsetSet:
    """Add to a machine's figures from a time on.

    values: what is added, by metric; without any, each figure continues from where it stood.
    Raises MachineError when the identifier means no machine, or several.
    Raises OffsetError when a value is out of range, or there is no earlier figure to continue from.
    """
    for metric, value in values.items():
        if not abs(value) <= _HIGHEST[metric]:  # NaN is refused too
            raise OffsetError(f"{value:g} cannot be added to any figure")
    async with ingest(context.database) as transaction:
        # 1. Nobody changes what is stored until the end
        await lock_readings(transaction)
        machine = await find_machine(transaction, owner, identifier)
        # 2. What is added
        put = values or await _last_values(transaction, machine.key, from_at)
        if not put:
            raise OffsetError(
                f"nothing is known of {identifier} before then: give the figures",
                code="no_figures",
                status=409,
            )
        # 3. To what is stored, and to what will be
        restated = 0
        for metric, added in put.items():
            restated += await upsert_offset(transaction, Offset(machine.key, metric, from_at), added)
        detail: dict[str, str | int | None] = {"equipment_key": machine.key, "from_at": from_at.isoformat()}
        detail |= {metric.name.lower(): str(added) for metric, added in put.items()}
        await insert_audit_event(
            transaction,
            AuditEvent("machine.offset_set", actor, customer_id=owner.customer_id, detail=detail),
        )
    return OffsetSet(put, restated)


async def _last_values(transaction: Transaction, key: int, from_at: datetime) -> dict[Metric, float]:
    """The last value of each figure before then; a figure that was never told is left out."""
    last = {metric: await select_last_value(transaction, Offset(key, metric, from_at)) for metric in COUNTED}
    return {metric: value for metric, value in last.items() if value is not None}
