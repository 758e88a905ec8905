"""Write long histories of many machines: batch after batch, two at a time, each in a transaction of its own."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from uuid import UUID

from app.aemp.history.history import History
from app.aemp.history.settle import Kept
from app.aemp.model.identity import Identity, identity_of
from app.context import Context
from app.flows.fleet.write_history import Written, fresh_then_careful, write
from app.storage.fleet.fleet_import import ingest, select_headers
from app.storage.fleet.history import write_history

Told = tuple[int, History]

_BATCH = 100_000  # figures: half a second in PostgreSQL, and the newest ones are written once for all
_WRITERS = 2  # while PostgreSQL puts the rows of one in place, the other gathers its own


async def keys_by_identity(context: Context, customer_id: UUID) -> dict[Identity, int]:
    """The keys of a fleet's machines, by identity."""
    async with ingest(context.database) as transaction:
        headers = await select_headers(transaction, customer_id)
    return {identity: key for key, header in headers.items() if (identity := identity_of(header))}


async def load_history(
    context: Context,
    customer_id: UUID,
    told: Iterable[Told],
    kept: Kept,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Write histories, and return how many rows told something new.

    progress: told how many positions were written since its last call.
    """
    batches = _batches(told)
    stored = await asyncio.gather(
        *(_write_all(context, customer_id, batches, kept, progress) for _ in range(_WRITERS))
    )
    return sum(stored)


async def _write_all(
    context: Context,
    customer_id: UUID,
    batches: Iterator[list[Told]],
    kept: Kept,
    progress: Callable[[int], None],
) -> int:
    """Write batches until none is left."""
    stored = 0
    for batch in batches:
        stored += await _write_one(context, customer_id, batch, kept)
        progress(sum(len(history.locations) for _, history in batch))
    return stored


async def _write_one(context: Context, customer_id: UUID, batch: list[Told], kept: Kept) -> int:
    async def attempt(*, careful: bool) -> Written:
        async with write_history(context.database) as transaction:
            return await write(transaction, customer_id, batch, kept, careful=careful)

    return (await fresh_then_careful(attempt)).stored


def _batches(told: Iterable[Told]) -> Iterator[list[Told]]:
    batch: list[Told] = []
    figures = 0
    for each in told:
        batch.append(each)
        figures += len(each[1].figures)
        if figures >= _BATCH:
            yield batch
            batch, figures = [], 0
    if batch:
        yield batch
