"""Which notices people do not want by mail, and who is told of what: about an application or an account."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from app.storage.postgres.database import Statements, Transaction

# A customer is connected, changes what may be read, or is disconnected; a connection ends soon; a secret or key is unused
# or old.
ApplicationNotice = Literal["connected", "changed", "disconnected", "ending", "secret"]
# What an application may read is changed, one or all are disconnected, a connection ends soon.
AccountNotice = Literal["changed", "disconnected", "ending"]
About = Literal["application", "account"]


def _selected(table: str, key: str) -> str:
    return f"SELECT notices_off FROM {table} WHERE {key} = $1 AND person_id = $2"


def _updated(table: str, key: str) -> str:
    return f"""
UPDATE {table} w SET notices_off = $3
FROM (SELECT notices_off FROM {table} WHERE {key} = $1 AND person_id = $2 FOR UPDATE) before
WHERE w.{key} = $1 AND w.person_id = $2 RETURNING before.notices_off AS before
"""


_OWNER, _MEMBER = ("application_owner", "application_id"), ("customer_member", "customer_id")
SELECT_NOTICES_OFF, SELECT_ACCOUNT_NOTICES_OFF = _selected(*_OWNER), _selected(*_MEMBER)
UPDATE_NOTICES_OFF, UPDATE_ACCOUNT_NOTICES_OFF = _updated(*_OWNER), _updated(*_MEMBER)


async def select_notices_off(
    statements: Statements, about: About, about_id: UUID, person_id: UUID
) -> frozenset[str] | None:
    """The notices that a person does not want; None for somebody who does not belong to it.

    about_id: of the application that the person owns, or of the account that the person is a member of.
    """
    statement = SELECT_NOTICES_OFF if about == "application" else SELECT_ACCOUNT_NOTICES_OFF
    row = await statements.row(statement, about_id, person_id)
    return frozenset(row["notices_off"]) if row else None


async def update_notices_off(
    transaction: Transaction, about: About, about_id: UUID, person_id: UUID, off: Collection[str]
) -> frozenset[str] | None:
    """What was off before; None for somebody who does not belong to it."""
    statement = UPDATE_NOTICES_OFF if about == "application" else UPDATE_ACCOUNT_NOTICES_OFF
    row = await transaction.row(statement, about_id, person_id, sorted(off))
    return frozenset(row["before"]) if row else None


# What nobody turns off has no name.
SELECT_TOLD_MEMBERS = """
SELECT m.person_id, p.email FROM customer_member m JOIN person p ON p.id = m.person_id
WHERE m.customer_id = $1 AND m.role = 'owner' AND ($2::text IS NULL OR NOT $2 = ANY (m.notices_off))
ORDER BY m.joined_at, m.person_id
"""


async def select_told_members(
    statements: Statements, customer_id: UUID, notice: AccountNotice | None
) -> tuple[tuple[UUID, str], ...]:
    """The owners of an account who want a notice, with their addresses. notice: None for a mail that always comes."""
    rows = await statements.rows(SELECT_TOLD_MEMBERS, customer_id, notice)
    return tuple((row["person_id"], row["email"]) for row in rows)


@dataclass(frozen=True, slots=True)
class ToldOwner:
    """An owner of an application who wants a notice about it."""

    application_id: UUID
    person_id: UUID
    email: str


# Nobody is told of a test customer, which is an owner's own.
SELECT_TOLD_OWNERS = """
SELECT w.application_id, w.person_id, p.email
FROM application_owner w JOIN person p ON p.id = w.person_id JOIN application a ON a.id = w.application_id
WHERE w.application_id = ANY ($1::uuid[]) AND NOT $2 = ANY (w.notices_off) AND a.status <> 'deleted'
  AND EXISTS (SELECT FROM customer c WHERE c.id = $3 AND c.tester_id IS NULL)
ORDER BY w.person_id, a.name, a.id
"""


async def select_told_owners(
    statements: Statements, application_ids: Sequence[UUID], notice: ApplicationNotice, customer_id: UUID
) -> tuple[ToldOwner, ...]:
    """Who wants a notice about a customer; each person's applications by name."""
    rows = await statements.rows(SELECT_TOLD_OWNERS, list(application_ids), notice, customer_id)
    return tuple(ToldOwner(**row) for row in rows)


SELECT_STILL_TOLD = """
SELECT w.application_id FROM application_owner w JOIN application a ON a.id = w.application_id
WHERE w.person_id = $1 AND w.application_id = ANY ($2::uuid[]) AND NOT $3 = ANY (w.notices_off) AND a.status <> 'deleted'
"""


async def select_still_told(
    statements: Statements, person_id: UUID, application_ids: Sequence[UUID], notice: ApplicationNotice
) -> frozenset[UUID]:
    """Those of the applications that the person owns, and wants this notice about."""
    rows = await statements.rows(SELECT_STILL_TOLD, person_id, list(application_ids), notice)
    return frozenset(row["application_id"] for row in rows)
