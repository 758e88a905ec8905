"""What the audit trail has about how a person signs in, with refused sign-ins counted between what else happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from app.storage.postgres.database import Row, Statements

FIRST, LAST = UUID(int=0), UUID(int=(1 << 128) - 1)
MOST_COUNTED = 1000  # refused sign-ins between two events


@dataclass(frozen=True, slots=True)
class Refused:
    """Sign-ins that were refused one after the other. at, address, browser: of the newest."""

    count: int
    at: datetime
    address: str | None
    browser: str | None


@dataclass(frozen=True, slots=True)
class Happened:
    """An event, and what was refused after it. event: None where the trail begins. actor_id: None for no person."""

    id: UUID
    at: datetime | None
    event: str | None
    actor_id: UUID | None
    address: str | None
    detail: dict[str, Any]
    refused: Refused | None


# Each part reads an index of its own, so that a flood of refused sign-ins hides nothing and costs no more than is counted.
SELECT_SIGN_IN_HISTORY = f"""
WITH told AS (
    SELECT id, at, event, actor_id, coalesce(detail ->> 'address', address) AS address, detail FROM audit_event
    WHERE detail ->> 'person' = $1 AND event LIKE 'person.%' AND event <> 'person.sign_in_failed'
      AND event = ANY ($2::text[]) AND id < $3
    ORDER BY id DESC LIMIT $4
), bounded AS (
    SELECT *, coalesce(lag(id) OVER (ORDER BY id DESC), $3) AS newer FROM (
        SELECT * FROM told
        UNION ALL
        SELECT '{FIRST}', NULL, NULL, NULL, NULL, '{{}}' WHERE (SELECT count(*) FROM told) < $4
    ) every
)
SELECT b.*, r.count AS refused, r.refused_at, r.refused_address, r.refused_browser
FROM bounded b CROSS JOIN LATERAL (
    SELECT count(*), max(at) AS refused_at,
           (array_agg(coalesce(detail ->> 'address', address) ORDER BY id DESC))[1] AS refused_address,
           (array_agg(detail ->> 'browser' ORDER BY id DESC))[1] AS refused_browser
    FROM (SELECT id, at, address, detail FROM audit_event
          WHERE detail ->> 'person' = $1 AND event = 'person.sign_in_failed' AND id > b.id AND id < b.newer
          ORDER BY id DESC LIMIT {MOST_COUNTED}) newest
) r
ORDER BY b.id DESC
"""


async def select_sign_in_history(
    statements: Statements, person_id: UUID, events: Sequence[str], *, before: UUID, most: int
) -> tuple[Happened, ...]:
    """The newest first, from before an event on. The last is the beginning of the trail where fewer than `most` are left."""
    rows = await statements.rows(SELECT_SIGN_IN_HISTORY, str(person_id), list(events), before, most)
    return tuple(_happened(row) for row in rows)


def _happened(row: Row) -> Happened:
    refused = None
    if row["refused"]:
        refused = Refused(row["refused"], row["refused_at"], row["refused_address"], row["refused_browser"])
    return Happened(
        row["id"],
        row["at"],
        row["event"],
        row["actor_id"],
        row["address"],
        orjson.loads(row["detail"]),
        refused,
    )
