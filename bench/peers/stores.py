"""Peers keep their codes and tokens in their own databases of the run's PostgreSQL, and in one of its Valkey."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol
from urllib.parse import unquote, urlsplit, urlunsplit

import asyncpg
import redis
import uvloop

Fsync = Literal["always", "everysec"]

_DATABASE = 15  # of Valkey, the last one: the service and the bare limit have the first ones


class Store(Protocol):
    """The place where a peer's access tokens stand."""

    def count(self, database_url: str, redis_url: str, tokens: Sequence[str]) -> int:
        """How many of them are there."""


@dataclass(frozen=True, slots=True)
class Table:
    """A column of a table; both are constants of the catalogue."""

    name: str
    column: str

    def count(self, database_url: str, _redis_url: str, tokens: Sequence[str]) -> int:
        statement = f"SELECT count(*) FROM {self.name} WHERE {self.column} = ANY($1)"
        return uvloop.run(_fetch_number(database_url, statement, list(tokens)))


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys of Valkey that begin with the prefix."""

    prefix: str

    def count(self, _database_url: str, redis_url: str, tokens: Sequence[str]) -> int:
        with redis.Redis.from_url(_address(redis_url)) as valkey:
            pipeline = valkey.pipeline(transaction=False)
            for token in tokens:
                pipeline.exists(self.prefix + token)
            return sum(pipeline.execute())


def make_database(owner_url: str, schema: Path) -> str:
    """A database, empty but for what the schema file makes, where there is one; its address."""
    name = f"peer_{secrets.token_hex(4)}"
    uvloop.run(_execute(owner_url, f"CREATE DATABASE {name}"))
    url = urlunsplit(urlsplit(owner_url)._replace(path=f"/{name}"))
    if schema.exists():
        uvloop.run(_execute(url, schema.read_text()))
    return url


def redis_variables(redis_url: str) -> dict[str, str]:
    parts = urlsplit(redis_url)
    return {
        "REDIS_SOCKET": unquote(parts.path),
        "REDIS_PASSWORD": unquote(parts.password or ""),
        "REDIS_DB": str(_DATABASE),
    }


def set_fsync(redis_url: str, fsync: Fsync) -> None:
    with redis.Redis.from_url(redis_url) as valkey:
        valkey.config_set("appendfsync", fsync)


def empty_redis(redis_url: str) -> None:
    """Delete what the rounds before left: there is room for some hundred thousand artefacts."""
    with redis.Redis.from_url(_address(redis_url)) as valkey:
        valkey.flushdb()


def _address(redis_url: str) -> str:
    return f"{redis_url.partition('?')[0]}?db={_DATABASE}"


async def _execute(url: str, statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statements)
    finally:
        await connection.close()


async def _fetch_number(url: str, statement: str, values: list[str]) -> int:
    connection = await asyncpg.connect(url)
    try:
        number: int = await connection.fetchval(statement, values)
    finally:
        await connection.close()
    return number
