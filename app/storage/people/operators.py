"""People of RoviTracker."""

from dataclasses import dataclass
from uuid import UUID

from app.storage.postgres.database import Statements


@dataclass(frozen=True, slots=True)
class Operator:
    """A person of RoviTracker."""

    id: UUID
    email: str
    name: str


INSERT_OPERATOR = """
INSERT INTO operator (id, email, name, password_hash) VALUES ($1, $2, $3, $4) ON CONFLICT (email) DO NOTHING
"""


async def insert_operator(statements: Statements, operator: Operator, password_hash: str) -> bool:
    """False when an operator has that address already."""
    return bool(
        await statements.count(INSERT_OPERATOR, operator.id, operator.email, operator.name, password_hash)
    )


SELECT_OPERATOR = "SELECT id, email, name FROM operator WHERE email = $1 AND disabled_at IS NULL"


async def select_operator(statements: Statements, email: str) -> Operator | None:
    """The operator with this address, unless disabled."""
    row = await statements.row(SELECT_OPERATOR, email)
    return Operator(row["id"], row["email"], row["name"]) if row else None
