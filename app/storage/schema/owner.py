"""The schema owner's own connection: for migrations and for what no function of the database can do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg

from app.storage.errors import StandbyError, StoreUnavailableError
from app.storage.postgres.connections import CONNECT_TIMEOUT_S
from app.storage.postgres.database import outcomes
from app.storage.postgres.server import DRIVER_ERRORS, Server
from app.storage.schema.address import shown_address


@asynccontextmanager
async def owner_connection(dsn: str, *, connect_s: float = CONNECT_TIMEOUT_S) -> AsyncIterator[Any]:
    """Connect as the owner. connect_s: how long the server may take to let it in.

    Statements in the block end as those of the service do.
    Raises StoreUnavailableError, which names the address, its password masked, and what to do, when it cannot.
    Raises StandbyError when it takes no writes.
    """
    connection = await _connect(dsn, connect_s)
    try:
        with outcomes:
            yield connection
    finally:
        with suppress(
            *DRIVER_ERRORS
        ):  # what the block came to has been said, and a hanging good-bye changes nothing
            await connection.close(timeout=CONNECT_TIMEOUT_S)


async def _connect(dsn: str, connect_s: float) -> Any:
    try:
        connection = await Server(dsn).connect(timeout=connect_s)
        try:
            await connection.execute("SET synchronous_commit = on")
        except BaseException:  # also when the caller is cancelled at this moment
            connection.terminate()
            raise
    except StandbyError as standby:
        raise StandbyError(
            f"{standby} ({shown_address(dsn)}): name the primary, or all hosts, in the address"
        ) from standby
    except DRIVER_ERRORS as error:
        raise StoreUnavailableError(
            f"PostgreSQL at {shown_address(dsn)} cannot be used ({_reason(error, connect_s)}): start it, or correct "
            "ROVITRACKER_DATABASE_URL (without it and ROVITRACKER_REDIS_URL private servers start)"
        ) from error
    return connection


def _reason(error: Exception, connect_s: float) -> str:
    """The server's or the system's own words. The driver's own may repeat the address, password and all."""
    if isinstance(error, TimeoutError):
        return f"no answer in {connect_s:.2g} s"
    told = isinstance(error, (asyncpg.PostgresError, OSError))
    return str(error) if told else "the address cannot be read"
