"""Take a batch of readings from devices or a gateway: keep what can be kept, and name the rest."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.aemp.history.history import history_of
from app.aemp.model.identifiers import Name, meant_by, several_of
from app.aemp.model.values import EquipmentHeader
from app.aemp.read.report import Rejection, Report, read_all
from app.context import Context
from app.flows.fleet.write_history import fresh_then_careful, keep_whole, prepare_history, write
from app.storage.fleet.history import write_history
from app.storage.fleet.known_machines import select_candidates
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
    kept = await prepare_history(context, (reading.at for report in read for _, reading in report.readings))

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
    values = {report.name.value for report in reports if report.name}
    named = await select_candidates(transaction, customer_id, list(values))
    known: list[tuple[int, Report]] = []
    unknown: list[Rejection] = []
    for report in reports:
        meant = meant_by(report.name, named.get(report.name.value, ())) if report.name else {}
        if len(meant) == 1:
            known.append((next(iter(meant)), report))
        else:
            reason = _whose(report.name, list(meant.values()), own=customer_id is not None)
            unknown += [Rejection(report.place, name, it.at, reason) for name, it in report.readings]
    return known, unknown


def _whose(name: Name | None, meant: Sequence[EquipmentHeader], *, own: bool) -> str:
    """The reason why no one machine is meant. own: whether the machines are the caller's, who may hear which they are."""
    if name is None:
        return "nothing says which machine it is of"
    if not meant:
        return f"no machine that you write for goes by {name}"
    return several_of(name, meant if own else ())
