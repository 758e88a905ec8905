"""What customers recognise an application by, its reasons for each scope, and who is asked about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import orjson

from app.oauth.description import Description
from app.storage.people.application_reviews import description_columns
from app.storage.postgres.database import Statements, Transaction

# Nothing leads from live back to test mode.
UPDATE_DESCRIPTION = """
UPDATE application
SET name = $2, company = $3, logo_digest = $4, redirect_uris = $5, scope = $6, terms_uri = $7, privacy_uri = $8,
    live_at = CASE WHEN $9 THEN coalesce(live_at, clock_timestamp()) ELSE live_at END
WHERE id = $1 AND status <> 'deleted'
"""


async def update_description(
    transaction: Transaction, application_id: UUID, description: Description, *, live: bool
) -> bool:
    """False when it is deleted. live: whether it meets real customers from now on; false changes nothing about that."""
    return bool(
        await transaction.count(UPDATE_DESCRIPTION, application_id, *description_columns(description), live)
    )


UPDATE_SCOPE_REASONS = "UPDATE application SET scope_reasons = $2::jsonb WHERE id = $1"
SELECT_SCOPE_REASONS = "SELECT scope_reasons FROM application WHERE id = $1"


async def update_scope_reasons(
    statements: Statements, application_id: UUID, reasons: Mapping[str, str]
) -> None:
    await statements.count(UPDATE_SCOPE_REASONS, application_id, orjson.dumps(dict(reasons)).decode())


async def select_scope_reasons(statements: Statements, application_id: UUID) -> dict[str, str]:
    """By scope, in the owners' words."""
    row = await statements.row(SELECT_SCOPE_REASONS, application_id)
    reasons: dict[str, str] = orjson.loads(row["scope_reasons"]) if row else {}
    return reasons


# A unique index looks at each row by itself, so the former goes first.
CLEAR_CONTACT = """
UPDATE application_owner SET contact = false WHERE application_id = $1 AND person_id <> $2 AND contact
"""
SET_CONTACT = """
UPDATE application_owner w SET contact = true FROM person p
WHERE w.application_id = $1 AND w.person_id = $2 AND p.id = w.person_id AND p.email_confirmed_at IS NOT NULL
"""


async def set_contact(transaction: Transaction, application_id: UUID, person_id: UUID) -> bool:
    """False when the person is no owner of it, or never confirmed the address."""
    await transaction.count(CLEAR_CONTACT, application_id, person_id)
    return bool(await transaction.count(SET_CONTACT, application_id, person_id))


@dataclass(frozen=True, slots=True)
class Compared:
    """An application as another's name and logo are compared with it. logo, likeness: of its picture."""

    id: UUID
    name: str
    company: str
    logo: bytes | None
    likeness: int | None


# An application of the same owners is no stranger's. A deleted one is on nobody's consent page.
SELECT_COMPARED = """
SELECT a.id, a.name, a.company, a.logo_digest AS logo, l.likeness
FROM application a LEFT JOIN application_logo l ON l.digest = a.logo_digest
WHERE a.id <> $1 AND a.status <> 'deleted' AND NOT EXISTS (
    SELECT FROM application_owner w JOIN application_owner o ON o.person_id = w.person_id
    WHERE w.application_id = $1 AND o.application_id = a.id)
ORDER BY a.id LIMIT $2
"""


async def select_compared(statements: Statements, application_id: UUID, most: int) -> tuple[Compared, ...]:
    """All other applications but those of the same owners."""
    return tuple(Compared(**row) for row in await statements.rows(SELECT_COMPARED, application_id, most))
