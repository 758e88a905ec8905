"""People of RoviTracker, each with a role."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.storage.people.people import OperatorRole
from app.storage.postgres.database import Statements, Transaction

INSERT_OPERATOR = """
INSERT INTO operator (person_id, role) VALUES ($1, $2) ON CONFLICT (person_id) DO NOTHING
"""


async def insert_operator(statements: Statements, person_id: UUID, role: OperatorRole) -> bool:
    """False when the person is one already, or was."""
    return bool(await statements.count(INSERT_OPERATOR, person_id, role))


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator as a list shows it. second_factor: whether one is set up."""

    person_id: UUID
    email: str
    name: str
    role: OperatorRole
    disabled_at: datetime | None
    created_at: datetime
    second_factor: bool


_OPERATORS = """
SELECT o.person_id, p.email, p.name, o.role, o.disabled_at, o.created_at,
       p.totp_sealed IS NOT NULL OR EXISTS (SELECT FROM passkey k WHERE k.person_id = p.id) AS second_factor
FROM operator o JOIN person p ON p.id = o.person_id
"""
SELECT_OPERATORS = f"{_OPERATORS} ORDER BY p.email"


async def select_operators(statements: Statements) -> tuple[Operator, ...]:
    """Those who are disabled too."""
    return tuple(Operator(**row) for row in await statements.rows(SELECT_OPERATORS))


# All of them, in one order: two admins who change each other never wait in a circle, and none is the last by accident.
LOCK_OPERATORS = f"{_OPERATORS} ORDER BY o.person_id FOR UPDATE OF o"


async def lock_operators(statements: Statements) -> tuple[Operator, ...]:
    """Those who are disabled too. Until the transaction ends, nobody else changes them."""
    return tuple(Operator(**row) for row in await statements.rows(LOCK_OPERATORS))


UPDATE_OPERATOR_ROLE = "UPDATE operator SET role = $2 WHERE person_id = $1"


async def update_operator_role(statements: Statements, person_id: UUID, role: OperatorRole) -> None:
    await statements.count(UPDATE_OPERATOR_ROLE, person_id, role)


MARK_OPERATOR_DISABLED = """
UPDATE operator SET disabled_at = CASE WHEN $2 THEN clock_timestamp() END WHERE person_id = $1
"""


async def mark_operator_disabled(statements: Statements, person_id: UUID, *, disabled: bool) -> None:
    await statements.count(MARK_OPERATOR_DISABLED, person_id, disabled)


# The lock makes a new role wait until the transaction ends, and makes the transaction wait for one under way.
SELECT_OPERATOR_ROLE_LOCKED = (
    "SELECT role FROM operator WHERE person_id = $1 AND disabled_at IS NULL FOR SHARE"
)


async def select_operator_role_locked(transaction: Transaction, person_id: UUID) -> OperatorRole | None:
    """The role of an operator, which stays until the transaction ends; None for everybody else."""
    row = await transaction.row(SELECT_OPERATOR_ROLE_LOCKED, person_id)
    role: OperatorRole | None = row["role"] if row else None
    return role
