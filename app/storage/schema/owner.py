"""The schema owner's own connection: for migrations and for what no function of the database can do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from app.storage.errors import StoreUnavailableError
from app.storage.postgres.database import CONNECT_TIMEOUT_S, DRIVER_ERRORS
from app.storage.schema.address import shown_address


@asynccontextmanager
async def owner_connection(dsn: str) -> AsyncIterator[Any]:
    """Connect as the owner.

    Raises StoreUnavailableError, which names the address, its password masked, and what to do, when it cannot.
    """
    try:
        connection = await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_S)
    except DRIVER_ERRORS as error:
        raise StoreUnavailableError(
            f"PostgreSQL at {shown_address(dsn)} cannot be used ({_reason(error)}): start it, or correct "
            "ROVITRACKER_DATABASE_URL (without it and ROVITRACKER_REDIS_URL private servers start)"
        ) from error
    try:
        yield connection
    finally:
        await connection.close(timeout=CONNECT_TIMEOUT_S)


def _reason(error: Exception) -> str:
    """The server's or the system's own words. The driver's own may repeat the address, password and all."""
    if isinstance(error, TimeoutError):
        return f"no answer in {CONNECT_TIMEOUT_S:.0f} s"
    told = isinstance(error, (asyncpg.PostgresError, OSError))
    return str(error) if told else "the address cannot be read"
