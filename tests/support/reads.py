"""What stands in the table of reads, of one customer."""

from uuid import UUID

from app.context import Context

_ROWS = """
SELECT kind, equipment_key, connection_version, reads FROM connection_read WHERE customer_id = $1
ORDER BY kind, equipment_key, connection_version
"""


async def reads_of(context: Context, customer_id: UUID) -> list[tuple[int, int, int, int]]:
    """Kind, machine, version of the connection, number."""
    return [tuple(row.values()) for row in await context.database.rows(_ROWS, customer_id)]
