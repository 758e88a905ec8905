"""Access tokens: looked up by id, renewed by use, revoked. The class letter says which table is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from app.storage.postgres.database import Statements
from app.storage.token.standing import connection_of, is_connected, parties_of, stands

TokenClass = Literal["c", "s"]


@dataclass(
    frozen=True, slots=True, eq=False
)  # a row is itself, so that what is made of it can be found by it
class StoredToken:
    """A token's row, and whether everything it rests on stood when it was read.

    Times are seconds since 1970, which is what the wire wants of them; left_s: until it expired, from then.
    customer_id: None where it acts for nobody but its application; used_at: last renewal, of a classic token;
    expires_at: the earlier of its own end and that of the connection;
    renewable: that was more than a day before; account: the customer's name; member_id: the person who approved;
    issued_at: None where a former system did not say; former_client_id: of an imported application.
    share, history_from: which machines it shows, and from when on; None for all.
    connection_version: of the customer's connection with the application, 0 without a customer.
    detailed: whether the application asked by authorization details. test: whether the customer is a test customer.
    """

    id: UUID
    digest: bytes
    grant_id: UUID | None
    application_id: UUID
    customer_id: UUID | None
    scope: str
    audience: str
    issued_at: int | None
    used_at: int | None
    expires_at: int
    left_s: float
    renewable: bool
    active: bool
    account: str | None
    member_id: UUID | None
    former_client_id: str | None
    share: int | None
    history_from: datetime | None
    connection_version: int
    detailed: bool
    test: bool

    @property
    def client_id(self) -> str:
        return self.former_client_id or str(self.application_id)

    def reaches(self, scope: str) -> bool:
        return scope in self.scope.split(" ")


# What a token rests on, judged in one look: itself, its grant and its parties.
# The columns are StoredToken's fields in their order.
_LOOK_UP = """
SELECT t.id, t.digest, t.grant_id, t.application_id, t.customer_id, t.scope, coalesce(t.audience, $2),
       floor(extract(epoch FROM t.issued_at))::bigint, {used_at}, floor(extract(epoch FROM least(t.expires_at, k.ends_at)))::bigint,
       extract(epoch FROM least(t.expires_at, k.ends_at) - clock_timestamp())::float8, {renewable},
       t.revoked_at IS NULL AND t.expires_at > clock_timestamp() AND g.revoked_at IS NULL
       AND {stands} AS active, c.name, g.member_id, a.former_client_id,
       k.share, k.history_from, coalesce(k.version, 0), coalesce(k.detailed, false),
       c.tester_id IS NOT NULL
FROM unnest($1::uuid[]) AS asked(id)
JOIN {table} t ON t.id = asked.id AND t.bucket = bucket_of(asked.id)
{parties}
LEFT JOIN authorization_grant g ON g.id = t.grant_id AND g.bucket = t.bucket
"""
_STANDING = {"parties": parties_of("t", alone=True), "stands": stands("t", alone=True)}
SELECT_CLASSIC_TOKENS = _LOOK_UP.format(
    table="classic_token",
    used_at="floor(extract(epoch FROM t.used_at))::bigint",
    renewable="t.used_at < clock_timestamp() - interval '1 day'",
    **_STANDING,
)
SELECT_STRICT_TOKENS = _LOOK_UP.format(
    table="strict_token", used_at="NULL::bigint", renewable="false", **_STANDING
)


async def select_tokens(
    statements: Statements, ids: Sequence[UUID], *, token_class: TokenClass, audience: str
) -> dict[UUID, StoredToken]:
    """audience: of a token that was issued without naming one."""
    statement = SELECT_CLASSIC_TOKENS if token_class == "c" else SELECT_STRICT_TOKENS
    rows = await statements.rows(statement, list(set(ids)), audience)
    return {row["id"]: StoredToken(*row.values()) for row in rows}


# Never revives: a token that was revoked or ran out meanwhile is left alone.
UPDATE_TOKEN_USED = """
UPDATE classic_token
SET used_at = clock_timestamp(), expires_at = least(clock_timestamp() + $2::interval, absolute_expires_at)
WHERE id = $1 AND bucket = bucket_of($1) AND revoked_at IS NULL
  AND expires_at > clock_timestamp() AND used_at < clock_timestamp() - interval '1 day'
