"""Take a batch of readings from devices or a gateway: keep what can be kept, and name the rest."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from app.aemp.history.history import history_of
from app.aemp.model.identifiers import meant_by
from app.aemp.read.report import Name, Rejection, Report, read_all
from app.context import Context
from app.flows.fleet.write_history import fresh_then_careful, keep_whole, prepare_history, write
from app.storage.fleet.history import write_history
from app.storage.fleet.known_machines import select_keys_named
from app.storage.postgres.database import Transaction


@dataclass(frozen=True, slots=True)
class Telemetry:
    """accepted: readings. stored: rows that told something new. rejections: the rest."""

    accepted: int
    stored: int
    rejections: tuple[Rejection, ...]


async def write_telemetry(
    context: Context, customer_id: UUID | None, reports: Iterable[Report], *, whole: bool = False
) -> Telemetry:
    """Write a batch of readings; writing it again changes nothing.

    customer_id: the owner of the machines; None for everybody's machines, by PIN or serial number.
    whole: whether a refusal keeps back everything.
    Raises FlawError when it is no batch.
    Raises NotWholeError when something is refused, and it was to be kept whole.
    """
    # 1. What is told
    # It is a tenth of a second's work, in which others have their turns.
    read = await asyncio.to_thread(read_all, reports)
    unreadable = [rejection for report in read for rejection in report.rejections]
    times = (reading.at for report in read for _, reading in report.readings)
    kept = await prepare_history(context, times)

    async def attempt(*, careful: bool) -> Telemetry:
        async with write_history(context.database) as transaction:
            # 2. By which machines
            known, unknown = await _resolve(transaction, customer_id, read)
            told = [(key, history_of(report.readings)) for key, report in known]
            # 3. Kept, or refused for its time
            written = await write(transaction, customer_id, told, kept, careful=careful)
            refused = [
                Rejection(known[place][1].place, each.element, each.at, each.reason)
                for place, each in written.refused
            ]
            rejections = (*unreadable, *unknown, *refused)
            if whole:
                keep_whole(rejections)
        accepted = sum(len(report.readings) for _, report in known) - len(refused)
        return Telemetry(accepted, written.stored, rejections)

    return await fresh_then_careful(attempt)


async def _resolve(
    transaction: Transaction, customer_id: UUID | None, reports: list[Report]
) -> tuple[list[tuple[int, Report]], list[Rejection]]:
    """Reports with their machines' keys, and a rejection for every reading of a report without one."""
    values = {report.name[1] for report in reports if report.name}
    named = await select_keys_named(transaction, customer_id, list(values))
    known: list[tuple[int, Report]] = []
    unknown: list[Rejection] = []
    for report in reports:
        kind, value = report.name or (None, "")
        meant = meant_by(kind, named.get(value, ()))
        if len(meant) == 1:
            known.append((meant.pop(), report))
        else:
            reason = _whose(report.name, many=bool(meant))
            unknown += [Rejection(report.place, name, it.at, reason) for name, it in report.readings]
    return known, unknown


def _whose(name: Name | None, *, many: bool) -> str:
    if name is None:
        return "nothing says which machine it is of"
    return f"{'more than one machine' if many else 'no machine that you write for'} goes by {name[1]!r}"
