"""What owners of applications propose, and what became of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from app.oauth.description import Description
from app.storage.postgres.database import Row, Statements, Transaction

ReviewDecision = Literal["approved", "refused", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Review:
    """A proposal. decision: None while it waits. goes_live: whether it ends the test mode.

    asked_by: the name of the owner.
    """

    id: UUID
    application_id: UUID
    proposed: Description
    goes_live: bool
    asked_by: str
    asked_at: datetime
    message: str
    version: int
    decision: ReviewDecision | None = None
    decided_at: datetime | None = None
    reason: str | None = None


_COLUMNS = """
    r.id, r.application_id, r.name, r.company, r.logo_digest, r.redirect_uris, r.scope, r.terms_uri, r.privacy_uri,
    r.goes_live, p.name AS asked_by, r.asked_at, r.message, r.version, r.decision, r.decided_at, r.reason
"""
_REVIEWS = f"SELECT {_COLUMNS} FROM application_review r JOIN person p ON p.id = r.asked_by"

SELECT_REVIEW = f"{_REVIEWS} WHERE r.id = $1"


async def select_review(statements: Statements, review_id: UUID) -> Review | None:
    row = await statements.row(SELECT_REVIEW, review_id)
    return _review(row) if row else None


SELECT_OPEN_REVIEW = f"{_REVIEWS} WHERE r.application_id = $1 AND r.decision IS NULL"
SELECT_OPEN_REVIEW_LOCKED = f"{SELECT_OPEN_REVIEW} FOR UPDATE OF r"


async def select_open_review(statements: Statements, application_id: UUID) -> Review | None:
    row = await statements.row(SELECT_OPEN_REVIEW, application_id)
    return _review(row) if row else None


async def select_open_review_locked(transaction: Transaction, application_id: UUID) -> Review | None:
    """It stays as it is until the transaction ends."""
    row = await transaction.row(SELECT_OPEN_REVIEW_LOCKED, application_id)
    return _review(row) if row else None


SELECT_LAST_DECIDED = f"""
{_REVIEWS} WHERE r.application_id = $1 AND r.decision <> 'withdrawn' ORDER BY r.decided_at DESC LIMIT 1
"""


async def select_last_decided(statements: Statements, application_id: UUID) -> Review | None:
    row = await statements.row(SELECT_LAST_DECIDED, application_id)
    return _review(row) if row else None


SELECT_OPEN_REVIEWS = f"{_REVIEWS} WHERE r.decision IS NULL ORDER BY r.asked_at, r.id LIMIT $1"


async def select_open_reviews(statements: Statements, most: int) -> tuple[Review, ...]:
    """Those that wait longest first."""
    return tuple(_review(row) for row in await statements.rows(SELECT_OPEN_REVIEWS, most))


SELECT_WAITING = """
SELECT application_id FROM application_review WHERE application_id = ANY($1::uuid[]) AND decision IS NULL
"""


async def select_waiting(statements: Statements, application_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the applications that wait for a review."""
    return {row["application_id"] for row in await statements.rows(SELECT_WAITING, list(application_ids))}


# A newer proposal takes the place of the one that waits.
UPSERT_REVIEW = """
INSERT INTO application_review AS r (id, application_id, asked_by, goes_live, message, name, company, logo_digest,
    redirect_uris, scope, terms_uri, privacy_uri)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (application_id) WHERE decision IS NULL DO UPDATE
SET asked_by = excluded.asked_by, asked_at = clock_timestamp(), message = excluded.message, name = excluded.name,
    company = excluded.company, logo_digest = excluded.logo_digest, redirect_uris = excluded.redirect_uris,
    scope = excluded.scope, terms_uri = excluded.terms_uri, privacy_uri = excluded.privacy_uri, version = r.version + 1
RETURNING r.id
"""


async def upsert_review(  # each is a column
    transaction: Transaction,
    review_id: UUID,
    application_id: UUID,
    asked_by: UUID,
    proposed: Description,
    *,
    goes_live: bool,
    message: str,
) -> UUID:
    """The id of the proposal that waits from now on; review_id where none did."""
    row = await transaction.row(
        UPSERT_REVIEW, review_id, application_id, asked_by, goes_live, message, *description_columns(proposed)
    )
    return row["id"] if row else review_id


DECIDE_REVIEW = """
UPDATE application_review SET decision = $2, decided_at = clock_timestamp(), decided_by = $3, reason = $4
WHERE application_id = $1 AND decision IS NULL RETURNING id
"""


async def decide_review(
    statements: Statements,
    application_id: UUID,
    decision: ReviewDecision,
    *,
    decided_by: UUID | None,
    reason: str | None = None,
) -> UUID | None:
    """The id of the proposal that waited; None when none did."""
    row = await statements.row(DECIDE_REVIEW, application_id, decision, decided_by, reason)
    return row["id"] if row else None


def description_columns(description: Description) -> tuple[object, ...]:
    """Its members in their order, as both tables hold them."""
    stored = {
        **asdict(description),
        "redirect_uris": list(description.redirect_uris),
        "scope": " ".join(description.scope),
    }
    return tuple(stored.values())


def _review(row: Row) -> Review:
    proposed = Description(
        row["name"],
        row["company"],
        row["logo_digest"],
        tuple(row["redirect_uris"]),
        tuple(row["scope"].split()),
        row["terms_uri"],
        row["privacy_uri"],
    )
    return Review(
        row["id"],
        row["application_id"],
        proposed,
        row["goes_live"],
        row["asked_by"],
        row["asked_at"],
        row["message"],
        row["version"],
        row["decision"],
        row["decided_at"],
        row["reason"],
    )
