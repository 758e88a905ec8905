"""Which notices about an application its owners want by mail, and which of them are told of what."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from app.storage.postgres.database import Statements, Transaction

# A customer is connected or disconnected, a connection ends soon, a secret is unused or old.
ApplicationNotice = Literal["connected", "disconnected", "ending", "secret"]

SELECT_NOTICES_OFF = "SELECT notices_off FROM application_owner WHERE application_id = $1 AND person_id = $2"


async def select_notices_off(
    statements: Statements, application_id: UUID, person_id: UUID
) -> frozenset[str] | None:
    """The notices that an owner does not want; None for somebody who owns no such application."""
    row = await statements.row(SELECT_NOTICES_OFF, application_id, person_id)
    return frozenset(row["notices_off"]) if row else None


UPDATE_NOTICES_OFF = """
UPDATE application_owner w SET notices_off = $3
FROM (SELECT notices_off FROM application_owner WHERE application_id = $1 AND person_id = $2 FOR UPDATE) before
WHERE w.application_id = $1 AND w.person_id = $2 RETURNING before.notices_off AS before
"""


async def update_notices_off(
    transaction: Transaction, application_id: UUID, person_id: UUID, off: Collection[ApplicationNotice]
) -> frozenset[str] | None:
    """What was off before; None when the person owns no such application."""
    row = await transaction.row(UPDATE_NOTICES_OFF, application_id, person_id, sorted(off))
    return frozenset(row["before"]) if row else None


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
