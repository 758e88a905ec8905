"""Databases of the private PostgreSQL: their addresses, and connections to them that are closed again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg


def address_of(owner_url: str, name: str) -> str:
    return urlunsplit(urlsplit(owner_url)._replace(path=f"/{name}"))


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()
