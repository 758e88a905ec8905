"""The second factor of a person: the sealed secret of an authenticator app, and the recovery codes that are left."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from app.storage.postgres.database import Row, Statements

SELECT_TOTP = """
SELECT id AS person_id, totp_sealed, totp_sealed_with FROM person WHERE id = $1 AND totp_sealed IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class SealedTotp:
    """The secret of a person's authenticator app. sealed_with: the name of the secret key."""

    person_id: UUID
    sealed: str = field(repr=False)
    sealed_with: str


async def select_totp(statements: Statements, person_id: UUID) -> SealedTotp | None:
    row = await statements.row(SELECT_TOTP, person_id)
    return _totp(row) if row else None


INSERT_TOTP = """
UPDATE person SET totp_sealed = $2, totp_sealed_with = $3, totp_last_step = $4
WHERE id = $1 AND totp_sealed IS NULL
"""


async def insert_totp(statements: Statements, new: SealedTotp, last_step: int) -> bool:
    """False when the person has one already. last_step: of the code that confirmed it."""
    return bool(await statements.count(INSERT_TOTP, new.person_id, new.sealed, new.sealed_with, last_step))


# When two requests bring one code, the row lock lets the first have it.
MARK_STEP_USED = """
UPDATE person SET totp_last_step = $3 WHERE id = $1 AND totp_sealed = $2 AND totp_last_step < $3
"""


async def mark_step_used(statements: Statements, totp: SealedTotp, step: int) -> bool:
    """False when this step or a later one was used already."""
    return bool(await statements.count(MARK_STEP_USED, totp.person_id, totp.sealed, step))


DELETE_TOTP = """
UPDATE person SET totp_sealed = NULL, totp_sealed_with = NULL, totp_last_step = NULL
WHERE id = $1 AND totp_sealed IS NOT NULL
"""


async def delete_totp(statements: Statements, person_id: UUID) -> bool:
    """False when the person has none."""
    return bool(await statements.count(DELETE_TOTP, person_id))


SELECT_TOTP_SEALED_BEFORE = """
SELECT id AS person_id, totp_sealed, totp_sealed_with FROM person
WHERE totp_sealed_with <> $1 AND id > $2 ORDER BY id LIMIT $3
"""


async def select_totp_sealed_before(
    statements: Statements, seals_now: str, after: UUID, most: int
) -> tuple[SealedTotp, ...]:
    """Those that another secret key sealed than the newest, in the order of their ids."""
    rows = await statements.rows(SELECT_TOTP_SEALED_BEFORE, seals_now, after, most)
    return tuple(_totp(row) for row in rows)


UPDATE_TOTP_SEALED = """
UPDATE person SET totp_sealed = $3, totp_sealed_with = $4 WHERE id = $1 AND totp_sealed = $2
"""


async def update_totp_sealed(statements: Statements, before: SealedTotp, after: SealedTotp) -> bool:
    """False when it was sealed anew or exchanged meanwhile."""
    changed = (after.sealed, after.sealed_with)
    return bool(await statements.count(UPDATE_TOTP_SEALED, before.person_id, before.sealed, *changed))


COUNT_TOTP_BY_KEY = """
SELECT totp_sealed_with AS key, count(*)::integer AS apps FROM person
WHERE totp_sealed IS NOT NULL GROUP BY totp_sealed_with
"""


async def count_totp_by_key(statements: Statements) -> dict[str, int]:
    """How many secrets each secret key has sealed, by the key's name."""
    return {row["key"]: row["apps"] for row in await statements.rows(COUNT_TOTP_BY_KEY)}


INSERT_RECOVERY_CODES = "INSERT INTO recovery_code (digest, person_id) SELECT unnest($1::bytea[]), $2"


async def insert_recovery_codes(statements: Statements, person_id: UUID, digests: Sequence[bytes]) -> None:
    await statements.count(INSERT_RECOVERY_CODES, digests, person_id)


DELETE_RECOVERY_CODE = "DELETE FROM recovery_code WHERE digest = $1 AND person_id = $2"


async def delete_recovery_code(statements: Statements, person_id: UUID, digest: bytes) -> bool:
    """False when the person has no such code, or has used it."""
    return bool(await statements.count(DELETE_RECOVERY_CODE, digest, person_id))


DELETE_RECOVERY_CODES_OF = "DELETE FROM recovery_code WHERE person_id = $1"


async def delete_recovery_codes_of(statements: Statements, person_id: UUID) -> None:
    await statements.count(DELETE_RECOVERY_CODES_OF, person_id)


COUNT_RECOVERY_CODES = "SELECT count(*)::integer AS unused FROM recovery_code WHERE person_id = $1"


async def count_recovery_codes(statements: Statements, person_id: UUID) -> int:
    row = await statements.row(COUNT_RECOVERY_CODES, person_id)
    return int(row["unused"]) if row else 0


def _totp(row: Row) -> SealedTotp:
    return SealedTotp(row["person_id"], row["totp_sealed"], row["totp_sealed_with"])
