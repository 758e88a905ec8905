"""Connections: one row for a customer and an application, whatever the way in; all that is issued rests on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from app.storage.postgres.database import Row, Statements, Transaction
from app.storage.token.standing import ENDED_AT, is_connected

Route = Literal["code", "client_credentials", "manual", "imported"]


def soon_after(moment: str) -> str:
    """SQL: an end before this is told. It is a midnight in UTC, so what ends on one day is told at once."""
    return f"(date_trunc('day', {moment} + interval '30 days', 'UTC') + interval '1 day')"


_SOON = soon_after("clock_timestamp()")

# A real customer meets live applications, and a test customer those that its tester owns. Here alone it is judged: whatever
# is issued later rests on the row.
MAY_MEET = """EXISTS (
    SELECT FROM application a, customer c
    WHERE a.id = asked.application_id AND c.id = asked.customer_id
      AND CASE WHEN c.tester_id IS NULL THEN a.live_at IS NOT NULL
               ELSE EXISTS (SELECT FROM application_owner w WHERE w.application_id = a.id AND w.person_id = c.tester_id) END)"""

# An approval begins a connection, or brings back one that was cut or has ended; while it stands nothing is written. An
# approval that is older than the cut or the end changes nothing: whoever chose it came later. What was issued before the
# end stays dead too, so the end is kept as a cut.
UPSERT_APPROVED_CONNECTIONS = f"""
INSERT INTO connection AS k (customer_id, application_id, approved_at, approved_by, route)
SELECT DISTINCT ON (customer_id, application_id)
       customer_id, application_id, coalesce(approved_at, clock_timestamp()), $4::uuid, $5::text
FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS asked(customer_id, application_id, approved_at)
WHERE {MAY_MEET}
ORDER BY customer_id, application_id, approved_at DESC
ON CONFLICT (customer_id, application_id) DO UPDATE
SET approved_at = excluded.approved_at, approved_by = excluded.approved_by, route = excluded.route,
    cut_at = {ENDED_AT}, ends_at = NULL, detailed = false, version = k.version + 1
WHERE excluded.approved_at > coalesce({ENDED_AT}, '-infinity')
  AND (k.approved_at IS NULL OR NOT {is_connected("k")})
"""


async def connect(
    statements: Statements,
    customer_id: UUID,
    application_id: UUID,
    *,
    route: Route,
    approved_by: UUID | None,
    approved_at: datetime | None = None,
) -> bool:
    """The customer lets the application act for them; False when the connection stands already, or was cut or ended since.

    approved_at: None for this moment, by PostgreSQL's clock.
    """
    return bool(
        await connect_all(
            statements, [(customer_id, application_id, approved_at)], route=route, approved_by=approved_by
        )
    )


async def connect_all(
    statements: Statements,
    pairs: Sequence[tuple[UUID, UUID, datetime | None]],
    *,
    route: Route,
    approved_by: UUID | None,
) -> int:
    """The same of many customers and applications, each with the time of its approval; how many began."""
    return await statements.count(
        UPSERT_APPROVED_CONNECTIONS,
        [customer_id for customer_id, _, _ in pairs],
        [application_id for _, application_id, _ in pairs],
        [approved_at for _, _, approved_at in pairs],
        approved_by,
        route,
    )


# clock_timestamp() is read again under the row's lock: a cut that waited for another one still moves the time on.
_CUT = """
ON CONFLICT (customer_id, application_id) DO UPDATE
SET cut_at = greatest(k.cut_at, clock_timestamp()), version = k.version + 1
"""
UPSERT_CUT = f"""
INSERT INTO connection AS k (customer_id, application_id, cut_at)
VALUES ($1, $2, clock_timestamp()) {_CUT}
"""


async def cut_connection(statements: Statements, *, customer_id: UUID, application_id: UUID) -> None:
    """End all that was approved up to now, and all that would be issued from it."""
    await statements.count(UPSERT_CUT, customer_id, application_id)


# Two of these for one customer follow each other by the customer's lock: each leaves rows that the other had not seen.
SELECT_CONNECTIONS_LOCKED = f"""
SELECT k.application_id, {is_connected("k")} IS TRUE AS connected
FROM connection k WHERE k.customer_id = $1 ORDER BY k.application_id FOR UPDATE
"""
# Every application that could hold an approval, not only those with a connection: one may be approved at this moment.
UPSERT_CUTS_OF = f"""
WITH cut AS (
    INSERT INTO connection AS k (customer_id, application_id, cut_at)
    SELECT $1, id, clock_timestamp() FROM application WHERE status <> 'deleted' ORDER BY id {_CUT}
    RETURNING k.application_id, k.approved_at
)
SELECT application_id FROM cut WHERE approved_at IS NOT NULL ORDER BY application_id
"""


async def cut_standing_connections_of(transaction: Transaction, customer_id: UUID) -> tuple[UUID, ...]:
    """Cut every application off a customer, whose lock the transaction holds; those whose connection stood until now."""
    rows = await transaction.rows(SELECT_CONNECTIONS_LOCKED, customer_id)
    ended_before = {row["application_id"] for row in rows if not row["connected"]}
    # A row that is not among them came after the look, by an approval that was committed in between.
    cut = await transaction.rows(UPSERT_CUTS_OF, customer_id)
    return tuple(row["application_id"] for row in cut if row["application_id"] not in ended_before)


@dataclass(frozen=True, slots=True)
class StoredTerms:
    """What a connection shares. share: the number of the chosen machines; None for all. None elsewhere: no limit."""

    share: int | None
    history_from: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class StandingConnection:
    """A row. connected: whether it stands now. now: by PostgreSQL's clock."""

    approved_at: datetime | None
    terms: StoredTerms
    terms_at: datetime | None
    version: int
    connected: bool
    now: datetime


