"""Count who read what: noted in memory at each answer, written every few seconds for all, and told by day."""

import asyncio
from contextlib import suppress
from uuid import UUID

import structlog

from app.aemp.address.read_kind import ReadKind
from app.context import Context
from app.storage.errors import PassingError
from app.storage.fleet.machine_reads import ReadsOfMachine, select_reads_by_machine
from app.storage.fleet.view import FleetView, fleet_of
from app.storage.token.reads import ReadKey, ReadsOfDay, select_reads_by_day, upsert_reads
from app.storage.token.tokens import StoredToken

_EVERY_S = 5.0

_log = structlog.get_logger()


def note_read(
    context: Context, customer_id: UUID, token: StoredToken, kind: ReadKind, *, equipment_key: int
) -> None:
    """Count one document that was read. equipment_key: of the machine that was named, else 0."""
    now = context.now()
    key = ReadKey(
        customer_id, token.application_id, equipment_key, now.date(), kind, token.connection_version
    )
    context.reads.note(key, now)


async def write_reads_for_ever(context: Context, stopping: asyncio.Event) -> None:
    """Write until told to stop, and then what is left. Who tells it wakes it by `context.reads.due`."""
    while not stopping.is_set():
        await write_reads(context)
        with suppress(TimeoutError):
            await asyncio.wait_for(context.reads.due.wait(), _EVERY_S)
    await write_reads(context)
    if len(context.reads):
        _log.error("counts of reads are lost", rows=len(context.reads))


async def write_reads(context: Context) -> None:
    """Write what waits, in one statement unless it is very much.

    What could not be written waits on. Where the connection broke on the very answer, it may be counted twice: a read
    that the customer never hears of would be worse.
    """
    reads = context.reads
    reads.due.clear()
    while taken := reads.take():
        try:
            await upsert_reads(context.database, taken)
        except Exception as fault:  # noqa: BLE001  # nobody awaits the task that calls this
            reads.put_back(taken)
            if isinstance(fault, PassingError):
                _log.warning("counts of reads wait for the database", rows=len(reads), detail=str(fault))
            else:
                _log.exception("counts of reads could not be written", rows=len(reads))
            break
    if lost := reads.forget_lost():
        _log.error("reads were not counted", reads=lost, detail="too many rows waited for the database")


async def reads_by_day(
    context: Context, customer_id: UUID, application_id: UUID, days: int
) -> tuple[ReadsOfDay, ...]:
    """What the application read today and on the days before; what was not read is left out.

    days: how many, today included; in UTC. kind: a number of ReadKind.
    """
    return await select_reads_by_day(
        context.database, customer_id=customer_id, application_id=application_id, days=days
    )


async def reads_by_machine(
    context: Context, customer_id: UUID, application_id: UUID, days: int, *, most: int
) -> tuple[tuple[ReadsOfMachine, ...], int]:
    """The machines that the application named most often in these days, and how many it named in all."""
    async with fleet_of(context.database, FleetView(customer_id)) as transaction:
        return await select_reads_by_machine(transaction, customer_id, application_id, days=days, most=most)
