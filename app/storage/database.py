"""PostgreSQL: a bounded pool of connections under the service's role, with a time-out on everything that waits."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeAlias, cast

import asyncpg

from app.storage.errors import judge

SERVICE_ROLE = "rovitracker_service"
ACQUIRE_TIMEOUT_S = 2.0
STATEMENT_TIMEOUT_S = 5.0
CONNECT_TIMEOUT_S = 3.0

DRIVER_ERRORS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)

Row: TypeAlias = Mapping[str, Any]  # asyncpg's records, by column name


class Statements(Protocol):
    """What a storage function runs on: the pool, or one transaction of it."""

    async def rows(self, statement: str, *arguments: object) -> list[Row]: ...
    async def row(self, statement: str, *arguments: object) -> Row | None: ...
    async def count(self, statement: str, *arguments: object) -> int: ...


class Transaction:
    """Statements that take effect together."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def rows(self, statement: str, *arguments: object) -> list[Row]:
        return list(await self._connection.fetch(statement, *arguments))

    async def row(self, statement: str, *arguments: object) -> Row | None:
        return cast("Row | None", await self._connection.fetchrow(statement, *arguments))

    async def count(self, statement: str, *arguments: object) -> int:
        return _row_count(await self._connection.execute(statement, *arguments))

    async def prepare(self, statement: str) -> None:
        """Ask the server to parse a statement without running it."""
        await self._connection.prepare(statement)


class Database:
    """The pool. Every error leaves it as StatementRefusedError (not done) or StoreUnavailableError (unknown)."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    async def rows(self, statement: str, *arguments: object) -> list[Row]:
        async with self._connection() as connection:
            return list(await connection.fetch(statement, *arguments))

    async def row(self, statement: str, *arguments: object) -> Row | None:
        async with self._connection() as connection:
            return cast("Row | None", await connection.fetchrow(statement, *arguments))

    async def count(self, statement: str, *arguments: object) -> int:
        async with self._connection() as connection:
            return _row_count(await connection.execute(statement, *arguments))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        async with self._connection() as connection, connection.transaction():
            yield Transaction(connection)

    async def close(self) -> None:
        try:
            async with asyncio.timeout(STATEMENT_TIMEOUT_S):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        try:
            async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
                yield connection
        except DRIVER_ERRORS as error:
            raise judge(error) from error


async def open_database(dsn: str, *, connections: int, role: str | None = SERVICE_ROLE) -> Database:
    """Connections open as they are needed, so that a service may start before its database and recover after it.

    role: what every connection becomes, so that the owner's DSN never works with the owner's rights;
          None where the DSN is a login of its own.
    """

    async def become_service(connection: Any) -> None:
        if role is not None:
            await connection.execute(f"SET ROLE {role}")

    async def keep(_connection: Any) -> None:
        """No session state is ever left behind (settings are LOCAL, no LISTEN), so the reset query would be waste."""

    pool = asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=connections,
        init=become_service,
        reset=keep,
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=STATEMENT_TIMEOUT_S,
        max_inactive_connection_lifetime=300,
        server_settings={"application_name": "rovitracker", "timezone": "UTC"},
    )
    return Database(await pool)


def _row_count(tag: str) -> int:
    """Rows a statement touched, off its command tag; 0 for one that touches none (`SET`)."""
    number = tag.rpartition(" ")[2]
    return int(number) if number.isdigit() else 0
