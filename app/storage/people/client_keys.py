"""The public keys of applications: since when each is registered here, and when it was last used."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from app.storage.postgres.database import Statements, Transaction

DELETE_OTHER_KEYS = "DELETE FROM client_key WHERE application_id = $1 AND digest <> ALL ($2::bytea[])"
# A key that stays keeps its age.
UPSERT_CLIENT_KEYS = """
INSERT INTO client_key (application_id, digest, kid)
SELECT $1, key.digest, key.kid FROM unnest($2::bytea[], $3::text[]) AS key(digest, kid)
ON CONFLICT (application_id, digest) DO UPDATE SET kid = excluded.kid
"""


async def replace_client_keys(
    transaction: Transaction, application_id: UUID, keys: Mapping[str, bytes]
) -> None:
    """Note that these are its keys from now on. keys: the thumbprints by name."""
    await transaction.count(DELETE_OTHER_KEYS, application_id, list(keys.values()))
    await transaction.count(UPSERT_CLIENT_KEYS, application_id, list(keys.values()), list(keys))


SELECT_CLIENT_KEYS = """
SELECT k.digest, k.created_at, u.used_at
FROM client_key k LEFT JOIN credential_use u ON u.application_id = k.application_id AND u.digest = k.digest
WHERE k.application_id = $1
"""


async def select_client_keys(
    statements: Statements, application_id: UUID
) -> dict[bytes, tuple[datetime, datetime | None]]:
    """When each key was registered here, and the hour of its last use, by thumbprint."""
    rows = await statements.rows(SELECT_CLIENT_KEYS, application_id)
    return {bytes(row["digest"]): (row["created_at"], row["used_at"]) for row in rows}
