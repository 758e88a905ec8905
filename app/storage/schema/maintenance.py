"""Calls of the maintenance functions of `sql/`, and the rights of the service's role."""

from app.storage.postgres.database import Statements

CREATE_PARTITIONS = "SELECT create_partitions() AS created"


async def call_create_partitions(statements: Statements) -> int:
    row = await statements.row(CREATE_PARTITIONS)
    return int(row["created"]) if row else 0


DELETE_PAST_ROWS = "SELECT delete_past_rows($1) AS deleted"


async def call_delete_past_rows(statements: Statements, most: int) -> int:
    """Delete at most this many past rows of each table, and return how many they were."""
    row = await statements.row(DELETE_PAST_ROWS, most)
    return int(row["deleted"]) if row else 0


# A role that owns a table may alter it, and rewrite the audit trail with it.
SELECT_EXCESSIVE_RIGHTS = """
SELECT r.rolsuper AS superuser, r.rolbypassrls AS bypasses_rls,
       EXISTS (SELECT FROM pg_class c WHERE c.relowner = r.oid AND c.relkind IN ('r', 'p')) AS owns_tables
FROM pg_roles r WHERE r.rolname = current_user
"""


async def select_excessive_rights(statements: Statements) -> tuple[str, ...]:
    """The rights that the service's role has and should not have."""
    row = await statements.row(SELECT_EXCESSIVE_RIGHTS)
    if row is None:
        return ("is unknown",)
    found = {
        "is a superuser": row["superuser"],
        "bypasses row-level security": row["bypasses_rls"],
        "owns tables": row["owns_tables"],
    }
    return tuple(right for right, held in found.items() if held)
