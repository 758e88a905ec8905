"""How many customers an application has, which the consent page tells the next one."""

from uuid import UUID

from app.storage.postgres.database import Statements
from app.storage.token.standing import is_connected

COUNT_CUSTOMERS = f"""
SELECT count(*) AS customers FROM (
    SELECT FROM connection k JOIN customer c ON c.id = k.customer_id
    WHERE k.application_id = $1 AND c.tester_id IS NULL AND c.disabled_at IS NULL AND {is_connected("k")}
    LIMIT $2) counted
"""


async def count_customers(statements: Statements, application_id: UUID, most: int) -> int:
    """How many real customers are connected with it now; no more than `most` are counted."""
    [row] = await statements.rows(COUNT_CUSTOMERS, application_id, most)
    return int(row["customers"])
