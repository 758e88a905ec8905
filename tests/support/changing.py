"""Changes made behind the service's back, and heard by it before the test goes on."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

import asyncpg

from app.context import Context
from app.oauth.token_string import new_id
from tests.support.spread import understood

_PATIENCE_S = 10.0

_WAITS_FOR_ROWS = """
SELECT FROM pg_locks waiting JOIN pg_locks held USING (pid)
WHERE NOT waiting.granted AND held.relation = $1::regclass
  AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


async def change(context: Context, statement: str, *arguments: object) -> int:
    """Run a statement as the service's role; the number of rows."""
    rows = await context.database.count(statement, *arguments)
    await hear(context)
    return rows


async def as_owner(database_url: str, statement: str, *arguments: object) -> None:
    """Run a statement that no right of the service's role reaches."""
    owner = await asyncpg.connect(database_url)
    try:
        await owner.execute(understood(statement), *arguments)
    finally:
        await owner.close()


async def hear(context: Context) -> None:
    """Wait until what was committed before has been heard: one connection keeps the order."""
    before, mark = context.changes.number, new_id()
    await context.database.count("SELECT pg_notify('rovitracker_changes', $1)", str(mark))
    await until(lambda: context.changes.since(before, (mark,)))


async def until(condition: Callable[[], bool]) -> float:
    """Seconds until it came true.

    It is looked at every 5 ms, and fails after 10 s.
    """
    began = monotonic()
    while not condition():
        assert monotonic() - began < _PATIENCE_S
        await asyncio.sleep(0.005)
    return monotonic() - began


async def until_true(condition: Callable[[], Awaitable[bool]], patience_s: float = _PATIENCE_S) -> None:
    """The same of what has to be awaited. It fails after patience_s seconds."""
    began = monotonic()
    while not await condition():
        assert monotonic() - began < patience_s
        await asyncio.sleep(0.005)


async def until_somebody_waits(context: Context, table: str) -> None:
    """Wait until a statement on the table waits for a row that another transaction holds."""

    async def waits() -> bool:
        return bool(await context.database.rows(_WAITS_FOR_ROWS, table))

    await until_true(waits)


async def within_a_second(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition, as long as a revocation may take to reach another process."""
    began = monotonic()
    while not await condition():
        assert monotonic() - began < 1


_WAITING = """\
SELECT count(*) AS waiting FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE a.datname = current_database() AND l.locktype = 'transactionid' AND NOT l.granted"""


async def waits_for_another(context: Context) -> bool:
    """Whether some connection of this database waits for another's transaction to end."""
    [row] = await context.database.rows(_WAITING)
    return bool(row["waiting"])
