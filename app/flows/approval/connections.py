"""Connected applications: what a customer sees of them, and cutting one off."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.context import Context
from app.oauth.actor import Actor
from app.storage.people.applications import Application, select_applications
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.token.grants import Connection, select_connections, upsert_revocation


@dataclass(frozen=True, slots=True)
class ConnectedApplication:
    """An application and the connection by which it may act."""

    application: Application
    connection: Connection


async def list_connections(context: Context, customer_id: UUID) -> tuple[ConnectedApplication, ...]:
    """The customer's connected applications, read by two statements however many there are."""
    connections = await select_connections(context.database, customer_id)
    applications = await select_applications(context.database, [each.application_id for each in connections])
    return tuple(ConnectedApplication(applications[each.application_id], each) for each in connections)


async def connected_at(context: Context, customer_id: UUID, application_id: UUID) -> datetime | None:
    """The time from which the application may act for the customer; None when it may not."""
    for connection in await select_connections(context.database, customer_id):
        if connection.application_id == application_id:
            return connection.connected_at
    return None


async def disconnect_application(
    context: Context, actor: Actor, customer_id: UUID, application_id: UUID
) -> None:
    """One row ends every token and every code approved until now; each process sees it at its next look."""
    async with context.database.transaction() as transaction:
        await upsert_revocation(transaction, customer_id=customer_id, application_id=application_id)
        await insert_audit_event(
            transaction,
            AuditEvent(
                "application.disconnected",
                actor,
                application_id=application_id,
                customer_id=customer_id,
            ),
        )
    context.changes.note((customer_id, application_id))
