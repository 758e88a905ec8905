"""The audit trail: rows are added and read, never changed."""

from dataclasses import dataclass, field
from uuid import UUID

import orjson

from app.oauth.actor import Actor
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


async def insert_audit_event(statements: Statements, event: AuditEvent) -> None:
    """The request that is served and its client's address are written with it; a command has neither."""
    came_from = origin()
    await statements.count(
        INSERT_AUDIT_EVENT,
        new_id(),
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
