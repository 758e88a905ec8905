"""Schema migrations: the numbered SQL files of `sql/migrations`, each applied once, in order, in a transaction of its own."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import app
from app.refused import SetUpError
from app.storage.errors import StatementRefusedError, judge
from app.storage.postgres.connections import CONNECT_TIMEOUT_S
from app.storage.postgres.database import Statements, Transaction
from app.storage.postgres.server import DRIVER_ERRORS
from app.storage.schema.ground import select_ground, unfit
from app.storage.schema.owner import owner_connection
from app.storage.schema.requirements import require_known_version, require_owner
from app.storage.schema.rights import Right, granted_rights, select_missing_rights
from app.storage.schema.surroundings import supply_surroundings

# Any number will do as long as every version of this service takes the same one.
LOCK = 7_684_868_401

_LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migration (
    number     integer PRIMARY KEY,
    name       text NOT NULL,
    digest     bytea NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
)"""


class MigrationError(SetUpError):
    """A migration failed or does not fit; everything before it stands."""


class DevelopmentSchemaError(MigrationError):
    """A development version made the database, and no migration leads from its schema to this one."""

    code = "development_schema"


@dataclass(frozen=True, slots=True)
class Migration:
    """One file; its digest shows whether it was changed after it had been applied."""

    number: int
    name: str
    sql: str

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.sql.encode()).digest()


@dataclass(frozen=True, slots=True)
class MigrationState:
    """A migration and when it was applied, None while it is pending."""

    migration: Migration
    applied_at: datetime | None


def sql_folder() -> Path:
    """`sql/` lies inside the package in a wheel and beside it in a checkout."""
    package = Path(app.__file__).parent
    return package / "sql" if (package / "sql").is_dir() else package.parent / "sql"


def read_migrations(folder: Path | None = None) -> tuple[Migration, ...]:
    """Raises MigrationError when the files are not numbered one by one."""
    files = sorted((folder or sql_folder() / "migrations").glob("*.sql"))
    migrations = tuple(Migration(int(file.stem[:4]), file.stem, file.read_text("utf-8")) for file in files)
    if [migration.number for migration in migrations] != list(range(1, len(migrations) + 1)):
        raise MigrationError(f"the files are not numbered 0001, 0002, ...: {[file.name for file in files]}")
    return migrations


async def apply_migrations(
    dsn: str,
    migrations: tuple[Migration, ...],
    applied: Callable[[Migration], None] = lambda _: None,
    *,
    connect_s: float = CONNECT_TIMEOUT_S,
) -> int:
    """Apply what is pending, calling `applied` after each, and return how many there were.

    The lock makes a second starter wait and then find nothing to do; a starter that is killed loses its session,
    and with it the lock and the unfinished transaction.
    Raises MigrationError when one fails, or when the database was migrated by files that are not these, or is unfit.
    Raises UnfitServerError and SurroundingsError when the server, or this login on it, cannot serve.
    """
    count = 0
    async with owner_connection(dsn, connect_s=connect_s) as connection:
        await require_known_version(connection)
        await require_owner(connection)
        await _refuse_unfit(connection)
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        await connection.execute(_LEDGER)
        for state in _judge(migrations, await _ledger(connection)):
            if state.applied_at is None:
                await _apply(connection, state.migration)
                applied(state.migration)
                count += 1
        await supply_surroundings(connection)
        await _grant_missing(connection, migrations)
    return count


async def _refuse_unfit(connection: Any) -> None:
    if reason := unfit(await select_ground(Transaction(connection))):
        raise MigrationError(reason)


async def _grant_missing(connection: Any, migrations: tuple[Migration, ...]) -> None:
    """Grant again what a restore without rights left out, or somebody took away."""
    missing = await select_missing_rights(Transaction(connection), rights_of(migrations))
    for statement in dict.fromkeys(right.statement for right in missing):
        try:
            await connection.execute(statement)
        except DRIVER_ERRORS as error:
            raise MigrationError(f"{missing[0]}, and this login may not grant it: {statement}") from error


def rights_of(migrations: tuple[Migration, ...]) -> tuple[Right, ...]:
    return tuple(right for migration in migrations for right in granted_rights(migration.sql))


async def read_status(
    dsn: str, migrations: tuple[Migration, ...], *, connect_s: float = CONNECT_TIMEOUT_S
) -> tuple[MigrationState, ...]:
    """The migrations, and when each was applied. connect_s: how long the server may take to let us in.

    Raises MigrationError when the database was migrated by files that are not these, and UnfitServerError when the
    server is too old.
    """
    async with owner_connection(dsn, connect_s=connect_s) as connection:
        await require_known_version(connection)
        await _refuse_unfit(connection)
        exists = await connection.fetchval("SELECT to_regclass('schema_migration') IS NOT NULL")
        return _judge(migrations, await _ledger(connection) if exists else [])


# It writes no row, and is refused wherever a token could not be written: by a standby, or for want of a right.
SELECT_WRITABLE_SCHEMA_NUMBER = """
WITH unwritten AS (
    INSERT INTO authorization_grant (id, bucket, application_id, customer_id, first_token_id, scope, approved_at)
    SELECT id, bucket, application_id, customer_id, first_token_id, scope, approved_at FROM authorization_grant WHERE false
)
SELECT max(number) AS number FROM schema_migration
"""


async def select_writable_schema_number(statements: Statements) -> int:
    """Number of the newest applied migration, where a grant could be written too."""
    row = await statements.row(SELECT_WRITABLE_SCHEMA_NUMBER)
    return int(row["number"] or 0) if row else 0


async def _ledger(connection: Any) -> list[Any]:
    return list(
        await connection.fetch(
            "SELECT number, name, digest, applied_at FROM schema_migration ORDER BY number"
        )
    )


def _judge(migrations: tuple[Migration, ...], ledger: list[Any]) -> tuple[MigrationState, ...]:
    # The names first: a database of a development version may have more migrations, but is not newer for that.
    for migration, row in zip(migrations, ledger, strict=False):
        if row["name"] != migration.name:
            raise DevelopmentSchemaError(
                f"a development version made the database, with {row['name']} in place of {migration.name}; it cannot be upgraded"
            )
    if len(ledger) > len(migrations):
        raise MigrationError(
            f"the database is at {ledger[-1]['name']}, newer than this version, which knows {len(migrations)} migrations: update the service"
        )
    for migration, row in zip(migrations, ledger, strict=False):
        if row["digest"] != migration.digest:
            raise MigrationError(
                f"{migration.name} was changed after it had been applied: restore the file and put the change into a new one, or make a development database anew"
            )
    applied_at = {row["number"]: row["applied_at"] for row in ledger}
    return tuple(MigrationState(migration, applied_at.get(migration.number)) for migration in migrations)


async def _apply(connection: Any, migration: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute(migration.sql)
            await connection.execute(
                "INSERT INTO schema_migration (number, name, digest) VALUES ($1, $2, $3)",
                migration.number,
                migration.name,
                migration.digest,
            )
    except DRIVER_ERRORS as error:
        outcome = judge(error)
        if isinstance(outcome, StatementRefusedError):
            raise MigrationError(f"{migration.name} failed and was rolled back: {outcome}") from error
        raise outcome from error  # it stands or not: the ledger tells the next start
