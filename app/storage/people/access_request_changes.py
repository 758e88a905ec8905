"""Requests of the manual route: asked, judged, answered, picked up and ended."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.storage.postgres.database import Statements, Transaction


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A request to store. asked_by: None when RoviTracker enters it."""

    id: UUID
    application_id: UUID
    asked_by: UUID | None
    customer_email: str
    reason: str
    scope: str


@dataclass(frozen=True, slots=True)
class AskingApplication:
    """What decides whether an application may ask. asked_today: in the last 24 hours."""

    active: bool
    test: bool
    scope: str
    open_requests: int
    asked_today: int


# Requests of one application come one after the other, so that its bounds hold however many ask at once.
SELECT_ASKING_APPLICATION_LOCKED = """
SELECT status = 'active' AS active, live_at IS NULL AS test, scope FROM application WHERE id = $1 FOR NO KEY UPDATE
"""
COUNT_REQUESTS_OF = """
SELECT count(*) FILTER (WHERE closed_at IS NULL) AS open_requests,
       count(*) FILTER (WHERE asked_at > clock_timestamp() - interval '1 day') AS asked_today
FROM access_request WHERE application_id = $1
"""


async def lock_asking_application(transaction: Transaction, application_id: UUID) -> AskingApplication | None:
    row = await transaction.row(SELECT_ASKING_APPLICATION_LOCKED, application_id)
    if row is None:
        return None
    [counted] = await transaction.rows(COUNT_REQUESTS_OF, application_id)
    return AskingApplication(**row, **counted)


# Nobody is looked up by the address: it costs the same whoever it is.
INSERT_ACCESS_REQUEST = """
INSERT INTO access_request (id, application_id, asked_by, customer_email, reason, scope, ends_at)
VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp() + $7::interval)
ON CONFLICT (application_id, customer_email) WHERE closed_at IS NULL DO NOTHING
"""


async def insert_access_request(transaction: Transaction, new: NewRequest, life: timedelta) -> bool:
    """False when the application's last request to this address is still open."""
    return bool(
        await transaction.count(
            INSERT_ACCESS_REQUEST,
            new.id,
            new.application_id,
            new.asked_by,
            new.customer_email,
            new.reason,
            new.scope,
            life,
        )
    )


# Whoever changes a request has locked it and judged its state; the state in each statement is a second lock.
MARK_REQUEST_JUDGED = """
UPDATE access_request SET state = CASE WHEN $4 THEN 'released' ELSE 'refused' END, judged_by = $2, judged_reason = $3,
    judged_at = clock_timestamp(), closed_at = CASE WHEN NOT $4 THEN clock_timestamp() END
WHERE id = $1 AND state = 'asked'
"""


async def mark_request_judged(
    transaction: Transaction, request_id: UUID, operator_id: UUID, reason: str, *, released: bool
) -> None:
    await transaction.count(MARK_REQUEST_JUDGED, request_id, operator_id, reason, released)


MARK_REQUEST_APPROVED = """
UPDATE access_request SET state = 'approved', customer_id = $2, decided_by = $3, decided_at = clock_timestamp(),
    ends_at = clock_timestamp() + $4::interval
WHERE id = $1 AND state = 'released' RETURNING decided_at
"""


async def mark_request_approved(
    transaction: Transaction, request_id: UUID, customer_id: UUID, person_id: UUID, life: timedelta
) -> datetime:
    """When, by PostgreSQL's clock. life: how long the token can be picked up."""
    [row] = await transaction.rows(MARK_REQUEST_APPROVED, request_id, customer_id, person_id, life)
    decided_at: datetime = row["decided_at"]
    return decided_at


# It stays open for the asker, who must not learn that there was anybody to say no.
MARK_REQUEST_DENIED = """
UPDATE access_request SET state = 'denied', customer_id = $2, decided_by = $3, decided_at = clock_timestamp()
WHERE id = $1 AND state = 'released'
"""


async def mark_request_denied(
    transaction: Transaction, request_id: UUID, customer_id: UUID, person_id: UUID
) -> None:
    await transaction.count(MARK_REQUEST_DENIED, request_id, customer_id, person_id)


MARK_REQUEST_COLLECTED = """
UPDATE access_request SET state = 'collected', grant_id = $2, mailed_at = CASE WHEN $3 THEN clock_timestamp() END,
    closed_at = coalesce(closed_at, clock_timestamp())
WHERE id = $1 AND (state = 'approved' OR mailed_at IS NOT NULL)
"""


async def mark_request_collected(
    transaction: Transaction, request_id: UUID, grant_id: UUID, *, mailed: bool
) -> None:
    """mailed: whether a mail holds the token."""
    await transaction.count(MARK_REQUEST_COLLECTED, request_id, grant_id, mailed)


MARK_REQUEST_WITHDRAWN = """
UPDATE access_request SET state = 'withdrawn', closed_at = clock_timestamp() WHERE id = $1 AND closed_at IS NULL
"""


async def mark_request_withdrawn(transaction: Transaction, request_id: UUID) -> None:
    await transaction.count(MARK_REQUEST_WITHDRAWN, request_id)


# What the customer refused stays refused. Processes that come at once share the rest among them.
MARK_REQUESTS_EXPIRED = """
UPDATE access_request r SET state = CASE WHEN r.state = 'denied' THEN r.state ELSE 'expired' END, closed_at = clock_timestamp()
FROM (SELECT id FROM access_request WHERE closed_at IS NULL AND ends_at <= clock_timestamp()
      ORDER BY ends_at LIMIT $1 FOR UPDATE SKIP LOCKED) past
WHERE r.id = past.id
RETURNING r.id, r.application_id, r.state = 'denied' AS denied, r.customer_email, r.judged_at IS NOT NULL AS judged
"""


@dataclass(frozen=True, slots=True)
class ExpiredRequest:
    """A request whose time is over. denied: the customer had refused it. judged: an operator had released it."""

    id: UUID
    application_id: UUID
    denied: bool
    customer_email: str
    judged: bool


async def mark_requests_expired(transaction: Transaction, most: int) -> tuple[ExpiredRequest, ...]:
    rows = await transaction.rows(MARK_REQUESTS_EXPIRED, most)
    return tuple(ExpiredRequest(**row) for row in rows)


INSERT_PICK_UP_LINK = "INSERT INTO pick_up_link (digest, request_id) VALUES ($1, $2)"


async def insert_pick_up_link(statements: Statements, digest: bytes, request_id: UUID) -> None:
    await statements.count(INSERT_PICK_UP_LINK, digest, request_id)
