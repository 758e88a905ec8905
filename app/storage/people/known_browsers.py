"""The browsers that a person signed in with before."""

from datetime import timedelta
from uuid import UUID

from app.storage.postgres.database import Statements

UPSERT_KNOWN_BROWSER = """
INSERT INTO known_browser (id_digest, person_id, expires_at) VALUES ($1, $2, clock_timestamp() + $3::interval)
ON CONFLICT (id_digest) DO UPDATE SET expires_at = EXCLUDED.expires_at
"""
# Each known browser may guess by itself, so there are never many.
DELETE_SURPLUS_KNOWN_BROWSERS = """
DELETE FROM known_browser WHERE id_digest IN (
    SELECT id_digest FROM known_browser WHERE person_id = $1 ORDER BY expires_at DESC OFFSET $2)
"""


async def upsert_known_browser(
    statements: Statements, id_digest: bytes, person_id: UUID, *, life: timedelta, most: int
) -> None:
    """Note a known browser. Beyond `most`, those that were used the longest ago are forgotten."""
    await statements.count(UPSERT_KNOWN_BROWSER, id_digest, person_id, life)
    await statements.count(DELETE_SURPLUS_KNOWN_BROWSERS, person_id, most)


DELETE_OTHER_KNOWN_BROWSERS = (
    "DELETE FROM known_browser WHERE person_id = $1 AND id_digest IS DISTINCT FROM $2"
)


async def delete_other_known_browsers(
    statements: Statements, person_id: UUID, kept_digest: bytes | None
) -> None:
    await statements.count(DELETE_OTHER_KNOWN_BROWSERS, person_id, kept_digest)


DELETE_KNOWN_BROWSERS_OF = "DELETE FROM known_browser WHERE person_id = $1"


async def delete_known_browsers_of(statements: Statements, person_id: UUID) -> None:
    await statements.count(DELETE_KNOWN_BROWSERS_OF, person_id)
