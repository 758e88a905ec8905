"""Requests of the manual route, as each of its parties reads them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from app.storage.postgres.database import Row, Statements, Transaction

RequestState = Literal[
    "asked", "released", "refused", "approved", "denied", "collected", "expired", "withdrawn"
]


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """A request as it stands. asker, judge, decider: names, None where there is nobody.

    late: whether its time is over. open: whether it waits for somebody, as far as its asker knows. mailed_at: when a mail
    that holds the token was written last.
    """

    id: UUID
    application_id: UUID
    asked_by: UUID | None
    asker: str | None
    customer_email: str
    reason: str
    scope: str
    state: RequestState
    asked_at: datetime
    ends_at: datetime
    late: bool
    open: bool
    judged_by: UUID | None
    judge: str | None
    judged_at: datetime | None
    judged_reason: str | None
    customer_id: UUID | None
    decider: str | None
    decided_at: datetime | None
    grant_id: UUID | None
    mailed_at: datetime | None
    closed_at: datetime | None


_REQUESTS = """
SELECT r.id, r.application_id, r.asked_by, asker.name AS asker, r.customer_email, r.reason, r.scope, r.state, r.asked_at, r.ends_at,
       r.ends_at <= clock_timestamp() AS late, r.closed_at IS NULL AS open, r.judged_by, judge.name AS judge, r.judged_at,
       r.judged_reason, r.customer_id, decider.name AS decider, r.decided_at, r.grant_id,
       r.mailed_at, r.closed_at
FROM access_request r
LEFT JOIN person asker ON asker.id = r.asked_by
LEFT JOIN person judge ON judge.id = r.judged_by
LEFT JOIN person decider ON decider.id = r.decided_by
"""
SELECT_ACCESS_REQUEST = f"{_REQUESTS}WHERE r.id = $1"


async def select_access_request(statements: Statements, request_id: UUID) -> AccessRequest | None:
    return _found(await statements.row(SELECT_ACCESS_REQUEST, request_id))


# The row lock lets one of two through. The other then finds what the first left.
SELECT_ACCESS_REQUEST_LOCKED = f"{SELECT_ACCESS_REQUEST} FOR UPDATE OF r"


async def lock_access_request(transaction: Transaction, request_id: UUID) -> AccessRequest | None:
    """The request, which nobody else changes until the transaction ends."""
    return _found(await transaction.row(SELECT_ACCESS_REQUEST_LOCKED, request_id))


SELECT_REQUEST_OF_LINK = f"{_REQUESTS}JOIN pick_up_link l ON l.request_id = r.id WHERE l.digest = $1"


async def select_request_of_link(statements: Statements, digest: bytes) -> AccessRequest | None:
    return _found(await statements.row(SELECT_REQUEST_OF_LINK, digest))


SELECT_REQUESTS_OF = f"{_REQUESTS}WHERE r.application_id = $1 ORDER BY r.id DESC LIMIT $2"


async def select_requests_of(
    statements: Statements, application_id: UUID, most: int
) -> tuple[AccessRequest, ...]:
    """The requests of an application, the newest first."""
    rows = await statements.rows(SELECT_REQUESTS_OF, application_id, most)
    return tuple(AccessRequest(**row) for row in rows)


SELECT_REQUESTS_IN = f"{_REQUESTS}WHERE $1::text IS NULL OR r.state = $1 ORDER BY r.id DESC LIMIT $2"


async def select_requests_in(
    statements: Statements, state: RequestState | None, most: int
) -> tuple[AccessRequest, ...]:
    """The requests of all applications, the newest first. state: None for every one."""
    rows = await statements.rows(SELECT_REQUESTS_IN, state, most)
    return tuple(AccessRequest(**row) for row in rows)


# A request is for the account whose member has the address at this moment, and stays the account's once it answered.
_IS_FOR = """(r.customer_id = $1 OR r.customer_id IS NULL AND EXISTS (
    SELECT FROM person p JOIN customer_member m ON m.person_id = p.id WHERE p.email = r.customer_email AND m.customer_id = $1))"""
SELECT_WAITING_REQUESTS = f"""
{_REQUESTS}WHERE r.state = 'released' AND r.ends_at > clock_timestamp() AND {_IS_FOR} ORDER BY r.id
"""


async def select_waiting_requests(statements: Statements, customer_id: UUID) -> tuple[AccessRequest, ...]:
    """Those that an account can answer, the oldest first."""
    rows = await statements.rows(SELECT_WAITING_REQUESTS, customer_id)
    return tuple(AccessRequest(**row) for row in rows)


COUNT_PICK_UPS = """
SELECT application_id, count(*) AS tokens FROM access_request
WHERE application_id = ANY ($1::uuid[]) AND state = 'approved' AND ends_at > clock_timestamp() GROUP BY application_id
"""


async def count_pick_ups(statements: Statements, application_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many tokens wait to be picked up, of those applications for which any does."""
    rows = await statements.rows(COUNT_PICK_UPS, list(application_ids))
    return {row["application_id"]: row["tokens"] for row in rows}


# Two connections of a pair differ in the moment of their approval.
SELECT_RELEASED_AT = """
SELECT r.judged_at FROM connection k
JOIN access_request r ON r.customer_id = k.customer_id AND r.application_id = k.application_id AND r.decided_at = k.approved_at
WHERE k.customer_id = $1 AND k.application_id = $2 AND k.route = 'manual'
"""


async def select_released_at(
    statements: Statements, customer_id: UUID, application_id: UUID
) -> datetime | None:
    """When RoviTracker let the request through by which a connection began; None where none did."""
    row = await statements.row(SELECT_RELEASED_AT, customer_id, application_id)
    return row["judged_at"] if row else None


SELECT_IS_FOR_ACCOUNT = f"SELECT FROM access_request r WHERE r.id = $2 AND {_IS_FOR}"


async def select_is_for_account(statements: Statements, customer_id: UUID, request_id: UUID) -> bool:
    """Whether a request is an account's to answer, or was."""
    return await statements.row(SELECT_IS_FOR_ACCOUNT, customer_id, request_id) is not None


SELECT_ACCOUNT_OF_ADDRESS = """
SELECT m.customer_id FROM person p JOIN customer_member m ON m.person_id = p.id JOIN customer c ON c.id = m.customer_id
WHERE p.email = $1 AND c.disabled_at IS NULL
"""


async def select_account_of_address(statements: Statements, email: str) -> UUID | None:
    """The open account of the person who signs in with an address; None when there is none."""
    row = await statements.row(SELECT_ACCOUNT_OF_ADDRESS, email)
    return row["customer_id"] if row else None


def _found(row: Row | None) -> AccessRequest | None:
    return AccessRequest(**row) if row else None
