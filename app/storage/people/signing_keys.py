"""The keys the service signs with."""

from collections.abc import Hashable
from datetime import timedelta
from uuid import UUID

import orjson

from app.oauth.keys import Keys
from app.oauth.signing import NewKey, SigningKey, open_private
from app.storage.postgres.changes import Changes
from app.storage.postgres.database import Database, Row, Statements
from app.storage.postgres.remembered import Remembered

ALL_KEYS = UUID(int=0)  # they are remembered together, under this name
_LIFE_S = 300.0

_COLUMNS = "kid, public_jwk, sealed, sealed_with, created_at, begins_at, leaves_at"

SELECT_SIGNING_KEYS = f"SELECT {_COLUMNS} FROM signing_key ORDER BY begins_at, kid"


async def select_signing_keys(statements: Statements, keys: Keys) -> tuple[SigningKey, ...]:
    return tuple(_signing_key(row, keys) for row in await statements.rows(SELECT_SIGNING_KEYS))


def remember_signing_keys(
    database: Database, keys: Keys, changes: Changes
) -> Remembered[UUID, tuple[SigningKey, ...]]:
    """The memory of all keys, under ALL_KEYS. They are opened once, and again when one of them changes."""

    async def ask(_all: UUID) -> tuple[SigningKey, ...] | None:
        return await select_signing_keys(database, keys) or None

    def rests_on(_keys: tuple[SigningKey, ...]) -> tuple[tuple[Hashable, ...], float]:
        return (ALL_KEYS,), _LIFE_S

    return Remembered(ask, changes, rests_on=rests_on, most=1)


# Whether to make a key depends on those that stand, so processes decide one after the other.
LOCK_SIGNING_KEYS = "SELECT pg_advisory_xact_lock(hashtext('rovitracker signing keys'))"


async def lock_signing_keys(statements: Statements) -> None:
    """Let nobody else decide about the keys until the transaction ends."""
    await statements.row(LOCK_SIGNING_KEYS)


# Earlier keys stay published for a while after it has begun, since what they signed is still under way then.
# least() passes over a null.
INSERT_SIGNING_KEY = f"""
WITH made AS (
    INSERT INTO signing_key (kid, public_jwk, sealed, sealed_with, begins_at)
    VALUES ($1, $2::jsonb, $3, $4, clock_timestamp() + $5::interval)
    RETURNING {_COLUMNS}
), followed AS (
    UPDATE signing_key k SET leaves_at = least(k.leaves_at, made.begins_at + $6::interval)
    FROM made WHERE k.kid <> made.kid
)
SELECT {_COLUMNS} FROM made
"""


async def insert_signing_key(
    statements: Statements, new: NewKey, keys: Keys, *, begins_in: timedelta, others_stay: timedelta
) -> SigningKey:
    stored = (new.kid, new.public_jwk.decode(), new.sealed, new.sealed_with)
    [row] = await statements.rows(INSERT_SIGNING_KEY, *stored, begins_in, others_stay)
    return _signing_key(row, keys)


SELECT_NEWEST_SEAL = "SELECT sealed_with FROM signing_key ORDER BY created_at DESC, kid LIMIT 1"


async def select_newest_seal(statements: Statements) -> str | None:
    """The name of the secret key that sealed the newest signing key; None where there is none yet."""
    row = await statements.row(SELECT_NEWEST_SEAL)
    return row["sealed_with"] if row else None


UPDATE_SEALED = "UPDATE signing_key SET sealed = $3, sealed_with = $4 WHERE kid = $1 AND sealed_with = $2"


async def update_sealed(
    statements: Statements, kid: str, sealed_with: str, *, sealed: str, seals_now: str
) -> bool:
    """False when another process has sealed it anew already."""
    return bool(await statements.count(UPDATE_SEALED, kid, sealed_with, sealed, seals_now))


DELETE_PAST_SIGNING_KEYS = "SELECT delete_past_signing_keys() AS deleted"


async def call_delete_past_signing_keys(statements: Statements) -> int:
    row = await statements.row(DELETE_PAST_SIGNING_KEYS)
    return int(row["deleted"]) if row else 0


def _signing_key(row: Row, keys: Keys) -> SigningKey:
    return SigningKey(
        kid=row["kid"],
        public_jwk=orjson.loads(row["public_jwk"]),
        sealed_with=row["sealed_with"],
        created_at=row["created_at"],
        begins_at=row["begins_at"],
        leaves_at=row["leaves_at"],
        private=open_private(keys, row["kid"], row["sealed"]),
    )
