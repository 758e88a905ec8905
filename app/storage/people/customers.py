"""Customer accounts."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.oauth.member_role import MemberRole
from app.storage.postgres.database import Statements, Transaction

INSERT_CUSTOMER = "INSERT INTO customer (id, name) VALUES ($1, $2)"


async def insert_customer(statements: Statements, customer_id: UUID, name: str) -> None:
    await statements.count(INSERT_CUSTOMER, customer_id, name)


MARK_CUSTOMER_DISABLED = """
UPDATE customer SET disabled_at = clock_timestamp() WHERE id = $1 AND disabled_at IS NULL
"""


async def mark_customer_disabled(statements: Statements, customer_id: UUID) -> bool:
    """False when it was already."""
    return bool(await statements.count(MARK_CUSTOMER_DISABLED, customer_id))


MARK_CUSTOMER_ENABLED = """
UPDATE customer SET disabled_at = NULL, closed_at = NULL WHERE id = $1 AND disabled_at IS NOT NULL AND erased_at IS NULL
"""


async def mark_customer_enabled(statements: Statements, customer_id: UUID) -> bool:
    """False when it was already. A closed one is open again."""
    return bool(await statements.count(MARK_CUSTOMER_ENABLED, customer_id))


# What is changed about the people of an account is changed under this lock, one after the other. So nobody judges by people
# who are just leaving. It keeps no other row from naming the account.
LOCK_CUSTOMER = "SELECT FROM customer WHERE id = $1 FOR NO KEY UPDATE"


async def lock_customer(transaction: Transaction, customer_id: UUID) -> None:
    """Keep others from changing the account's people, or all its connections, until the transaction ends."""
    await transaction.rows(LOCK_CUSTOMER, customer_id)


UPDATE_CUSTOMER_NAME = "UPDATE customer SET name = $3 WHERE id = $1 AND name = $2"


async def update_customer_name(statements: Statements, customer_id: UUID, before: str, after: str) -> bool:
    """False when it has another name by now."""
    return bool(await statements.count(UPDATE_CUSTOMER_NAME, customer_id, before, after))


SELECT_CUSTOMER_NAME = "SELECT name FROM customer WHERE id = $1"


async def select_customer_name(statements: Statements, customer_id: UUID) -> str | None:
    row = await statements.row(SELECT_CUSTOMER_NAME, customer_id)
    return str(row["name"]) if row else None


SELECT_CUSTOMERS = """
SELECT c.id, c.name, c.disabled_at, c.closed_at, c.created_at,
       coalesce(array_agg(p.email ORDER BY p.email) FILTER (WHERE p.id IS NOT NULL), '{}') AS emails,
       coalesce(array_agg(m.role ORDER BY p.email) FILTER (WHERE p.id IS NOT NULL), '{}') AS roles
FROM customer c LEFT JOIN customer_member m ON m.customer_id = c.id LEFT JOIN person p ON p.id = m.person_id
WHERE $1::uuid IS NULL OR c.id = $1
GROUP BY c.id ORDER BY c.id
"""


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer account as a list shows it. roles: of the people with these addresses, in their order."""

    id: UUID
    name: str
    emails: tuple[str, ...]
    roles: tuple[MemberRole, ...]
    disabled_at: datetime | None
    closed_at: datetime | None
    created_at: datetime


async def select_customers(statements: Statements, customer_id: UUID | None = None) -> tuple[Customer, ...]:
    """All of them, or the one of this id."""
    rows = await statements.rows(SELECT_CUSTOMERS, customer_id)
    return tuple(
        Customer(
            row["id"],
            row["name"],
            tuple(row["emails"]),
            tuple(row["roles"]),
            row["disabled_at"],
            row["closed_at"],
            row["created_at"],
        )
        for row in rows
    )
