"""Live tokens by the million, as rows like any other, put into an empty database by its owner."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from bench.ground.database import connected
from bench.size.database import read_size
from bench.size.growth.rows import CREATE_FILLING, INSERT_CUSTOMERS, INSERT_FILLING, INSERT_TOKENS
from bench.size.progress import progressing

GROWING = ("authorization_grant", "classic_token")  # a row each for a token

_TOKENS_A_CUSTOMER = 2
_DAYS = 180  # over which they were issued
_CHUNK = 100_000

_SELECT_INDEXES = (
    "SELECT indexname AS name, indexdef AS definition FROM pg_indexes WHERE tablename = ANY($1) ORDER BY 1"
)
_SELECT_KEYS = """
SELECT conname AS name, conrelid::regclass::text AS on_table, pg_get_constraintdef(oid) AS definition
FROM pg_constraint WHERE contype = 'p' AND conrelid::regclass::text = ANY($1)
"""


@dataclass(frozen=True, slots=True)
class Filled:
    """Seconds it took, and bytes afterwards: of the tables and indexes that have a row a token, and of all the database."""

    tokens: int
    seconds: float
    table_bytes: int
    index_bytes: int
    database_bytes: int


async def fill(url: str, count: int, applications: Sequence[UUID]) -> Filled:
    """The rows come first and their indexes afterwards, which is several times quicker than both at once."""
    began = time.monotonic()
    customers = max(1, count // _TOKENS_A_CUSTOMER)
    named = f"{count:,} tokens: "
    async with connected(url) as connection:
        await connection.execute(
            "SET synchronous_commit = off; SET maintenance_work_mem = '1GB'; SET work_mem = '64MB'"
        )
        await connection.execute(CREATE_FILLING)
        await connection.execute(INSERT_FILLING, count, customers, list(applications), _DAYS)
        async with _without_indexes(connection, GROWING, f"{named}indexes built"):
            await _in_chunks(connection, INSERT_CUSTOMERS, customers, f"{named}customers")
            await _in_chunks(connection, INSERT_TOKENS, count, f"{named}tokens")
        for table in ("customer", *GROWING):
            await connection.execute(f"VACUUM (FREEZE, ANALYZE) {table}", timeout=None)
        whole = await connection.fetchval("SELECT pg_database_size(current_database())")
    size = await read_size(url, GROWING)
    return Filled(count, round(time.monotonic() - began, 1), size.table, size.index, whole)


async def refill(connection: Any) -> None:
    """A small database as it was, without what a round added. The rows are the same again, their indexes kept."""
    count = await connection.fetchval("SELECT count FROM bench_filling")
    async with connection.transaction():
        await connection.execute("TRUNCATE authorization_grant, classic_token")
        await connection.execute(INSERT_TOKENS, 0, count - 1)
    await connection.execute("VACUUM (ANALYZE) authorization_grant, classic_token")


async def _in_chunks(connection: Any, statement: str, count: int, what: str) -> None:
    with progressing(what, count) as advance:
        for first in range(0, count, _CHUNK):
            last = min(first + _CHUNK, count)
            await connection.execute(statement, first, last - 1, timeout=None)
            advance(last - first)


@asynccontextmanager
async def _without_indexes(connection: Any, tables: Sequence[str], what: str) -> AsyncIterator[None]:
    """what: how their building is called when they are built again."""
    keys = await connection.fetch(_SELECT_KEYS, list(tables))
    names = {key["name"] for key in keys}
    indexes = [
        each for each in await connection.fetch(_SELECT_INDEXES, list(tables)) if each["name"] not in names
    ]
    for key in keys:
        await connection.execute(f"ALTER TABLE {key['on_table']} DROP CONSTRAINT {key['name']}")
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['name']}")
    yield
    statements = [
        *(f"ALTER TABLE {key['on_table']} ADD CONSTRAINT {key['name']} {key['definition']}" for key in keys),
        *(index["definition"] for index in indexes),
    ]
    with progressing(what, len(statements)) as advance:
        for statement in statements:
            await connection.execute(statement, timeout=None)
            advance(1)