SELECT_CONNECTION = f"""
SELECT k.approved_at, k.share, k.history_from, k.ends_at, k.terms_at, k.version, {is_connected("k")} IS TRUE AS connected,
       clock_timestamp() AS now
FROM connection k WHERE k.customer_id = $1 AND k.application_id = $2
"""
SELECT_CONNECTION_LOCKED = f"{SELECT_CONNECTION} FOR UPDATE"


async def select_connection(
    statements: Statements, customer_id: UUID, application_id: UUID
) -> StandingConnection | None:
    return _found(await statements.row(SELECT_CONNECTION, customer_id, application_id))


async def select_connection_locked(
    transaction: Transaction, customer_id: UUID, application_id: UUID
) -> StandingConnection | None:
    """It stays as it is until the transaction ends."""
    return _found(await transaction.row(SELECT_CONNECTION_LOCKED, customer_id, application_id))


def _found(row: Row | None) -> StandingConnection | None:
    if row is None:
        return None
    terms = StoredTerms(row["share"], row["history_from"], row["ends_at"])
    return StandingConnection(
        row["approved_at"], terms, row["terms_at"], row["version"], row["connected"], row["now"]
    )


# Whoever sets another end knows of it, where it is near.
UPDATE_TERMS = f"""
UPDATE connection SET share = $3, history_from = $4, ends_at = $5::timestamptz, terms_at = $6, version = version + 1,
    end_known = CASE WHEN ends_at IS NOT DISTINCT FROM $5 THEN end_known ELSE coalesce($5 < {_SOON}, false) END,
    end_set_at = CASE WHEN ends_at IS NOT DISTINCT FROM $5 THEN end_set_at ELSE clock_timestamp() END
WHERE customer_id = $1 AND application_id = $2
"""


async def update_terms(
    transaction: Transaction, customer_id: UUID, application_id: UUID, terms: StoredTerms, *, at: datetime
) -> None:
    """at: when somebody chose them."""
    await transaction.count(
        UPDATE_TERMS, customer_id, application_id, terms.share, terms.history_from, terms.ends_at, at
    )


# Tokens that are remembered say it from then on, which the trigger tells. No terms change, so the version stays.
MARK_DETAILED = """
UPDATE connection SET detailed = true WHERE customer_id = $1 AND application_id = $2 AND NOT detailed
"""


async def mark_detailed(transaction: Transaction, customer_id: UUID, application_id: UUID) -> None:
    """Its application asked by authorization details: what was granted stands in answers from now on."""
    await transaction.count(MARK_DETAILED, customer_id, application_id)
