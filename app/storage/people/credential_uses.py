"""When applications last proved themselves by which secret or key."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from app.storage.postgres.database import Statements

# In one order, so that two processes that write the same follow each other. What no row can stand for is left out: it
# would take all others of its round along, and each round after.
UPSERT_CREDENTIAL_USES = """
INSERT INTO credential_use AS u (application_id, digest, used_at)
SELECT a.id, used.digest, used.used_at
FROM unnest($1::uuid[], $2::bytea[], $3::timestamptz[]) AS used(application_id, digest, used_at)
JOIN application a ON a.id = used.application_id ORDER BY a.id, used.digest
ON CONFLICT (application_id, digest) DO UPDATE SET used_at = excluded.used_at WHERE u.used_at < excluded.used_at
"""


async def upsert_credential_uses(statements: Statements, used: Mapping[tuple[UUID, bytes], datetime]) -> None:
    """used: the hour by application and digest, of the secret or of the key."""
    await statements.count(
        UPSERT_CREDENTIAL_USES,
        [application_id for application_id, _ in used],
        [digest for _, digest in used],
        list(used.values()),
    )
