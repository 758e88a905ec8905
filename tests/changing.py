"""Changes made behind the service's back, and heard by it before the test goes on."""

import asyncio

from app.context import Context
from app.oauth.token_string import new_id


async def change(context: Context, statement: str, *arguments: object) -> int:
    """Run a statement as the service's role; the number of rows."""
    rows = await context.database.count(statement, *arguments)
    await hear(context)
    return rows


async def hear(context: Context) -> None:
    """Wait until what was committed before has been heard: one connection keeps the order."""
    before, mark = context.changes.number, new_id()
    await context.database.count("SELECT pg_notify('rovitracker_changes', $1)", str(mark))
    async with asyncio.timeout(10):
        while not context.changes.since(before, (mark,)):
            await asyncio.sleep(0.005)
