"""People and accounts that are closed and erased."""

from datetime import timedelta
from uuid import UUID

from app.storage.postgres.database import Statements

CALL_ERASE_PERSON = "SELECT erase_person($1, $2)"


async def call_erase_person(statements: Statements, person_id: UUID, nobodys_hash: str) -> None:
    """Take everything from a person but the id. nobodys_hash: one that no password has."""
    await statements.row(CALL_ERASE_PERSON, person_id, nobodys_hash)


COUNT_OTHER_OWNERS = """
SELECT count(*)::integer AS owners FROM customer_member
WHERE customer_id = $1 AND role = 'owner' AND person_id <> $2
"""


async def count_other_owners(statements: Statements, customer_id: UUID, person_id: UUID) -> int:
    row = await statements.row(COUNT_OTHER_OWNERS, customer_id, person_id)
    return int(row["owners"]) if row else 0


MARK_CUSTOMER_CLOSED = """
UPDATE customer SET closed_at = clock_timestamp(), disabled_at = coalesce(disabled_at, clock_timestamp())
WHERE id = $1 AND closed_at IS NULL
"""


async def mark_customer_closed(statements: Statements, customer_id: UUID) -> bool:
    """False when it was already."""
    return bool(await statements.count(MARK_CUSTOMER_CLOSED, customer_id))


SELECT_CUSTOMERS_TO_ERASE = """
SELECT id FROM customer WHERE closed_at < clock_timestamp() - $1::interval AND erased_at IS NULL ORDER BY id
"""


async def select_customers_to_erase(statements: Statements, kept: timedelta) -> tuple[UUID, ...]:
    """kept: how long a closed account can be opened again."""
    rows = await statements.rows(SELECT_CUSTOMERS_TO_ERASE, kept)
    return tuple(row["id"] for row in rows)


SELECT_PEOPLE_ONLY_OF = """
SELECT person_id FROM customer_member m
WHERE customer_id = $1 AND NOT EXISTS (SELECT FROM operator o WHERE o.person_id = m.person_id)
"""


async def select_people_only_of(statements: Statements, customer_id: UUID) -> tuple[UUID, ...]:
    """The people of an account who are nothing else here."""
    rows = await statements.rows(SELECT_PEOPLE_ONLY_OF, customer_id)
    return tuple(row["person_id"] for row in rows)


DELETE_MEMBERS_OF = "DELETE FROM customer_member WHERE customer_id = $1"


async def delete_members_of(statements: Statements, customer_id: UUID) -> None:
    await statements.count(DELETE_MEMBERS_OF, customer_id)


# Judged by the row as it is: an account that was opened again in the same moment stays.
MARK_CUSTOMER_ERASED = """
UPDATE customer SET name = 'Erased', erased_at = clock_timestamp()
WHERE id = $1 AND closed_at < clock_timestamp() - $2::interval AND erased_at IS NULL
"""


async def mark_customer_erased(statements: Statements, customer_id: UUID, kept: timedelta) -> bool:
    """False when it was erased already, or opened again."""
    return bool(await statements.count(MARK_CUSTOMER_ERASED, customer_id, kept))
