"""Refresh tokens: each is spent once, by naming its successor, and stays until its whole family is past."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from app.oauth.lifetimes import Lifetimes
from app.storage.postgres.database import Statements
from app.storage.token.standing import parties_of, stands


class Rotation(NamedTuple):
    """One attempt to spend a refresh token for its successor and an access token, as the type `rotation` has it.

    scope, resource: asked for; None for what was granted.
    """

    id: UUID
    digest: bytes
    application_id: UUID
    successor_id: UUID
    successor_digest: bytes
    token_id: UUID
    token_digest: bytes
    scope: str | None
    resource: str | None

    def __repr__(self) -> str:
        return f"Rotation({self.id})"


@dataclass(frozen=True, slots=True)
class StoredRefreshToken:
    """A refresh token's row, and whether everything it rests on stood when it was read. A spent one is not active.

    Times are seconds since 1970; age_s: since it was issued, by PostgreSQL's clock.
    share, history_from, detailed, test: of its connection, as those of an access token.
    """

    id: UUID
    digest: bytes = field(repr=False)
    grant_id: UUID
    application_id: UUID
    customer_id: UUID
    scope: str
    audience: str
    successor_id: UUID | None
    issued_at: int
    expires_at: int
    age_s: float
    active: bool
    account: str
    member_id: UUID | None
    former_client_id: str | None
    share: int | None
    history_from: datetime | None
    detailed: bool
    test: bool

    @property
    def client_id(self) -> str:
        return self.former_client_id or str(self.application_id)

    def reaches(self, scope: str) -> bool:
        return scope in self.scope.split(" ")


class Rotated(NamedTuple):
    """A token that was inserted: its scope, and whose connection was asked for by details; None where it was not."""

    scope: str
    detailed_of: UUID | None


# One statement spends it, makes its successor and issues an access token. Among several who present one token, even in
# this very batch, one is chosen, and of two processes one finds the row unspent when it has its lock.
# ORDER BY id: two processes whose batches overlap would deadlock without it.
# The digest is compared here, since a round trip before would double the cost: the first bytes of a SHA-256 over 160
# random bits, which is all that time could tell, help nobody.
# Everything the token rests on is judged under the snapshot that commits. What ends meanwhile ends the new tokens too,
# since each of their checks looks at the same rows.
# Both inserts take all of `spent`, or the statement fails: its rows are what was issued.
INSERT_SUCCESSORS = f"""
WITH asked AS (
    SELECT *
    FROM unnest($1::rotation[])
), locked AS (
    SELECT asked.id, asked.successor_id, asked.successor_digest, asked.token_id, asked.token_digest,
           coalesce(asked.scope, t.scope) AS asked_scope, t.grant_id, t.bucket, t.approved_at,
           t.application_id, t.customer_id
    FROM asked
    JOIN refresh_token t ON t.id = asked.id AND t.bucket = bucket_of(asked.id)
    WHERE t.digest = asked.digest AND t.application_id = asked.application_id
      AND t.successor_id IS NULL AND t.expires_at > clock_timestamp()
      AND (asked.scope IS NULL OR string_to_array(asked.scope, ' ') <@ string_to_array(t.scope, ' '))
      AND (asked.resource IS NULL OR asked.resource = coalesce(t.audience, $2))
    ORDER BY t.id FOR UPDATE OF t
), chosen AS (
    SELECT DISTINCT ON (l.id) l.*, CASE WHEN k.detailed THEN l.customer_id END AS detailed_of
    FROM locked l
    {parties_of("l")}
    JOIN authorization_grant g ON g.id = l.grant_id AND g.bucket = l.bucket AND g.revoked_at IS NULL
    WHERE {stands("l")}
    ORDER BY l.id
), spent AS (
    UPDATE refresh_token t SET successor_id = chosen.successor_id
    FROM chosen WHERE t.id = chosen.id AND t.bucket = chosen.bucket AND t.successor_id IS NULL
    RETURNING chosen.successor_id, chosen.successor_digest, chosen.token_id, chosen.token_digest, chosen.asked_scope, chosen.detailed_of,
              t.bucket, t.grant_id, t.application_id, t.customer_id, t.scope, t.audience, t.approved_at, t.absolute_expires_at,
              clock_timestamp() AS moment
), succeeded AS (
    INSERT INTO refresh_token
        (id, bucket, digest, grant_id, application_id, customer_id, scope, audience, approved_at,
         issued_at, expires_at, absolute_expires_at)
    SELECT successor_id, bucket, successor_digest, grant_id, application_id, customer_id, scope, audience, approved_at,
           moment, least(moment + $4::interval, absolute_expires_at), absolute_expires_at
    FROM spent ORDER BY successor_id
), issued AS (
    INSERT INTO strict_token
        (id, bucket, digest, grant_id, application_id, customer_id, scope, audience, approved_at, issued_at, expires_at)
    SELECT token_id, bucket, token_digest, grant_id, application_id, customer_id, asked_scope, audience, approved_at,
           moment, moment + $3::interval
    FROM spent ORDER BY token_id
)
SELECT token_id, asked_scope, detailed_of FROM spent
"""


async def insert_successors(
    statements: Statements,
    rotations: Sequence[Rotation],
    *,
    audience: str,
    lifetimes: Lifetimes,
) -> dict[UUID, Rotated]:
    """The access tokens that were inserted, by their ids. One that is missing was refused, or stood already.

    audience: of what was granted without naming one.
    """
    rows = await statements.rows(
        INSERT_SUCCESSORS,
        rotations,
        audience,
        lifetimes.strict_access,
        lifetimes.refresh_idle,
    )
    return {row["token_id"]: Rotated(row["asked_scope"], row["detailed_of"]) for row in rows}


# The columns are StoredRefreshToken's fields in their order.
SELECT_REFRESH_TOKENS = f"""
SELECT t.id, t.digest, t.grant_id, t.application_id, t.customer_id, t.scope, coalesce(t.audience, $2), t.successor_id,
       floor(extract(epoch FROM t.issued_at))::bigint, floor(extract(epoch FROM least(t.expires_at, k.ends_at)))::bigint,
       extract(epoch FROM clock_timestamp() - t.issued_at)::float8,
       t.successor_id IS NULL AND t.expires_at > clock_timestamp() AND g.revoked_at IS NULL
       AND {stands("t")} AS active, c.name, g.member_id, a.former_client_id, k.share, k.history_from, k.detailed,
       c.tester_id IS NOT NULL
FROM unnest($1::uuid[]) AS asked(id)
JOIN refresh_token t ON t.id = asked.id AND t.bucket = bucket_of(asked.id)
{parties_of("t")}
JOIN authorization_grant g ON g.id = t.grant_id AND g.bucket = t.bucket
"""


async def select_refresh_tokens(
    statements: Statements, ids: Sequence[UUID], *, audience: str
) -> dict[UUID, StoredRefreshToken]:
    """audience: of a token that was issued without naming one."""
    rows = await statements.rows(SELECT_REFRESH_TOKENS, list(set(ids)), audience)
    return {row["id"]: StoredRefreshToken(*row.values()) for row in rows}
