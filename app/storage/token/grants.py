"""Authorization grants: the arbiter of which redeemer of a code wins, and what ends a grant again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self
from uuid import UUID

from app.oauth.lifetimes import Lifetimes
from app.oauth.token_string import TokenString
from app.storage.postgres.database import Statements
from app.storage.token.codes import Approval
from app.storage.token.standing import parties_of, stands


class Redemption(NamedTuple):
    """One attempt to turn an approved code into its grant, its first token and, for some, its first refresh token.

    It goes to PostgreSQL as a row of the type `redemption`, which has the same fields. An array of rows is written and read
    faster than an array for each column.
    """

    id: UUID
    token_id: UUID
    token_digest: bytes
    application_id: UUID
    customer_id: UUID
    member_id: UUID
    code_digest: bytes
    code_challenge: str | None
    scope: str
    approved_at_us: int
    refresh_id: UUID | None
    refresh_digest: bytes | None

    @classmethod
    def of(cls, approval: Approval, access: TokenString, refresh: TokenString | None = None) -> Self:
        """Name what was approved and what was minted for it. The grant has the id of the code."""
        return cls(
            approval.code_id,
            access.id,
            access.digest,
            approval.application_id,
            approval.customer_id,
            approval.member_id,
            approval.code_digest,
            approval.code_challenge,
            approval.scope,
            approval.approved_at_us,
            refresh.id if refresh else None,
            refresh.digest if refresh else None,
        )


@dataclass(frozen=True, slots=True)
class StandingGrant:
    """A grant that exists: whose token was first, and by which code it came."""

    id: UUID
    application_id: UUID
    code_digest: bytes | None
    code_challenge: str | None
    first_token_id: UUID


# One statement makes the grant and its first token. Among several redeemers, even two in this very batch, the primary
# key lets one row in; the tokens join on first_token_id, so only its redeemer finds a token inserted.
# ORDER BY id: two processes whose batches overlap would deadlock without it.
# Authority is judged here, under the snapshot that commits: active on both sides, connected, approved after any cut,
# and still within the code's own life by this database's clock, whatever Valkey remembered.
_GRANT = """
WITH asked AS (
    SELECT *, timestamptz 'epoch' + approved_at_us * interval '1 microsecond' AS approved_at
    FROM unnest($1::redemption[])
), entitled AS (
    SELECT asked.*
    FROM asked
    {parties}
    WHERE {stands}
      AND asked.approved_at + $2::interval > clock_timestamp()
), granted AS (
    INSERT INTO authorization_grant
        (id, bucket, application_id, customer_id, member_id, code_digest, code_challenge, first_token_id, scope, approved_at, expires_at)
    SELECT id, bucket_of(id), application_id, customer_id, member_id, code_digest, code_challenge, token_id, scope, approved_at, {expires_at}
    FROM entitled ORDER BY id
    ON CONFLICT DO NOTHING
    RETURNING id, first_token_id
)"""
_STANDING = {"parties": parties_of("asked"), "stands": stands("asked")}
_CLASSIC = _GRANT.format(expires_at="NULL::timestamptz", **_STANDING)
INSERT_GRANTS_WITH_CLASSIC_TOKENS = f"""{_CLASSIC}
INSERT INTO classic_token
    (id, bucket, digest, grant_id, application_id, customer_id, scope, approved_at,
     issued_at, used_at, expires_at, absolute_expires_at)
SELECT e.token_id, bucket_of(e.token_id), e.token_digest, e.id, e.application_id, e.customer_id, e.scope, e.approved_at,
       moment, moment, moment + least($3::interval, $4::interval), moment + $4::interval
FROM granted JOIN entitled e ON e.id = granted.id AND e.token_id = granted.first_token_id,
     clock_timestamp() AS moment
