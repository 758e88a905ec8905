"""Databases that are filled once and found again: what a filling keeps about itself, how large it is, a first read of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from bench.ground.database import connected

# By the name of the database, since a copy of one has all that its template has.
_CREATE_KEPT = """
CREATE TABLE IF NOT EXISTS bench_kept (database name PRIMARY KEY DEFAULT current_database(), kept jsonb NOT NULL)
"""
_UPSERT_KEPT = """
INSERT INTO bench_kept (kept) VALUES ($1) ON CONFLICT (database) DO UPDATE SET kept = excluded.kept
"""
_SELECT_KEPT = "SELECT kept FROM bench_kept WHERE database = current_database()"
_SELECT_SIZES = """
SELECT sum(pg_table_size(part))::bigint AS tables, sum(pg_indexes_size(part))::bigint AS indexes
FROM unnest($1::regclass[]) AS named(relation)
LEFT JOIN LATERAL (SELECT relid FROM pg_partition_tree(relation) WHERE isleaf) AS leaf ON true
CROSS JOIN LATERAL (SELECT coalesce(leaf.relid, relation)) AS held(part)
"""
_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes of tables and of their indexes."""

    table: int
    index: int


async def keep(url: str, document: Any) -> None:
    """Say in the database itself that it is filled, and what a later run must know of that."""
    async with connected(url) as connection:
        await connection.execute(_CREATE_KEPT)
        await connection.execute(_UPSERT_KEPT, orjson.dumps(document).decode())


async def find_kept(owner_url: str, url: str, name: str) -> Any:
    """None where the database is not there, or was never filled to the end."""
    async with connected(owner_url) as owner:
        if not await owner.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name):
            return None
    async with connected(url) as connection:
        if await connection.fetchval("SELECT to_regclass('bench_kept') IS NULL"):
            return None
        kept = await connection.fetchval(_SELECT_KEPT)
        return None if kept is None else orjson.loads(kept)


async def read_size(url: str, tables: Sequence[str]) -> Size:
    """The size of these tables, with all their partitions."""
    async with connected(url) as connection:
        row = await connection.fetchrow(_SELECT_SIZES, list(tables))
        return Size(row["tables"], row["indexes"])


async def read_through(url: str, cluster: Path) -> None:
    """Read its files once: a database that is in use lies in the system's cache, as far as it fits there."""
    async with connected(url) as connection:
        number = await connection.fetchval("SELECT oid FROM pg_database WHERE datname = current_database()")
    for path in (cluster / "base" / f"{number}").iterdir():
        with path.open("rb", buffering=0) as file:
            while file.read(_READ_BYTES):
                pass


async def show(url: str, setting: str) -> str:
    """A setting of its server."""
    async with connected(url) as connection:
        return str(await connection.fetchval(f"SHOW {setting}"))
