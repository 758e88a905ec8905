"""What PostgreSQL and its login must be before the schema is touched: each lack is one sentence with its remedy."""

from typing import Any

from app.refused import SetUpError

OLDEST_POSTGRES = 160_000  # GRANT ... WITH INHERIT, SET came with it
TOO_OLD = "use PostgreSQL 16 or newer; 16 and 18 are tested"


class UnfitServerError(SetUpError):
    """PostgreSQL, or the login on it, cannot serve; nothing was changed."""


def require_version(number: int, version: str) -> None:
    """Raises UnfitServerError when it is older than the oldest that can be used. number: as server_version_num."""
    if number < OLDEST_POSTGRES:
        raise UnfitServerError(f"PostgreSQL {version} is too old: {TOO_OLD}")


async def require_known_version(connection: Any) -> None:
    """Raises UnfitServerError when the server is too old."""
    number = await connection.fetchval("SELECT current_setting('server_version_num')::integer")
    require_version(number, await connection.fetchval("SELECT current_setting('server_version')"))


# The owner of the ledger owns the schema. Without a ledger, the owner is whoever may make one.
_MAY_MIGRATE = """
SELECT CASE WHEN to_regclass('schema_migration') IS NULL THEN has_schema_privilege(current_schema(), 'CREATE')
            ELSE (SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('schema_migration')) END
"""


async def require_owner(connection: Any) -> None:
    """Raises UnfitServerError when the login may not change the schema."""
    if not await connection.fetchval(_MAY_MIGRATE):
        login = await connection.fetchval("SELECT session_user")
        raise UnfitServerError(
            f"{login} does not own the schema and may not change it: set ROVITRACKER_MIGRATION_DATABASE_URL to the owner's DSN"
        )
