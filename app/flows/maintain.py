"""Upkeep: partitions ahead of time, rows that are past deleted in small batches."""

import asyncio
import random

import structlog

from app.context import Context
from app.storage.errors import StatementRefusedError, StoreUnavailableError
from app.storage.maintenance import call_create_partitions, call_delete_past_rows

_EVERY_S = 3600
_BATCH = 1000

_log = structlog.get_logger()


async def maintain(context: Context) -> tuple[int, int]:
    """Partitions created and rows deleted."""
    created = await call_create_partitions(context.database)
    deleted = 0
    while batch := await call_delete_past_rows(context.database, _BATCH):
        deleted += batch
        await asyncio.sleep(0)
    return created, deleted


async def maintain_for_ever(context: Context) -> None:
    """Once an hour in every process; the statements step aside for each other. Ends by being cancelled."""
    while True:
        try:
            created, deleted = await maintain(context)
            _log.info("maintained", partitions_created=created, rows_deleted=deleted)
        except (StoreUnavailableError, StatementRefusedError) as error:
            _log.warning("maintenance postponed", detail=str(error))
        await asyncio.sleep(_EVERY_S * random.uniform(0.9, 1.1))  # noqa: S311  # spreads processes, guards nothing