"""


async def update_token_used(statements: Statements, token_id: UUID, idle: timedelta) -> None:
    await statements.count(UPDATE_TOKEN_USED, token_id, idle)


MARK_CLASSIC_TOKEN_REVOKED = """
UPDATE classic_token SET revoked_at = clock_timestamp()
WHERE id = $1 AND bucket = bucket_of($1) AND revoked_at IS NULL
"""
MARK_STRICT_TOKEN_REVOKED = MARK_CLASSIC_TOKEN_REVOKED.replace("classic_token", "strict_token")


async def mark_token_revoked(statements: Statements, token_class: TokenClass, token_id: UUID) -> bool:
    statement = MARK_CLASSIC_TOKEN_REVOKED if token_class == "c" else MARK_STRICT_TOKEN_REVOKED
    return bool(await statements.count(statement, token_id))


# A first look at many pairs: eleven entries of an index each, whatever they turn out to be.
SELECT_CROWDED_PAIRS = """
SELECT asked.customer_id, asked.application_id
FROM unnest($1::uuid[], $2::uuid[]) AS asked(customer_id, application_id)
WHERE $3::bigint < (SELECT count(*) FROM (
    SELECT FROM classic_token t
    WHERE t.customer_id = asked.customer_id AND t.application_id = asked.application_id AND t.revoked_at IS NULL
    LIMIT $3::bigint + 1) few)
"""


async def select_crowded_pairs(
    statements: Statements, pairs: Sequence[tuple[UUID, UUID]], *, keep: int
) -> tuple[tuple[UUID, UUID], ...]:
    """pairs: customer and application. Those that may hold more than `keep` live tokens of a scope."""
    rows = await statements.rows(
        SELECT_CROWDED_PAIRS,
        [customer for customer, _ in pairs],
        [application for _, application in pairs],
        keep,
    )
    return tuple((row["customer_id"], row["application_id"]) for row in rows)


# The same look at every pair that got a token in some minute, found by the time in the ids.
SELECT_CROWDED_PAIRS_OF = """
SELECT asked.customer_id, asked.application_id
FROM (SELECT DISTINCT customer_id, application_id FROM classic_token
      WHERE id >= $1 AND id < $2 AND revoked_at IS NULL AND customer_id IS NOT NULL) AS asked
WHERE $3::bigint < (SELECT count(*) FROM (
    SELECT FROM classic_token t
    WHERE t.customer_id = asked.customer_id AND t.application_id = asked.application_id AND t.revoked_at IS NULL
    LIMIT $3::bigint + 1) few)
"""


async def select_crowded_pairs_of(
    statements: Statements, first_id: UUID, end_id: UUID, *, keep: int
) -> tuple[tuple[UUID, UUID], ...]:
    """Pairs that got a token in a time, and may hold more than `keep` live ones of a scope."""
    rows = await statements.rows(SELECT_CROWDED_PAIRS_OF, first_id, end_id, keep)
    return tuple((row["customer_id"], row["application_id"]) for row in rows)


SELECT_NEWEST_CLASSIC_TOKEN = "SELECT id FROM classic_token ORDER BY id DESC LIMIT 1"  # no password


async def select_newest_classic_token(statements: Statements) -> UUID | None:
    row = await statements.row(SELECT_NEWEST_CLASSIC_TOKEN)
    return row["id"] if row else None


# Tokens from codes only (a grant with a code); the manual route is counted by people.
# Locked in order of id first: two processes that clear the same pair would deadlock without it.
MARK_SURPLUS_REVOKED = f"""
WITH surplus AS (
    SELECT id, bucket FROM (
        SELECT t.id, t.bucket, row_number() OVER (PARTITION BY t.scope ORDER BY t.id DESC) AS place
        FROM classic_token t
        JOIN authorization_grant g ON g.id = t.grant_id AND g.bucket = t.bucket AND g.code_digest IS NOT NULL
        JOIN {connection_of("t")}
        WHERE t.customer_id = $1 AND t.application_id = $2 AND t.revoked_at IS NULL AND t.expires_at > clock_timestamp()
          AND g.revoked_at IS NULL AND {is_connected("t")}
    ) live WHERE place > $3
), locked AS (
    SELECT t.id, t.bucket FROM classic_token t JOIN surplus USING (id, bucket) ORDER BY t.id FOR UPDATE OF t
)
UPDATE classic_token t SET revoked_at = clock_timestamp()
FROM locked WHERE t.id = locked.id AND t.bucket = locked.bucket AND t.revoked_at IS NULL
"""


async def mark_surplus_revoked(
    statements: Statements, *, customer_id: UUID, application_id: UUID, keep: int
) -> int:
    """Revoke the oldest live tokens from codes beyond `keep` a scope, of one customer and application."""
    return await statements.count(MARK_SURPLUS_REVOKED, customer_id, application_id, keep)
