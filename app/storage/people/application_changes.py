"""Changes of a registered application: its description, its status, its secrets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.oauth.client import ClientStatus
from app.oauth.scope import Scope
from app.storage.postgres.database import Statements

# Null leaves a column as it is, so that two changes of different things at once both stand.
# kind, public and audience are for ever: what was issued rests on them.
UPDATE_APPLICATION = """
UPDATE application
SET name = coalesce($2, name), company = coalesce($3, company), grants = coalesce($4, grants),
    scope = coalesce($5, scope), redirect_uris = coalesce($6, redirect_uris),
    customer_id = coalesce($7, customer_id), logo_digest = coalesce($8, logo_digest), jwks = coalesce($9::jsonb, jwks)
WHERE id = $1 AND status <> 'deleted'
"""


@dataclass(frozen=True, slots=True)
class ApplicationChanges:
    """The columns that change; None leaves one as it is."""

    name: str | None = None
    company: str | None = None
    grants: frozenset[str] | None = None
    scope: Scope | None = None
    redirect_uris: tuple[str, ...] | None = None
    customer_id: UUID | None = None
    logo_digest: bytes | None = None
    jwks: str | None = None


async def update_application(
    statements: Statements, application_id: UUID, changes: ApplicationChanges
) -> bool:
    """False when it is deleted."""
    return bool(
        await statements.count(
            UPDATE_APPLICATION,
            application_id,
            changes.name,
            changes.company,
            sorted(changes.grants) if changes.grants is not None else None,
            " ".join(changes.scope) if changes.scope is not None else None,
            list(changes.redirect_uris) if changes.redirect_uris is not None else None,
            changes.customer_id,
            changes.logo_digest,
            changes.jwks,
        )
    )


UPDATE_STATUS = "UPDATE application SET status = $3 WHERE id = $1 AND status = ANY($2::text[])"


async def update_status(
    statements: Statements, application_id: UUID, before: Sequence[ClientStatus], after: ClientStatus
) -> bool:
    """False when its status was another than these, or nobody has the id."""
    return bool(await statements.count(UPDATE_STATUS, application_id, list(before), after))


# The one secret without an end begins to leave, and the other slot is filled; never while a leaving one is still
# good, since it would be the third. If two rotate at once, the second finds none without an end, and inserts none.
UPSERT_CLIENT_SECRET = """
WITH leaving AS (
    UPDATE client_secret s SET expires_at = clock_timestamp() + make_interval(secs => $3)
    WHERE s.application_id = $1 AND s.expires_at IS NULL
      AND NOT EXISTS (SELECT FROM client_secret o WHERE o.application_id = $1 AND o.expires_at > clock_timestamp())
    RETURNING s.slot
)
INSERT INTO client_secret (application_id, slot, digest)
SELECT $1, 3 - slot, $2 FROM leaving
ON CONFLICT (application_id, slot) DO UPDATE
SET digest = excluded.digest, slow_hash = NULL, created_at = clock_timestamp(), expires_at = NULL
"""


async def rotate_client_secret(
    statements: Statements, application_id: UUID, digest: bytes, *, overlap_s: int
) -> bool:
    """False when the secret before the present one is still good, or there is none at all."""
    return bool(await statements.count(UPSERT_CLIENT_SECRET, application_id, digest, overlap_s))


# Judged by the hash that was verified: meanwhile the secret may have been rotated.
UPDATE_SLOW_HASH = """
UPDATE client_secret SET digest = $3, slow_hash = NULL WHERE application_id = $1 AND slow_hash = $2
"""


async def replace_slow_hash(
    statements: Statements, application_id: UUID, slow_hash: str, digest: bytes
) -> bool:
    """False when somebody replaced it already."""
    return bool(await statements.count(UPDATE_SLOW_HASH, application_id, slow_hash, digest))


DELETE_CLIENT_SECRETS = "DELETE FROM client_secret WHERE application_id = $1"


async def delete_client_secrets(statements: Statements, application_id: UUID) -> int:
    return await statements.count(DELETE_CLIENT_SECRETS, application_id)


DELETE_LEAVING_SECRET = """
DELETE FROM client_secret WHERE application_id = $1 AND expires_at > clock_timestamp()
"""


async def delete_leaving_secret(statements: Statements, application_id: UUID) -> bool:
    return bool(await statements.count(DELETE_LEAVING_SECRET, application_id))


@dataclass(frozen=True, slots=True)
class ListedSecret:
    """A secret as its owner sees it. expires_at: None for the present one. imported: from a former system.

    used_at: to the hour; None when nobody used it for 400 days.
    """

    created_at: datetime
    expires_at: datetime | None
    imported: bool
    used_at: datetime | None


SELECT_LIVE_SECRETS = """
SELECT s.created_at, s.expires_at, s.slow_hash IS NOT NULL AS imported, u.used_at
FROM client_secret s LEFT JOIN credential_use u ON u.application_id = s.application_id AND u.digest = s.digest
WHERE s.application_id = $1 AND coalesce(s.expires_at, 'infinity') > clock_timestamp() ORDER BY s.expires_at NULLS FIRST
"""


async def select_live_secrets(statements: Statements, application_id: UUID) -> tuple[ListedSecret, ...]:
    """Those that are good now, the one without an end first."""
    rows = await statements.rows(SELECT_LIVE_SECRETS, application_id)
    return tuple(ListedSecret(**row) for row in rows)
