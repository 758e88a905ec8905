"""Everything that a token rests on, told apart: for people who ask why it is dead."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from app.oauth.token_string import LegacyToken, TokenString
from app.storage.postgres.database import Statements
from app.storage.token.standing import connection_of


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """A token's row and its parties. Times are None where nothing ended it.

    cut_at: the customer's last cut; connection_ends_at: when the connection ends by itself.
    issued_at, expires_at: None where a former system did not say.
    successor_id: of a refresh token that was spent. now: by PostgreSQL's clock.
    """

    digest: bytes = field(repr=False)
    scope: str
    audience: str
    application_id: UUID
    client_id: str
    application: str
    company: str
    application_status: str
    customer_id: UUID | None
    customer: str | None
    customer_disabled_at: datetime | None
    approved_at: datetime
    issued_at: datetime | None
    used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None
    grant_revoked_at: datetime | None
    cut_at: datetime | None
    connection_ends_at: datetime | None
    successor_id: UUID | None
    now: datetime


_FACTS = """
SELECT t.digest, t.scope, coalesce(t.audience, $2) AS audience, t.application_id, coalesce(a.former_client_id, a.id::text) AS client_id, a.name AS application, a.company,
       a.status AS application_status, t.customer_id, c.name AS customer, c.disabled_at AS customer_disabled_at,
       t.approved_at, t.issued_at, {used_at} AS used_at, t.expires_at, {revoked_at} AS revoked_at,
       g.revoked_at AS grant_revoked_at, k.cut_at, k.ends_at AS connection_ends_at, {successor_id} AS successor_id,
       clock_timestamp() AS now
FROM {table} t
JOIN application a ON a.id = t.application_id
LEFT JOIN customer c ON c.id = t.customer_id
LEFT JOIN authorization_grant g ON g.id = t.grant_id AND g.bucket = t.bucket
LEFT JOIN {connection}
WHERE t.id = $1 AND t.bucket = bucket_of($1)
"""
_NO_TIME, _NO_ID = "NULL::timestamptz", "NULL::uuid"
SELECT_CLASSIC_TOKEN_FACTS = _FACTS.format(
    table="classic_token",
    used_at="t.used_at",
    revoked_at="t.revoked_at",
    successor_id=_NO_ID,
    connection=connection_of("t"),
)
SELECT_STRICT_TOKEN_FACTS = _FACTS.format(
    table="strict_token",
    used_at=_NO_TIME,
    revoked_at="t.revoked_at",
    successor_id=_NO_ID,
    connection=connection_of("t"),
)
SELECT_REFRESH_TOKEN_FACTS = _FACTS.format(
    table="refresh_token",
    used_at=_NO_TIME,
    revoked_at=_NO_TIME,
    successor_id="t.successor_id",
    connection=connection_of("t"),
)
# Without a grant, and for the one audience that there is.
SELECT_LEGACY_TOKEN_FACTS = _FACTS.format(
    table="(SELECT *, NULL::uuid AS grant_id, NULL::text AS audience FROM legacy_token)",
    used_at="t.used_at",
    revoked_at="t.revoked_at",
    successor_id=_NO_ID,
    connection=connection_of("t"),
)


async def select_token_facts(
    statements: Statements, token: TokenString | LegacyToken, *, audience: str
) -> TokenFacts | None:
    """The facts of an access or refresh token's id. audience: of a token that was issued without naming one."""
    row = await statements.row(_statement_for(token), token.id, audience)
    return TokenFacts(**row) if row else None


def _statement_for(token: TokenString | LegacyToken) -> str:
    if isinstance(token, LegacyToken):
        return SELECT_LEGACY_TOKEN_FACTS
    if token.kind == "rt":
        return SELECT_REFRESH_TOKEN_FACTS
    return SELECT_CLASSIC_TOKEN_FACTS if token.token_class == "c" else SELECT_STRICT_TOKEN_FACTS
