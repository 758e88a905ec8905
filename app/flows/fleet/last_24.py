"""Fuel, load and top speed of the last 24 hours: brought up to each machine's newest reading, outside any request."""

import asyncio

from app.context import Context
from app.storage.fleet.history import write_history
from app.storage.fleet.last_24 import select_due, update_last_24

_BATCH = 200  # machines; a day of five-minute readings of each is read within a tenth of a second


async def refresh_last_24(context: Context) -> int:
    """Refresh the machines that told something new, and return how many they were.

    Each batch is one short transaction; a process that comes too late finds nothing to do.
    """
    refreshed = after = 0
    while True:
        async with write_history(context.database) as transaction:
            keys = await select_due(transaction, after=after, most=_BATCH)
            if not keys:
                return refreshed
            refreshed += await update_last_24(transaction, keys)
        after = keys[-1]
        await asyncio.sleep(0)
