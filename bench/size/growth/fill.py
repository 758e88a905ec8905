"""Live tokens by the million, as rows like any other, put into an empty database by its owner."""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from bench.size.growth.rows import CREATE_FILLING, INSERT_CUSTOMERS, INSERT_FILLING, INSERT_TOKENS

TABLES = ("customer", "authorization_grant", "classic_token")

_TOKENS_A_CUSTOMER = 2
_DAYS = 180  # over which they were issued
_CHUNK = 100_000
_TOLD_EVERY_S = 10.0

_SELECT_INDEXES = (
    "SELECT indexname AS name, indexdef AS definition FROM pg_indexes WHERE tablename = ANY($1) ORDER BY 1"
)
_SELECT_KEYS = """
SELECT conname AS name, conrelid::regclass::text AS on_table, pg_get_constraintdef(oid) AS definition
FROM pg_constraint WHERE contype = 'p' AND conrelid::regclass::text = ANY($1)
"""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Filled:
    """Seconds it took, and bytes afterwards: of the tables and indexes that have a row a token, and of all the database."""

    tokens: int
    seconds: float
    table_bytes: int
    index_bytes: int
    database_bytes: int


async def fill(connection: Any, count: int, applications: Sequence[UUID], tell: Tell) -> Filled:
    """The rows come first and their indexes afterwards, which is several times quicker than both at once."""
    began = time.monotonic()
    customers = max(1, count // _TOKENS_A_CUSTOMER)
    await connection.execute(
        "SET synchronous_commit = off; SET maintenance_work_mem = '1GB'; SET work_mem = '64MB'"
    )
    await connection.execute(CREATE_FILLING)
    await connection.execute(INSERT_FILLING, count, customers, list(applications), _DAYS)
    async with _without_indexes(connection, TABLES[1:], tell):
        await _in_chunks(connection, INSERT_CUSTOMERS, customers, "customers", tell)
        await _in_chunks(connection, INSERT_TOKENS, count, "tokens", tell)
    tell("vacuuming")
    for table in TABLES:
        await connection.execute(f"VACUUM (FREEZE, ANALYZE) {table}", timeout=None)
    return Filled(count, round(time.monotonic() - began, 1), *await sizes(connection))


async def refill(connection: Any) -> None:
    """A small database as it was, without what a round added. The rows are the same again, their indexes kept."""
    count = await connection.fetchval("SELECT count FROM bench_filling")
    async with connection.transaction():
        await connection.execute("TRUNCATE authorization_grant, classic_token")
        await connection.execute(INSERT_TOKENS, 0, count - 1)
    await connection.execute("VACUUM (ANALYZE) authorization_grant, classic_token")


async def sizes(connection: Any) -> tuple[int, int, int]:
    """Bytes of the tables of grants and tokens, of their indexes, of the whole database."""
    row = await connection.fetchrow(
        "SELECT sum(pg_table_size(name))::bigint AS tables, sum(pg_indexes_size(name))::bigint AS indexes, "
        "pg_database_size(current_database()) AS database FROM unnest($1::regclass[]) AS name",
        list(TABLES[1:]),
    )
    return row["tables"], row["indexes"], row["database"]


async def _in_chunks(connection: Any, statement: str, count: int, what: str, tell: Tell) -> None:
    began = told = time.monotonic()
    for first in range(0, count, _CHUNK):
        last = min(first + _CHUNK, count)
        await connection.execute(statement, first, last - 1, timeout=None)
        if last == count or time.monotonic() - told > _TOLD_EVERY_S:
            told = time.monotonic()
            tell(f"{last:,} of {count:,} {what}, {last / (told - began):,.0f} a second")


@asynccontextmanager
async def _without_indexes(connection: Any, tables: Sequence[str], tell: Tell) -> AsyncIterator[None]:
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
    for key in keys:
        tell(f"building {key['name']}")
        constraint = f"ADD CONSTRAINT {key['name']} {key['definition']}"
        await connection.execute(f"ALTER TABLE {key['on_table']} {constraint}", timeout=None)
    for index in indexes:
        tell(f"building {index['name']}")
        await connection.execute(index["definition"], timeout=None)
