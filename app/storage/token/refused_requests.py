"""Requests of applications that were refused: the newest of each, for some days."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from app.storage.postgres.database import Statements, Transaction

MOST_KEPT = 1_000  # of one application
MOST_UNNAMED = 10_000  # of those that name none that is known


@dataclass(frozen=True, slots=True)
class KeptRefusal:
    """A refused request as it is kept. application_id: None where it named none that is known."""

    id: UUID
    at: datetime
    reference: str
    application_id: UUID | None
    path: str
    status: int
    error: str
    detail: str


# Whoever names an application that does not exist names none.
INSERT_REFUSED_REQUESTS = """
INSERT INTO refused_request (id, at, reference, application_id, path, status, error, detail)
SELECT r.id, r.at, r.reference, a.id, r.path, r.status, r.error, r.detail
FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::uuid[], $5::text[], $6::smallint[], $7::text[], $8::text[])
     AS r(id, at, reference, application_id, path, status, error, detail)
LEFT JOIN application a ON a.id = r.application_id
"""
DELETE_SURPLUS_REFUSALS = """
DELETE FROM refused_request WHERE id IN (
    SELECT old.id FROM unnest($1::uuid[]) AS asked(application_id), LATERAL (
        SELECT r.id FROM refused_request r WHERE r.application_id = asked.application_id ORDER BY r.id DESC OFFSET $2) old)
"""
DELETE_SURPLUS_UNNAMED = """
DELETE FROM refused_request WHERE id IN (
    SELECT id FROM refused_request WHERE application_id IS NULL ORDER BY id DESC OFFSET $1)
"""


async def insert_refused_requests(transaction: Transaction, refusals: Sequence[KeptRefusal]) -> None:
    """Keep them, and of each application no more than the newest thousand."""
    columns = zip(
        *((r.id, r.at, r.reference, r.application_id, r.path, r.status, r.error, r.detail) for r in refusals),
        strict=True,
    )
    await transaction.count(INSERT_REFUSED_REQUESTS, *(list(column) for column in columns))
    await transaction.count(DELETE_SURPLUS_REFUSALS, list(_named(refusals)), MOST_KEPT)
    await transaction.count(DELETE_SURPLUS_UNNAMED, MOST_UNNAMED)


def _named(refusals: Iterable[KeptRefusal]) -> set[UUID]:
    return {refusal.application_id for refusal in refusals if refusal.application_id is not None}


_COLUMNS = "id, at, reference, application_id, path, status, error, detail"
SELECT_REFUSALS = f"""
SELECT {_COLUMNS} FROM refused_request WHERE application_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3
"""


async def select_refusals(
    statements: Statements, application_id: UUID, *, before: UUID, most: int
) -> tuple[KeptRefusal, ...]:
    """The newest of an application, the newest first. before: the id that they are older than."""
    rows = await statements.rows(SELECT_REFUSALS, application_id, before, most)
    return tuple(KeptRefusal(**row) for row in rows)


SELECT_REFUSALS_OF_REFERENCE = f"""
SELECT {_COLUMNS} FROM refused_request WHERE reference = $1 ORDER BY id DESC LIMIT 20
"""


async def select_refusals_of_reference(statements: Statements, reference: str) -> tuple[KeptRefusal, ...]:
    """Callers choose references too, so there may be several."""
    return tuple(KeptRefusal(**row) for row in await statements.rows(SELECT_REFUSALS_OF_REFERENCE, reference))


COUNT_REFUSALS_TODAY = """
SELECT application_id, count(*) AS refusals FROM refused_request
WHERE application_id = ANY($1::uuid[]) AND at > clock_timestamp() - interval '1 day' GROUP BY application_id
"""


async def count_refusals_today(statements: Statements, application_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many requests of each were refused in the last 24 hours."""
    rows = await statements.rows(COUNT_REFUSALS_TODAY, list(application_ids))
    return {row["application_id"]: row["refusals"] for row in rows}


COUNT_REFUSALS_BY_DAY = """
SELECT (at AT TIME ZONE 'UTC')::date AS day, error, count(*) AS refusals FROM refused_request
WHERE application_id = $1 GROUP BY 1, 2 ORDER BY 1, 2
"""


async def count_refusals_by_day(
    statements: Statements, application_id: UUID
) -> tuple[tuple[date, str, int], ...]:
    """Those that are kept: day in UTC, error, and how many."""
    rows = await statements.rows(COUNT_REFUSALS_BY_DAY, application_id)
    return tuple((row["day"], row["error"], row["refusals"]) for row in rows)
