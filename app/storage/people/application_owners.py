"""The people that applications belong to, and the test customers they try them with."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.storage.people.members import Member
from app.storage.people.people import Person
from app.storage.postgres.database import Statements, Transaction

INSERT_APPLICATION_OWNER = """
INSERT INTO application_owner (application_id, person_id) VALUES ($1, $2) ON CONFLICT DO NOTHING
"""


async def insert_application_owner(statements: Statements, application_id: UUID, person_id: UUID) -> bool:
    """False when it is the person's already."""
    return bool(await statements.count(INSERT_APPLICATION_OWNER, application_id, person_id))


# The lock keeps the person an owner until the transaction ends.
SELECT_OWNS_LOCKED = """
SELECT FROM application_owner WHERE application_id = $1 AND person_id = $2 FOR SHARE
"""


async def select_owns_locked(transaction: Transaction, application_id: UUID, person_id: UUID) -> bool:
    """Whether the application is the person's, which stays so until the transaction ends."""
    return await transaction.row(SELECT_OWNS_LOCKED, application_id, person_id) is not None


SELECT_OWNED_IDS = """
SELECT w.application_id FROM application_owner w JOIN application a ON a.id = w.application_id
WHERE w.person_id = $1 AND a.status <> 'deleted' ORDER BY w.application_id
"""


async def select_owned_ids(statements: Statements, person_id: UUID) -> tuple[UUID, ...]:
    """The applications of a person, the oldest first, without those that were deleted."""
    return tuple(row["application_id"] for row in await statements.rows(SELECT_OWNED_IDS, person_id))


@dataclass(frozen=True, slots=True)
class ApplicationOwner:
    """Somebody an application belongs to. contact: whether RoviTracker asks them about it. confirmed: their address."""

    person_id: UUID
    email: str
    name: str
    joined_at: datetime
    language: str | None
    contact: bool
    confirmed: bool


SELECT_APPLICATION_OWNERS = """
SELECT w.person_id, p.email, p.name, w.joined_at, p.language, w.contact, p.email_confirmed_at IS NOT NULL AS confirmed
FROM application_owner w JOIN person p ON p.id = w.person_id
WHERE w.application_id = $1 ORDER BY w.joined_at, w.person_id
"""


async def select_application_owners(
    statements: Statements, application_id: UUID
) -> tuple[ApplicationOwner, ...]:
    rows = await statements.rows(SELECT_APPLICATION_OWNERS, application_id)
    return tuple(ApplicationOwner(**row) for row in rows)


COUNT_SOLELY_OWNED = """
SELECT count(*) AS applications FROM application_owner w JOIN application a ON a.id = w.application_id
WHERE w.person_id = $1 AND a.status <> 'deleted' AND NOT EXISTS (
    SELECT FROM application_owner o WHERE o.application_id = w.application_id AND o.person_id <> $1)
"""


async def count_solely_owned(statements: Statements, person_id: UUID) -> int:
    """How many applications would have no owner without the person."""
    [row] = await statements.rows(COUNT_SOLELY_OWNED, person_id)
    return int(row["applications"])


# A second one at the same moment finds the first.
INSERT_TEST_CUSTOMER = """
INSERT INTO customer (id, name, tester_id) VALUES ($1, $2, $3) ON CONFLICT (tester_id) DO NOTHING
"""
SELECT_TEST_CUSTOMER = "SELECT id, created_at FROM customer WHERE tester_id = $1 AND disabled_at IS NULL"


@dataclass(frozen=True, slots=True)
class MadeTestCustomer:
    """A test customer, and when it was made."""

    customer_id: UUID
    made_at: datetime


async def insert_test_customer(statements: Statements, customer_id: UUID, name: str, tester_id: UUID) -> bool:
    """False when the person has one."""
    return bool(await statements.count(INSERT_TEST_CUSTOMER, customer_id, name, tester_id))


async def select_test_customer(statements: Statements, tester_id: UUID) -> MadeTestCustomer | None:
    row = await statements.row(SELECT_TEST_CUSTOMER, tester_id)
    return MadeTestCustomer(row["id"], row["created_at"]) if row else None


# Each is claimed by one process, and by no other before the next interval is over.
CLAIM_TEST_CUSTOMER = """
UPDATE customer SET simulated_at = clock_timestamp() WHERE id = (
    SELECT c.id FROM customer c
    WHERE c.tester_id IS NOT NULL AND c.disabled_at IS NULL
      AND coalesce(c.simulated_at, c.created_at) < clock_timestamp() - $1::interval
      AND (c.created_at > clock_timestamp() - $2::interval OR EXISTS (
          SELECT FROM connection_read r WHERE r.customer_id = c.id AND r.last_at > clock_timestamp() - $2::interval))
    ORDER BY c.simulated_at NULLS FIRST LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, created_at
"""


async def claim_test_customer(
    statements: Statements, *, every: timedelta, unread: timedelta
) -> MadeTestCustomer | None:
    """One whose turn it is; None without any.

    every: it did not report for so long. unread: it was made or read not longer ago.
    """
    row = await statements.row(CLAIM_TEST_CUSTOMER, every, unread)
    return MadeTestCustomer(row["id"], row["created_at"]) if row else None


SELECT_AS_TESTER = """
SELECT c.id, c.name FROM customer c JOIN application_owner w ON w.person_id = c.tester_id
WHERE c.tester_id = $1 AND w.application_id = $2 AND c.disabled_at IS NULL
"""


async def select_as_tester(statements: Statements, person: Person, application_id: UUID) -> Member | None:
    """The person as the owner of their test customer; None when the application is not theirs."""
    row = await statements.row(SELECT_AS_TESTER, person.id, application_id)
    if row is None:
        return None
    return Member(
        person.id,
        person.email,
        person.name,
        row["id"],
        row["name"],
        "owner",
        person.operator_role,
        person.language,
        person.time_zone,
        person.develops,
    )


SELECT_IS_TESTER_LOCKED = "SELECT FROM customer WHERE id = $2 AND tester_id = $1 FOR SHARE"


async def select_is_tester_locked(transaction: Transaction, person_id: UUID, customer_id: UUID) -> bool:
    """Whether it is the person's test customer, which stays as it is until the transaction ends."""
    return await transaction.row(SELECT_IS_TESTER_LOCKED, person_id, customer_id) is not None


# Changes of an application's owners come one after the other, so that one of them always stays.
LOCK_APPLICATION = "SELECT FROM application WHERE id = $1 FOR NO KEY UPDATE"


async def lock_application(transaction: Transaction, application_id: UUID) -> None:
    await transaction.row(LOCK_APPLICATION, application_id)


DELETE_APPLICATION_OWNER = """
DELETE FROM application_owner w WHERE w.application_id = $1 AND w.person_id = $2 AND EXISTS (
    SELECT FROM application_owner o WHERE o.application_id = $1 AND o.person_id <> $2)
"""


async def delete_application_owner(transaction: Transaction, application_id: UUID, person_id: UUID) -> bool:
    """False when the person is no owner, or the last one. The application is locked."""
    return bool(await transaction.count(DELETE_APPLICATION_OWNER, application_id, person_id))
