"""PostgreSQL: a bounded pool of connections under the service's role, with a time-out on everything that waits."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar, cast

import asyncpg

from app.storage.errors import StatementRefusedError, StoreUnavailableError, judge
from app.storage.postgres.connections import Connections, Timeouts, is_lost
from app.storage.postgres.server import DRIVER_ERRORS, DURABLE, Server, refuse_forgetful

SERVICE_ROLE = "rovitracker_service"
MOST_HELD = 10  # by one process: one for each kind of statement that requests share
_ROOM_FOR_HELD = 64  # so that none of them ever waits for another

_SESSION = {"application_name": "rovitracker", "timezone": "UTC"}
# Statements go by key. Without the first, tables that were empty when a plan was made would be read from end to end until
# autovacuum has seen them grow. Without the second, all readings of a range would be fetched and sorted, since a plan that
# is made once knows no range, where a walk along the index ends after a page.
BY_KEY = {"enable_seqscan": "off", "random_page_cost": "1.0"}
# A plan made once is the plan for all: batches differ in size only, and to plan one costs as much as to run it. A pooler
# takes none of these words and plans anew each time, but needs the last one for walks (`walking`).
_PLANS = {"plan_cache_mode": "force_generic_plan", **BY_KEY}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How sessions speak: the driver's class of a connection, and how the server plans."""

    driver: type[asyncpg.Connection]
    plans: Mapping[str, str]


PLAIN = Dialect(asyncpg.Connection, _PLANS)

Result = TypeVar("Result")
Row: TypeAlias = Mapping[str, Any]  # asyncpg's records, by column name


_TIMEOUTS = Timeouts()


class Statements(Protocol):
    """What a storage function runs on: the pool, or one transaction of it."""

    async def rows(self, statement: str, *arguments: object) -> list[Row]: ...
    async def row(self, statement: str, *arguments: object) -> Row | None: ...
    async def count(self, statement: str, *arguments: object) -> int: ...


class _Outcomes:
    """The driver's errors leave as StatementRefusedError (not done) or StoreUnavailableError (unknown)."""

    def __enter__(self) -> None: ...

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, DRIVER_ERRORS):
            raise judge(error) from error


outcomes = _Outcomes()  # no generator, which would cost more than all else around a statement


