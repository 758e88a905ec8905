"""Access tokens of a former system: imported as digests, looked up by an id made of the digest, revoked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from app.storage.postgres.database import Statements
from app.storage.token.standing import ENDED_AT, parties_of, stands
from app.storage.token.tokens import StoredToken

# The columns are StoredToken's fields in their order. No token outlives the moment that ends them all; where that is
# not set, it is now.
SELECT_LEGACY_TOKENS = f"""
SELECT t.id, t.digest, NULL::uuid, t.application_id, t.customer_id, t.scope, $2::text,
       floor(extract(epoch FROM t.issued_at))::bigint, floor(extract(epoch FROM t.used_at))::bigint,
       floor(extract(epoch FROM life.ends_at))::bigint, extract(epoch FROM life.ends_at - clock_timestamp())::float8,
       coalesce(t.used_at < clock_timestamp() - interval '1 day', true),
       t.revoked_at IS NULL AND life.ends_at > clock_timestamp() AND {stands("t")} AS active, c.name, NULL::uuid,
       a.former_client_id, k.share, k.history_from, k.version, k.detailed, c.tester_id IS NOT NULL
FROM unnest($1::uuid[]) AS asked(id)
JOIN legacy_token t ON t.id = asked.id AND t.bucket = bucket_of(asked.id)
{parties_of("t")}
CROSS JOIN LATERAL (SELECT least(t.expires_at, k.ends_at, coalesce($3::timestamptz, clock_timestamp())) AS ends_at) AS life
"""


async def select_legacy_tokens(
    statements: Statements, ids: Sequence[UUID], *, audience: str, until: datetime | None
) -> dict[UUID, StoredToken]:
    """audience: of them all. until: when they all end; None while none is accepted."""
    rows = await statements.rows(SELECT_LEGACY_TOKENS, list(set(ids)), audience, until)
    return {row["id"]: StoredToken(*row.values()) for row in rows}


# At most once a day, so that its last use is known when it is decided how long they are still accepted.
UPDATE_LEGACY_TOKEN_USED = """
UPDATE legacy_token SET used_at = clock_timestamp()
WHERE id = $1 AND bucket = bucket_of($1) AND revoked_at IS NULL
  AND (used_at IS NULL OR used_at < clock_timestamp() - interval '1 day')
"""


async def update_legacy_token_used(statements: Statements, token_id: UUID) -> None:
    await statements.count(UPDATE_LEGACY_TOKEN_USED, token_id)


MARK_LEGACY_TOKEN_REVOKED = """
UPDATE legacy_token SET revoked_at = clock_timestamp()
WHERE id = $1 AND bucket = bucket_of($1) AND revoked_at IS NULL
"""


async def mark_legacy_token_revoked(statements: Statements, token_id: UUID) -> bool:
    return bool(await statements.count(MARK_LEGACY_TOKEN_REVOKED, token_id))


@dataclass(frozen=True, slots=True)
class ImportedToken:
    """A token to import. issued_at, expires_at: None where the former system does not say."""

    id: UUID
    digest: bytes = field(repr=False)
    application_id: UUID
    customer_id: UUID
    scope: str
    issued_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class TokenParties:
    """The application and the customer of a token, as they stand here.

    scope, status: of the application. ended_at: when the connection of the two was cut or ended last.
    """

    former_client_id: str | None
    scope: str | None
    status: str | None
    customer_id: UUID | None
    ended_at: datetime | None


SELECT_TOKEN_PARTIES = f"""
SELECT a.former_client_id, a.scope, a.status, coalesce(m.customer_id, c.id) AS customer_id, {ENDED_AT} AS ended_at
FROM unnest($1::uuid[], $2::text[], $3::text[]) WITH ORDINALITY AS asked(application_id, email, former_id, place)
LEFT JOIN application a ON a.id = asked.application_id
LEFT JOIN person p ON p.email = asked.email LEFT JOIN customer_member m ON m.person_id = p.id
LEFT JOIN customer c ON c.former_id = asked.former_id
LEFT JOIN connection k ON k.customer_id = coalesce(m.customer_id, c.id) AND k.application_id = a.id
ORDER BY asked.place
"""


async def select_token_parties(
    statements: Statements, asked: Sequence[tuple[UUID, str | None, str | None]]
) -> tuple[TokenParties, ...]:
    """asked: the application's id, and the customer by e-mail address or former id. The answers come in their order."""
    rows = await statements.rows(
        SELECT_TOKEN_PARTIES,
        [application_id for application_id, _, _ in asked],
        [email for _, email, _ in asked],
        [former_id for _, _, former_id in asked],
    )
    return tuple(TokenParties(**row) for row in rows)


# An approval of an unknown time is older than any cut or end, or a second import would bring back what a customer ended.
UNKNOWN_APPROVAL_AT = datetime(1970, 1, 1, tzinfo=UTC)
INSERT_LEGACY_TOKENS = """
INSERT INTO legacy_token (id, bucket, digest, application_id, customer_id, scope, approved_at, issued_at, expires_at)
SELECT id, bucket_of(id), digest, application_id, customer_id, scope, coalesce(issued_at, $8), issued_at, expires_at
FROM unnest($1::uuid[], $2::bytea[], $3::uuid[], $4::uuid[], $5::text[], $6::timestamptz[], $7::timestamptz[])
     AS token(id, digest, application_id, customer_id, scope, issued_at, expires_at)
ORDER BY id
ON CONFLICT DO NOTHING
RETURNING id
"""


async def insert_legacy_tokens(statements: Statements, tokens: Sequence[ImportedToken]) -> set[UUID]:
    """Ids of those that were not there before."""
    rows = await statements.rows(
        INSERT_LEGACY_TOKENS,
        [token.id for token in tokens],
        [token.digest for token in tokens],
        [token.application_id for token in tokens],
        [token.customer_id for token in tokens],
        [token.scope for token in tokens],
        [token.issued_at for token in tokens],
        [token.expires_at for token in tokens],
        UNKNOWN_APPROVAL_AT,
    )
    return {row["id"] for row in rows}


SELECT_IMPORTED_TOKENS = """
SELECT t.id, t.digest, t.application_id, t.customer_id, t.scope, t.issued_at, t.expires_at
FROM unnest($1::uuid[]) AS asked(id)
JOIN legacy_token t ON t.id = asked.id AND t.bucket = bucket_of(asked.id)
"""


async def select_imported_tokens(statements: Statements, ids: Sequence[UUID]) -> dict[UUID, ImportedToken]:
    rows = await statements.rows(SELECT_IMPORTED_TOKENS, list(set(ids)))
    return {row["id"]: ImportedToken(**row) for row in rows}