ORDER BY e.token_id
RETURNING grant_id, id
"""


async def insert_grants_with_classic_tokens(
    statements: Statements,
    redemptions: Sequence[Redemption],
    *,
    lifetimes: Lifetimes,
) -> list[UUID]:
    """Ids of the tokens that were inserted. An id that is missing lost, was refused, or stood already."""
    rows = await statements.rows(
        INSERT_GRANTS_WITH_CLASSIC_TOKENS,
        redemptions,
        lifetimes.code,
        lifetimes.classic_idle,
        lifetimes.classic_absolute,
    )
    return [row["id"] for row in rows]


# The family of an application that refreshes ends with its last refresh token, any other grant with its one token.
_STRICT = _GRANT.format(
    expires_at="CASE WHEN refresh_id IS NULL THEN clock_timestamp() + $3::interval ELSE approved_at + $5::interval END",
    **_STANDING,
)
INSERT_GRANTS_WITH_STRICT_TOKENS = f"""{_STRICT}, won AS (
    SELECT e.*, moment
    FROM granted JOIN entitled e ON e.id = granted.id AND e.token_id = granted.first_token_id,
         clock_timestamp() AS moment
), refreshed AS (
    INSERT INTO refresh_token
        (id, bucket, digest, grant_id, application_id, customer_id, scope, approved_at,
         issued_at, expires_at, absolute_expires_at)
    SELECT refresh_id, bucket_of(refresh_id), refresh_digest, id, application_id, customer_id, scope, approved_at,
           moment, least(moment + $4::interval, approved_at + $5::interval), approved_at + $5::interval
    FROM won WHERE refresh_id IS NOT NULL ORDER BY refresh_id
)
INSERT INTO strict_token
    (id, bucket, digest, grant_id, application_id, customer_id, scope, approved_at, issued_at, expires_at)
SELECT token_id, bucket_of(token_id), token_digest, id, application_id, customer_id, scope, approved_at,
       moment, moment + $3::interval
FROM won ORDER BY token_id
RETURNING grant_id, id
"""


async def insert_grants_with_strict_tokens(
    statements: Statements,
    redemptions: Sequence[Redemption],
    *,
    lifetimes: Lifetimes,
) -> list[UUID]:
    """The same of strict applications, with a refresh token where the redemption has one."""
    rows = await statements.rows(
        INSERT_GRANTS_WITH_STRICT_TOKENS,
        redemptions,
        lifetimes.code,
        lifetimes.strict_access,
        lifetimes.refresh_idle,
        lifetimes.refresh_absolute,
    )
    return [row["id"] for row in rows]


SELECT_GRANTS = """
SELECT g.id, g.application_id, g.code_digest, g.code_challenge, g.first_token_id
FROM unnest($1::uuid[]) AS asked(id)
JOIN authorization_grant g ON g.id = asked.id AND g.bucket = bucket_of(asked.id)
"""


async def select_grants(statements: Statements, ids: Sequence[UUID]) -> dict[UUID, StandingGrant]:
    rows = await statements.rows(SELECT_GRANTS, list(set(ids)))
    return {row["id"]: StandingGrant(**row) for row in rows}


# One row ends everything issued from the grant: every token check joins it.
MARK_GRANT_REVOKED = """
UPDATE authorization_grant SET revoked_at = clock_timestamp()
WHERE id = $1 AND bucket = bucket_of($1) AND revoked_at IS NULL
"""


async def mark_grant_revoked(statements: Statements, grant_id: UUID) -> bool:
    return bool(await statements.count(MARK_GRANT_REVOKED, grant_id))


SELECT_APPROVAL_STATE = """
SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now_us,
       EXISTS (SELECT FROM authorization_grant WHERE id = $1 AND bucket = bucket_of($1)) AS granted
"""


async def select_approval_state(statements: Statements, code_id: UUID) -> tuple[int, bool]:
    """PostgreSQL's time in microseconds since 1970, and whether this approval was redeemed already."""
    row = await statements.row(SELECT_APPROVAL_STATE, code_id)
    assert row is not None  # noqa: S101  # a SELECT without FROM always gives one row
    return row["now_us"], row["granted"]
