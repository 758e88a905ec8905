"""The manual route: a grant and its classic token without a code, issued by hand or picked up."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.storage.postgres.database import Statements, Transaction
from app.storage.token.standing import parties_of, stands


@dataclass(frozen=True, slots=True)
class ManualGrant:
    """What an operator gives out. absolute: the token's last end, from now."""

    id: UUID
    application_id: UUID
    customer_id: UUID
    operator_id: UUID
    token_id: UUID
    token_digest: bytes
    scope: str
    idle: timedelta
    absolute: timedelta


# Like the redeeming of a code: whether all three parties stand is judged under the snapshot that commits.
INSERT_MANUAL_GRANT = """
WITH granted AS (
    INSERT INTO authorization_grant
        (id, bucket, application_id, customer_id, operator_id, first_token_id, scope, approved_at)
    SELECT $1, bucket_of($1), a.id, c.id, o.person_id, $5, $7, clock_timestamp()
    FROM application a, customer c, operator o
    WHERE a.id = $2 AND a.status = 'active' AND c.id = $3 AND c.disabled_at IS NULL
      AND o.person_id = $4 AND o.disabled_at IS NULL
    RETURNING id, application_id, customer_id, scope, approved_at AS moment
)
INSERT INTO classic_token
    (id, bucket, digest, grant_id, application_id, customer_id, scope, approved_at,
     issued_at, used_at, expires_at, absolute_expires_at)
SELECT $5, bucket_of($5), $6, id, application_id, customer_id, scope, moment,
       moment, moment, moment + least($8::interval, $9::interval), moment + $9::interval
FROM granted
RETURNING expires_at
"""


async def insert_manual_grant(statements: Statements, grant: ManualGrant) -> datetime | None:
    """When the token expires if it is not used; None when application, customer or operator no longer stands."""
    row = await statements.row(
        INSERT_MANUAL_GRANT,
        grant.id,
        grant.application_id,
        grant.customer_id,
        grant.operator_id,
        grant.token_id,
        grant.token_digest,
        grant.scope,
        grant.idle,
        grant.absolute,
    )
    return row["expires_at"] if row else None


@dataclass(frozen=True, slots=True)
class CollectedGrant:
    """What an owner of the application picks up. absolute: the token's last end, from now."""

    id: UUID
    request_id: UUID
    token_id: UUID
    token_digest: bytes
    idle: timedelta
    absolute: timedelta


# The grant is as old as the customer's yes. So a cut that came later ends it, also one that commits at this moment.
INSERT_COLLECTED_GRANT = f"""
WITH asked AS (
    SELECT application_id, customer_id, decided_by, judged_by, scope, decided_at AS approved_at
    FROM access_request WHERE id = $2 AND (state = 'approved' OR mailed_at IS NOT NULL)
), granted AS (
    INSERT INTO authorization_grant
        (id, bucket, application_id, customer_id, member_id, operator_id, first_token_id, scope, approved_at)
    SELECT $1, bucket_of($1), asked.application_id, asked.customer_id, asked.decided_by, asked.judged_by, $3, asked.scope,
           asked.approved_at
    FROM asked {parties_of("asked")}
    WHERE {stands("asked")} AND string_to_array(asked.scope, ' ') <@ string_to_array(a.scope, ' ')
    RETURNING id, application_id, customer_id, scope, approved_at, clock_timestamp() AS moment
)
INSERT INTO classic_token
    (id, bucket, digest, grant_id, application_id, customer_id, scope, approved_at,
     issued_at, used_at, expires_at, absolute_expires_at)
SELECT $3, bucket_of($3), $4, id, application_id, customer_id, scope, approved_at,
       moment, moment, moment + least($5::interval, $6::interval), moment + $6::interval
FROM granted
RETURNING expires_at
"""


async def insert_collected_grant(transaction: Transaction, grant: CollectedGrant) -> datetime | None:
    """When the token expires if it is not used; None when application, customer or connection no longer stands."""
    row = await transaction.row(
        INSERT_COLLECTED_GRANT,
        grant.id,
        grant.request_id,
        grant.token_id,
        grant.token_digest,
        grant.idle,
        grant.absolute,
    )
    return row["expires_at"] if row else None
