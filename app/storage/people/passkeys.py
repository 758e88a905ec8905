"""Passkeys of people: what is kept of each, its use, and the challenges that were answered."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.storage.postgres.database import Row, Statements


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey. rp_id: the host it is bound to. public_key: COSE. last_used_at: None before its first use."""

    credential_id: bytes
    person_id: UUID
    rp_id: str
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...]
    name: str
    backed_up: bool
    created_at: datetime | None = None
    last_used_at: datetime | None = None


_COLUMNS = """credential_id, person_id, rp_id, public_key, sign_count, transports, name, backed_up, created_at,
       last_used_at"""

SELECT_PASSKEY = f"""
SELECT {_COLUMNS}
FROM passkey WHERE credential_id = $1 AND rp_id = $2
"""


async def select_passkey(statements: Statements, credential_id: bytes, rp_id: str) -> Passkey | None:
    """None for one that nobody has, or that is bound to another host."""
    row = await statements.row(SELECT_PASSKEY, credential_id, rp_id)
    return _passkey(row) if row else None


SELECT_PASSKEYS_OF = f"""
SELECT {_COLUMNS}
FROM passkey WHERE person_id = $1 ORDER BY created_at
"""


async def select_passkeys_of(statements: Statements, person_id: UUID) -> tuple[Passkey, ...]:
    """The oldest first, those bound to other hosts too."""
    return tuple(_passkey(row) for row in await statements.rows(SELECT_PASSKEYS_OF, person_id))


# The lock on the person, which a statement before it took, keeps two from both being the last.
INSERT_PASSKEY = """
INSERT INTO passkey (credential_id, person_id, rp_id, public_key, sign_count, transports, name, backed_up)
SELECT $1, $2, $3, $4, $5, $6::text[], $7, $8
WHERE (SELECT count(*) FROM passkey WHERE person_id = $2) < $9
ON CONFLICT (credential_id) DO NOTHING
"""


async def insert_passkey(statements: Statements, new: Passkey, *, most: int) -> bool:
    """False when the person has that many already, or somebody has this one. The person is locked before."""
    values = (new.rp_id, new.public_key, new.sign_count, new.transports, new.name, new.backed_up)
    return bool(await statements.count(INSERT_PASSKEY, new.credential_id, new.person_id, *values, most))


# A count that does not go on is that of a copy (WebAuthn level 2 section 6.1.1), unless it never counts.
MARK_PASSKEY_USED = """
UPDATE passkey SET sign_count = $3, backed_up = $4, last_used_at = clock_timestamp()
WHERE credential_id = $1 AND person_id = $2 AND (sign_count < $3 OR greatest(sign_count, $3) = 0)
"""


async def mark_passkey_used(
    statements: Statements, passkey: Passkey, *, sign_count: int, backed_up: bool
) -> bool:
    """False when its count did not go on, or it was removed meanwhile."""
    used = (passkey.credential_id, passkey.person_id, sign_count, backed_up)
    return bool(await statements.count(MARK_PASSKEY_USED, *used))


INSERT_PASSKEY_CHALLENGE = """
INSERT INTO passkey_challenge (digest) VALUES ($1) ON CONFLICT (digest) DO NOTHING
"""


async def insert_passkey_challenge(statements: Statements, digest: bytes) -> bool:
    """False when it was answered before."""
    return bool(await statements.count(INSERT_PASSKEY_CHALLENGE, digest))


UPDATE_PASSKEY_NAME = "UPDATE passkey SET name = $3 WHERE credential_id = $1 AND person_id = $2"


async def update_passkey_name(
    statements: Statements, credential_id: bytes, person_id: UUID, name: str
) -> bool:
    """False when the person has no such passkey."""
    return bool(await statements.count(UPDATE_PASSKEY_NAME, credential_id, person_id, name))


DELETE_PASSKEY = "DELETE FROM passkey WHERE credential_id = $1 AND person_id = $2"


async def delete_passkey(statements: Statements, credential_id: bytes, person_id: UUID) -> bool:
    """False when the person has no such passkey."""
    return bool(await statements.count(DELETE_PASSKEY, credential_id, person_id))


DELETE_PASSKEYS_OF = "DELETE FROM passkey WHERE person_id = $1"


async def delete_passkeys_of(statements: Statements, person_id: UUID) -> int:
    return await statements.count(DELETE_PASSKEYS_OF, person_id)


COUNT_PASSKEYS_BY_HOST = "SELECT rp_id, count(*)::integer AS passkeys FROM passkey GROUP BY rp_id"


async def count_passkeys_by_host(statements: Statements) -> dict[str, int]:
    return {row["rp_id"]: row["passkeys"] for row in await statements.rows(COUNT_PASSKEYS_BY_HOST)}


def _passkey(row: Row) -> Passkey:
    return Passkey(**{**row, "transports": tuple(row["transports"])})
