"""One database of so many tokens: made and filled, or found; and asked for customers and tokens that are in it."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from os import urandom
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import orjson

from app.oauth.token_string import compose
from bench.size.growth.fill import Filled, Tell, fill
from bench.size.growth.rows import SELECT_CUSTOMERS, SELECT_TOKENS

TEMPLATE = "growth_template"

# A sampled token gets a string that is known, and was used today, so that asking about it writes nothing.
_UPDATE_TOKENS = """
UPDATE classic_token t
SET digest = known.digest, used_at = clock_timestamp(), expires_at = clock_timestamp() + interval '365 days'
FROM unnest($1::uuid[], $2::bytea[]) AS known(id, digest)
WHERE t.id = known.id AND t.bucket = bucket_of(known.id)
"""
_SECRET_BYTES = 20
_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Database:
    """Its address, what its filling was, and how much of it its server keeps at hand."""

    url: str = field(repr=False)
    filled: Filled
    shared_buffers: str

    @property
    def name(self) -> str:
        return f"{self.filled.tokens:,} tokens"


async def open_filled(owner_url: str, count: int, applications: Sequence[UUID], tell: Tell) -> Database:
    """The database of so many tokens, made from the template where it is not there, or only in part."""
    name = f"growth_{count}"
    url = address_of(owner_url, name)
    async with connected(owner_url) as owner:
        buffers = await owner.fetchval("SHOW shared_buffers")
        if await owner.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name):
            filled = await _find_filling(url)
            if filled is not None:
                return Database(url, filled, buffers)
        await owner.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await owner.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    async with connected(url) as connection:
        filled = await fill(connection, count, applications, tell)
        await connection.execute(
            "UPDATE bench_filling SET filled = $1", orjson.dumps(asdict(filled)).decode()
        )
    return Database(url, filled, buffers)


async def sample_customers(database: Database, count: int) -> list[UUID]:
    """So many of its customers by chance, some of them several times."""
    async with connected(database.url) as connection:
        customers = await connection.fetchval("SELECT customers FROM bench_filling")
        numbers = random.choices(range(customers), k=count)  # noqa: S311  # spread, not secrecy
        return [UUID(str(row["customer_id"])) for row in await connection.fetch(SELECT_CUSTOMERS, numbers)]


async def name_tokens(database: Database, most: int) -> list[tuple[UUID, str]]:
    """Tokens by chance from all over the table, each with its application, given strings that are known."""
    count = database.filled.tokens
    async with connected(database.url) as connection:
        numbers = random.sample(range(count), min(most, count))
        rows = await connection.fetch(SELECT_TOKENS, numbers)
        tokens = [compose("at", "c", UUID(str(row["id"])), urandom(_SECRET_BYTES)) for row in rows]
        await connection.execute(
            _UPDATE_TOKENS, [token.id for token in tokens], [token.digest for token in tokens]
        )
        await connection.execute("VACUUM classic_token", timeout=None)
        return [
            (UUID(str(row["application_id"])), token.text) for row, token in zip(rows, tokens, strict=True)
        ]


async def read_through(url: str, cluster: Path) -> None:
    """Read its files once: a database that is in use lies in the system's cache, as far as it fits there."""
    async with connected(url) as connection:
        number = await connection.fetchval("SELECT oid FROM pg_database WHERE datname = current_database()")
    for path in (cluster / "base" / f"{number}").iterdir():
        with path.open("rb", buffering=0) as file:
            while file.read(_READ_BYTES):
                pass


def address_of(owner_url: str, name: str) -> str:
    return urlunsplit(urlsplit(owner_url)._replace(path=f"/{name}"))


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def _find_filling(url: str) -> Filled | None:
    async with connected(url) as connection:
        if await connection.fetchval("SELECT to_regclass('bench_filling') IS NULL"):
            return None
        filled = await connection.fetchval("SELECT filled FROM bench_filling")
        return None if filled is None else Filled(**orjson.loads(filled))
