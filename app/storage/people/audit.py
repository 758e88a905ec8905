"""The audit trail: rows are added and read, never changed."""

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

import orjson

from app.oauth.token_string import new_id
from app.storage.postgres.database import Statements

ActorKind = Literal["customer", "operator", "application", "command line", "service"]


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One event: what happened, who did it, and who it concerns. `detail` never holds a secret, a code or a token."""

    event: str
    actor_kind: ActorKind
    actor_id: UUID | None = None
    application_id: UUID | None = None
    customer_id: UUID | None = None
    grant_id: UUID | None = None
    request_id: str | None = None
    detail: dict[str, str | int | None] = field(default_factory=dict)


INSERT_AUDIT_EVENT = """
INSERT INTO audit_event (id, event, actor_kind, actor_id, application_id, customer_id, grant_id, request_id, detail)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb)
"""


async def insert_audit_event(statements: Statements, event: AuditEvent) -> None:
    await statements.count(
        INSERT_AUDIT_EVENT,
        new_id(),
        event.event,
        event.actor_kind,
        event.actor_id,
        event.application_id,
        event.customer_id,
        event.grant_id,
        event.request_id,
        orjson.dumps(event.detail).decode(),
    )
