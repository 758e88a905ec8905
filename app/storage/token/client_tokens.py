"""Tokens that applications get for themselves (client_credentials): short-lived, of no grant."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from app.storage.errors import StatementRefusedError
from app.storage.postgres.database import Statements
from app.storage.token.standing import is_connected


class ClientToken(NamedTuple):
    """One token to remember, as the type `client_token` has it.

    customer_id: the customer the application acted for when it proved itself.
    """

    id: UUID
    digest: bytes
    application_id: UUID
    customer_id: UUID | None
    scope: str
    audience: str | None


# Whether the application may have it is judged under the snapshot that commits: it is active, its customer is
# enabled, it still acts for the same one, and they are connected. The token was approved when the connection was, so that
# a cut ends it. ORDER BY id: a second attempt that meets the first one would deadlock without it. Nobody else has these ids,
# so no row is looked for before it is inserted: ON CONFLICT costs a look-up and a mark in the WAL for each.
INSERT_STRICT_TOKENS = f"""
INSERT INTO strict_token
    (id, bucket, digest, application_id, customer_id, scope, audience, approved_at, issued_at, expires_at)
SELECT asked.id, bucket_of(asked.id), asked.digest, a.id, a.customer_id, asked.scope, asked.audience,
       coalesce(k.approved_at, moment), moment, moment + $2::interval
FROM unnest($1::client_token[]) AS asked
JOIN application a ON a.id = asked.application_id AND a.status = 'active'
     AND a.customer_id IS NOT DISTINCT FROM asked.customer_id
LEFT JOIN customer c ON c.id = a.customer_id
LEFT JOIN connection k ON k.customer_id = a.customer_id AND k.application_id = a.id,
     clock_timestamp() AS moment
WHERE c.disabled_at IS NULL AND (a.customer_id IS NULL OR {is_connected("k")})
ORDER BY asked.id
"""


async def insert_strict_tokens(
    statements: Statements, tokens: Sequence[ClientToken], *, life: timedelta
) -> int:
    """How many were inserted. The others were refused; or none was, since a first attempt had inserted them."""
    try:
        return await statements.count(INSERT_STRICT_TOKENS, tokens, life)
    except StatementRefusedError as refused:
        if not refused.key_is_taken:
            raise
        return 0
