"""Which of the things that a code or refresh token rests on has fallen, asked once it was refused."""

from datetime import timedelta
from typing import Literal
from uuid import UUID

from asyncpg import Record

from app.storage.postgres.database import Database
from app.storage.token.standing import is_connected, parties_of

Fallen = Literal["revoked", "expired", "suspended"]

SELECT_FALLEN_OF_CODE = f"""
SELECT NOT {is_connected("code")} AS revoked,
       code.approved_at + $4::interval <= clock_timestamp() AS expired
FROM (SELECT $1::uuid AS application_id, $2::uuid AS customer_id,
             timestamptz 'epoch' + $3::bigint * interval '1 microsecond' AS approved_at) AS code
{parties_of("code")}
"""


async def select_fallen_of_code(
    database: Database, *, application_id: UUID, customer_id: UUID, approved_at_us: int, life: timedelta
) -> Fallen:
    """life: of a code, from its approval."""
    row = await database.row(SELECT_FALLEN_OF_CODE, application_id, customer_id, approved_at_us, life)
    return _judge(row)


SELECT_FALLEN_OF_REFRESH_TOKEN = f"""
SELECT g.revoked_at IS NOT NULL OR NOT {is_connected("t")} AS revoked,
       t.expires_at <= clock_timestamp() AS expired
FROM refresh_token t
{parties_of("t")}
JOIN authorization_grant g ON g.id = t.grant_id AND g.bucket = t.bucket
WHERE t.id = $1 AND t.bucket = bucket_of($1)
"""


async def select_fallen_of_refresh_token(database: Database, token_id: UUID) -> Fallen:
    return _judge(await database.row(SELECT_FALLEN_OF_REFRESH_TOKEN, token_id))


def _judge(row: Record | None) -> Fallen:
    """Suspension alone can be undone meanwhile, so it is what remains. A row that is gone was cut off."""
    if row is None or row["revoked"]:
        return "revoked"
    return "expired" if row["expired"] else "suspended"