class Transaction:
    """Statements that take effect together, on one connection."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def rows(self, statement: str, *arguments: object) -> list[Row]:
        with outcomes:
            return list(await self._connection.fetch(statement, *arguments))

    async def row(self, statement: str, *arguments: object) -> Row | None:
        with outcomes:
            return cast("Row | None", await self._connection.fetchrow(statement, *arguments))

    async def count(self, statement: str, *arguments: object) -> int:
        with outcomes:
            return _row_count(await self._connection.execute(statement, *arguments))

    async def copy(self, table: str, columns: Sequence[str], records: Sequence[Sequence[object]]) -> None:
        """Rows straight into a table, many times faster than by statements. Row-level security refuses it."""
        with outcomes:
            await self._connection.copy_records_to_table(table, columns=columns, records=records)

    async def prepare(self, statement: str) -> None:
        """Ask the server to parse a statement without running it."""
        with outcomes:
            await self._connection.prepare(statement)


class Database:
    """Two pools: of connections for a statement or transaction each, and of connections that are held.

    A statement of its own is a transaction of its own. is_pooled: sessions are a pooler's, and have no word of ours.
    """

    def __init__(
        self, connections: Connections, held: Connections, timeouts: Timeouts, *, is_pooled: bool
    ) -> None:
        self._connections, self._held, self._timeouts = connections, held, timeouts
        self.is_pooled = is_pooled
        self.retired = 0  # how often all connections were given up, since their server takes no writes

    async def rows(self, statement: str, *arguments: object) -> list[Row]:
        async with self._connection() as connection:
            return await Transaction(connection).rows(statement, *arguments)

    async def row(self, statement: str, *arguments: object) -> Row | None:
        async with self._connection() as connection:
            return await Transaction(connection).row(statement, *arguments)

    async def count(self, statement: str, *arguments: object) -> int:
        async with self._connection() as connection:
            return await Transaction(connection).count(statement, *arguments)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """What leaves the block by an exception is rolled back, and the exception goes on unchanged."""
        async with self._connection() as connection:
            transaction = connection.transaction()
            with outcomes:
                await transaction.start()
            try:
                yield Transaction(connection)
            except BaseException:
                with suppress(*DRIVER_ERRORS):  # a connection that cannot roll back is closed by the pool
                    await transaction.rollback()
                raise
            with outcomes:
                await transaction.commit()

    def hold(self) -> "Held":
        return Held(self, self._held, self._timeouts)

    async def retire(self) -> None:
        """Use no connection again that stands now. Whoever holds one notices before the next statement."""
        self.retired += 1
        for connections in (self._connections, self._held):
            await connections.retire()

    async def close(self) -> None:
        for connections in (self._connections, self._held):
            await connections.close()

    def _connection(self) -> "_Lent":
        return _Lent(self, self._connections, self._timeouts.acquire_s)


class _Lent:
    """A connection for a block: whole behind it where all went well, and no server was left meanwhile."""

    __slots__ = ("_connection", "_connections", "_database", "_patience_s", "_retired")

    def __init__(self, database: Database, connections: Connections, patience_s: float) -> None:
        self._database, self._connections, self._patience_s = database, connections, patience_s
        self._retired = database.retired
        self._connection: Any = None

    async def __aenter__(self) -> Any:
        self._connection = await self._connections.take(self._patience_s)
        return self._connection

    async def __aexit__(self, _: object, error: BaseException | None, __: object) -> None:
        is_whole = error is None and self._retired == self._database.retired
        try:
            if isinstance(error, StatementRefusedError) and error.wrong_server:
                await self._database.retire()
        finally:
            await self._connections.give_back(self._connection, is_whole=is_whole)


class Held:
    """A connection that one caller keeps from statement to statement.

    To take one and give it back costs as much as a short statement, and the token path has one after the other.
    """

    def __init__(self, database: Database, connections: Connections, timeouts: Timeouts) -> None:
        self._database, self._connections, self._timeouts = database, connections, timeouts
        self._connection: Any = None
        self._taken_at = 0  # of Database.retired

    async def rows(self, statement: str, *arguments: object) -> list[Row]:
        return await self._run(Transaction.rows, statement, *arguments)

    async def row(self, statement: str, *arguments: object) -> Row | None:
        return await self._run(Transaction.row, statement, *arguments)

    async def count(self, statement: str, *arguments: object) -> int:
        return await self._run(Transaction.count, statement, *arguments)

    async def wait_for_commits(self) -> None:
        """Return once all that is seen committed is where commits are waited for: on disk, and on a synchronous standby.

        A wait for the standby that was cut off leaves a row that the primary alone has. What is written behind it waits
        for both.
        """
        await self.row("SELECT pg_logical_emit_message(true, 'rovitracker', '')")

    async def give_back(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await self._connections.give_back(connection, is_whole=False)

    async def _run(self, run: Callable[..., Awaitable[Result]], statement: str, *arguments: object) -> Result:
        retired = self._database.retired
        if self._connection is None or retired != self._taken_at or is_lost(self._connection):
            await self.give_back()
            self._connection = await self._connections.take(self._timeouts.reconnect_s)
            self._taken_at = retired
        try:
            return await run(Transaction(self._connection), statement, *arguments)
        except StoreUnavailableError:  # whatever it broke on, the next statement begins anew
            await self.give_back()
            raise
        except StatementRefusedError as refused:
            if refused.wrong_server:
                await self._database.retire()
            raise


async def open_database(
    dsn: str,
    *,
    connections: int,
    role: str | None = SERVICE_ROLE,
    pooled: bool = False,
    timeouts: Timeouts = _TIMEOUTS,
    dialect: Dialect = PLAIN,
) -> Database:
    """Connections open as they are needed, so that a service may start before its database and recover after it.

    connections: for statements that take one and give it back; those that are held come on top.
    role: what every connection becomes, so that the owner's DSN never works with the owner's rights;
          None where the DSN is a login of its own.
    pooled: prepared statements are not kept, since the next transaction may run in another session. What a pooler takes
            no parameter for is asked instead.
    """
    server = Server(dsn)

    async def become_service(connection: Any) -> None:
        if pooled:
            with outcomes:
                await refuse_forgetful(connection)
        if role is not None:
            with outcomes:  # refused where the schema, and the role with it, was never migrated
                await connection.execute(f"SET ROLE {role}")

    async def keep(_connection: Any) -> None:
        """No session state is ever left behind (settings are LOCAL, no LISTEN), so the reset query would be waste."""

    def pool(most: int, statement_s: float) -> Any:
        return asyncpg.create_pool(
            connect=server.connect,
            min_size=0,
            max_size=most,
            init=become_service,
            reset=keep,
            timeout=timeouts.connect_s,
            command_timeout=statement_s,
            statement_cache_size=0 if pooled else 100,
            max_inactive_connection_lifetime=300,
            server_settings=_SESSION if pooled else _SESSION | DURABLE | dict(dialect.plans),
            connection_class=dialect.driver,
        )

    return Database(
        Connections(await pool(connections, timeouts.statement_s), timeouts),
        Connections(await pool(_ROOM_FOR_HELD, timeouts.shared_s), timeouts),
        timeouts,
        is_pooled=pooled,
    )


def _row_count(tag: str) -> int:
    """Rows a statement touched, off its command tag; 0 for one that touches none (`SET`)."""
    number = tag.rpartition(" ")[2]
    return int(number) if number.isdigit() else 0
