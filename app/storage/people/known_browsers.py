"""The browsers that a person signed in with before."""

from datetime import timedelta
from uuid import UUID

from app.storage.postgres.database import Statements

UPSERT_KNOWN_BROWSER = """
INSERT INTO known_browser (id_digest, member_id, expires_at) VALUES ($1, $2, clock_timestamp() + $3::interval)
ON CONFLICT (id_digest) DO UPDATE SET expires_at = EXCLUDED.expires_at
"""
# Each known browser may guess by itself, so there are never many.
DELETE_SURPLUS_KNOWN_BROWSERS = """
DELETE FROM known_browser WHERE id_digest IN (
    SELECT id_digest FROM known_browser WHERE member_id = $1 ORDER BY expires_at DESC OFFSET $2)
"""


async def upsert_known_browser(
    statements: Statements, id_digest: bytes, member_id: UUID, *, life: timedelta, most: int
) -> None:
    """Note a known browser. Beyond `most`, those that were used the longest ago are forgotten."""
    await statements.count(UPSERT_KNOWN_BROWSER, id_digest, member_id, life)
    await statements.count(DELETE_SURPLUS_KNOWN_BROWSERS, member_id, most)


DELETE_KNOWN_BROWSERS_OF = "DELETE FROM known_browser WHERE member_id = $1"


async def delete_known_browsers_of(statements: Statements, member_id: UUID) -> None:
    await statements.count(DELETE_KNOWN_BROWSERS_OF, member_id)
