"""A machine's device is replaced: the new one counts from its own zero, and the machine's figures go on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.aemp.identifiers import meant_by, normalise_identifier
from app.aemp.series import Metric
from app.context import Context
from app.storage.audit import AuditEvent, insert_audit_event
from app.storage.fleet_import import ingest
from app.storage.known_machines import select_named
from app.storage.offsets import Offset, select_last_value, upsert_offset

# What a tracker counts by itself; the rest comes from the machine's own computers.
COUNTED = (Metric.CUMULATIVE_OPERATING_HOURS, Metric.DISTANCE)


class OffsetError(Exception):
    """Which machine is meant is not clear, or there is nothing to go on from."""


@dataclass(frozen=True, slots=True)
class OffsetSet:
    """By metric: what is added. restated: figures that were stored without it."""

    values: Mapping[Metric, float]
    restated: int


async def set_offset(
    context: Context, customer_id: UUID, identifier: str, from_at: datetime, values: Mapping[Metric, float]
) -> OffsetSet:
    """values: what is added from that time on; without any, each figure goes on from where it stood. Raises OffsetError."""
    async with ingest(context.database) as transaction:
        value = normalise_identifier(identifier)
        named = await select_named(transaction, customer_id, [value])
        meant = meant_by(None, named.get(value, ()))
        if len(meant) != 1:
            many = "more than one machine of this customer" if meant else "no machine of this customer"
            raise OffsetError(f"{many} goes by {identifier}")
        key = meant.pop()
        put: dict[Metric, float] = dict(values)
        if not put:
            last = {m: await select_last_value(transaction, Offset(key, m, from_at)) for m in COUNTED}
            put = {metric: value for metric, value in last.items() if value is not None}
        if not put:
            raise OffsetError(f"nothing is known of {identifier} before then: give the figures")
        restated = 0
        for metric, added in put.items():
            restated += await upsert_offset(transaction, Offset(key, metric, from_at), added)
        detail: dict[str, str | int | None] = {"equipment_key": key, "from_at": from_at.isoformat()}
        detail |= {metric.name.lower(): str(added) for metric, added in put.items()}
        await insert_audit_event(
            transaction,
            AuditEvent("machine.offset_set", "command line", customer_id=customer_id, detail=detail),
        )
    return OffsetSet(put, restated)
