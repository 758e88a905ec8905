"""Write what machines told into history and into their newest readings: what every way in has in common."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from typing import Protocol, TypeVar
from uuid import UUID

from app.aemp.history.history import History
from app.aemp.history.settle import Kept, Refused, Rows, settle
from app.aemp.read.report import Rejection
from app.context import Context
from app.refused import RefusedError
from app.storage.errors import StatementRefusedError
from app.storage.fleet.history import create_partitions_of, insert_rows, select_kept, update_latest
from app.storage.fleet.known_machines import select_machines
from app.storage.postgres.database import Transaction

Answer_co = TypeVar("Answer_co", covariant=True)


class Attempt(Protocol[Answer_co]):
    async def __call__(self, *, careful: bool) -> Answer_co: ...


@dataclass(frozen=True, slots=True)
class Written:
    """What was written.

    stored: rows that were new or told something else. refused: each with its place in what was told.
    waiting: keys of the machines that get no readings, since another fleet claimed their PIN first.
    """

    stored: int
    refused: tuple[tuple[int, Refused], ...]
    waiting: frozenset[int]


class NotWholeError(RefusedError):
    """Nothing is kept, since something is refused."""

    code = "not_whole"
    status = 422

    def __init__(self, rejections: tuple[Rejection, ...]) -> None:
        super().__init__(f"nothing of it is kept; refused: {len(rejections)}")
        self.rejections = rejections


def keep_whole(rejections: tuple[Rejection, ...]) -> None:
    """Raises NotWholeError when there is any."""
    if rejections:
        raise NotWholeError(rejections)


async def prepare_history(context: Context, times: Iterable[datetime]) -> Kept:
    """Create the partitions that readings of these times need, and return what history takes now."""
    days = [datetime.combine(day, time(), UTC) for day in {at.date() for at in times}]
    await create_partitions_of(context.database, days)
    return await select_kept(context.database)


async def fresh_then_careful(attempt: Attempt[Answer_co]) -> Answer_co:
    """Insert readings as new, as most are; if one was not, write all again with a look at each."""
    try:
        return await attempt(careful=False)
    except StatementRefusedError as refused:
        if not (refused.key_is_taken or refused.lost_a_race):
            raise
    return await attempt(careful=True)


async def write(
    transaction: Transaction,
    customer_id: UUID | None,
    told: Sequence[tuple[int, History]],
    kept: Kept,
    *,
    careful: bool,
    snapshot: bool = False,
) -> Written:
    """Write histories; call it once a transaction. told: by machine, the same one perhaps several times."""
    machines = await select_machines(transaction, customer_id, list({key for key, _ in told}))
    if careful:
        machines = {key: replace(machine, newest_at=kept.until_at) for key, machine in machines.items()}
    rows = Rows()
    refused = [
        (place, each)
        for place, (key, history) in enumerate(told)
        for each in settle(machines[key], history, kept, rows, snapshot=snapshot)
    ]
    stored = await insert_rows(transaction, rows)
    await update_latest(transaction, rows.latest)
    return Written(
        stored, tuple(refused), frozenset(key for key, machine in machines.items() if machine.waits)
    )
