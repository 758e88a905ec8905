"""Databases of the private PostgreSQL: their addresses, how they are made anew, and connections that are closed again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

_END_SESSIONS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1 AND backend_type <> 'autovacuum worker'
"""


def address_of(owner_url: str, name: str) -> str:
    return urlunsplit(urlsplit(owner_url)._replace(path=f"/{name}"))


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def create_database(owner_url: str, name: str, template: str | None = None) -> str:
    """Make a database anew, whoever is connected to the one that stands there; its address.

    owner_url: by a login that may create databases. template: the database that it is a copy of.
    """
    await drop_database(owner_url, name)
    async with connected(owner_url) as owner:
        await owner.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
    return address_of(owner_url, name)


async def drop_database(owner_url: str, name: str) -> None:
    """Drop a database if it is there, whoever is connected to it.

    FORCE is refused to all but superusers while autovacuum works there. A plain DROP ends autovacuum itself.
    """
    async with connected(owner_url) as owner:
        await owner.execute(_END_SESSIONS, name)
        await owner.execute(f"DROP DATABASE IF EXISTS {name}")
