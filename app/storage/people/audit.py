"""The audit trail: rows are added and read, never changed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from app.oauth.actor import Actor, ActorKind
from app.oauth.token_string import new_id
from app.origin import origin
from app.storage.postgres.database import Statements


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """An event, who caused it, and what it concerns. `detail` never holds a secret, a code or a token."""

    event: str
    actor: Actor
    application_id: UUID | None = None
    customer_id: UUID | None = None
    grant_id: UUID | None = None
    detail: dict[str, str | int | None] = field(default_factory=dict)


INSERT_AUDIT_EVENT = """
INSERT INTO audit_event (id, event, actor_kind, actor_id, application_id, customer_id, grant_id, request_id, address,
    detail)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb)
"""


async def insert_audit_event(statements: Statements, event: AuditEvent) -> UUID:
    """Its id. The request that is served and its client's address are written with it; a command has neither."""
    came_from, event_id = origin(), new_id()
    await statements.count(
        INSERT_AUDIT_EVENT,
        event_id,
        event.event,
        event.actor.kind,
        event.actor.id,
        event.application_id,
        event.customer_id,
        event.grant_id,
        came_from.request_id,
        came_from.address,
        orjson.dumps(event.detail).decode(),
    )
    return event_id


@dataclass(frozen=True, slots=True)
class WrittenEvent:
    """A row of the trail, with the names that its ids have now."""

    at: datetime
    event: str
    actor_kind: str
    actor_id: UUID | None
    actor: str | None
    application_id: UUID | None
    application: str | None
    customer_id: UUID | None
    customer: str | None
    request_id: str | None
    address: str | None
    detail: dict[str, Any]


# The newest first by the key, so that no more partitions are opened than have the rows.
SELECT_AUDIT_EVENTS = """
SELECT e.at, e.event, e.actor_kind, e.actor_id, coalesce(p.email, actor.name) AS actor,
       e.application_id, a.name AS application, e.customer_id, c.name AS customer, e.request_id, e.address, e.detail
FROM (SELECT * FROM audit_event
      WHERE ($1::uuid IS NULL OR application_id = $1) AND ($2::uuid IS NULL OR customer_id = $2)
      ORDER BY id DESC LIMIT $3) e
LEFT JOIN person p ON e.actor_kind IN ('customer', 'operator', 'application owner') AND p.id = e.actor_id
LEFT JOIN application actor ON e.actor_kind = 'application' AND actor.id = e.actor_id
LEFT JOIN application a ON a.id = e.application_id
LEFT JOIN customer c ON c.id = e.customer_id
ORDER BY e.id
"""


async def select_audit_events(
    statements: Statements, *, application_id: UUID | None, customer_id: UUID | None, most: int
) -> tuple[WrittenEvent, ...]:
    """The newest events, oldest first; of one application and one customer where they are given."""
    rows = await statements.rows(SELECT_AUDIT_EVENTS, application_id, customer_id, most)
    return tuple(WrittenEvent(**{**row, "detail": orjson.loads(row["detail"])}) for row in rows)


@dataclass(frozen=True, slots=True)
class Change:
    """An event that concerns an account, with the names that its ids have now.

    actor_id: of the person who did it; None when nobody of the account did. person: the one it is about,
    where it is about one.
    """

    at: datetime
    event: str
    actor_id: UUID | None
    actor: str | None
    application: str | None
    person_id: UUID | None
    person: str | None
    detail: dict[str, Any]


# A person's visits are told apart by their sign-ins: the newest is the present one. A flood of refused sign-ins, which are
# events of the account too, does not make this look at more than the newest rows.
SELECT_CHANGES = """
WITH recent AS (
    SELECT id, at, event, actor_kind, actor_id, application_id, detail FROM audit_event
    WHERE customer_id = $1 ORDER BY id DESC LIMIT 2000
), visit AS (
    SELECT at FROM recent WHERE event = 'person.signed_in' AND actor_id = $2 ORDER BY id DESC OFFSET 1 LIMIT 1
), changed AS (
    SELECT *, (detail ->> 'person')::uuid AS person_id FROM recent
    WHERE event = ANY ($3::text[]) AND at > coalesce((SELECT at FROM visit), '-infinity')
    ORDER BY id DESC LIMIT $4
)
SELECT since.at AS since, e.at, e.event, CASE WHEN e.actor_kind = 'customer' THEN e.actor_id END AS actor_id,
       actor.name AS actor, a.name AS application, e.person_id, p.name AS person, e.detail
FROM (SELECT (SELECT at FROM visit) AS at) since LEFT JOIN changed e ON true
LEFT JOIN person actor ON e.actor_kind = 'customer' AND actor.id = e.actor_id
LEFT JOIN application a ON a.id = e.application_id LEFT JOIN person p ON p.id = e.person_id
ORDER BY e.id DESC
"""


async def select_changes(
    statements: Statements, customer_id: UUID, person_id: UUID, events: Sequence[str], most: int
) -> tuple[datetime | None, tuple[Change, ...]]:
    """When the person signed in before this time, and what happened to the account since, the newest first."""
    rows = await statements.rows(SELECT_CHANGES, customer_id, person_id, list(events), most)
    changes = [{**row, "detail": orjson.loads(row["detail"])} for row in rows if row["event"]]
    since: datetime | None = rows[0]["since"]
    return since, tuple(
        Change(**{name: value for name, value in row.items() if name != "since"}) for row in changes
    )


SELECT_AUDIT_CAUSE = """
SELECT e.event, e.at, e.actor_kind, p.name AS person, e.detail ->> 'reason' AS reason
FROM audit_event e LEFT JOIN person p ON e.actor_kind = 'customer' AND p.id = e.actor_id
WHERE e.id = $1
"""


@dataclass(frozen=True, slots=True)
class AuditCause:
    """What happened and when. person: of the account, who did it; None when nobody of it did. reason: where one was given."""

    event: str
    at: datetime
    actor_kind: ActorKind
    person: str | None
    reason: str | None


async def select_audit_cause(statements: Statements, event_id: UUID) -> AuditCause | None:
    """None once the trail no longer has it."""
    row = await statements.row(SELECT_AUDIT_CAUSE, event_id)
    return AuditCause(**row) if row else None


SELECT_AUDIT_ADDRESS = (
    "SELECT at, coalesce(detail ->> 'address', address) AS address FROM audit_event WHERE id = $1"
)


async def select_audit_address(statements: Statements, event_id: UUID) -> tuple[datetime, str] | None:
    """When something was, and the client's address; None once the trail no longer has it."""
    row = await statements.row(SELECT_AUDIT_ADDRESS, event_id)
    return (row["at"], row["address"] or "unknown") if row else None
