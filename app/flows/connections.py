"""Connected applications: what a customer sees of them, and cutting one off."""

from dataclasses import dataclass
from uuid import UUID

from app.context import Context
from app.storage.applications import Application
from app.storage.audit import AuditEvent, insert_audit_event
from app.storage.grants import Connection, select_connections, upsert_revocation
from app.storage.people import Member


@dataclass(frozen=True, slots=True)
class ConnectedApplication:
    """An application, and since when and for what it may act."""

    application: Application
    connection: Connection


async def list_connections(context: Context, customer_id: UUID) -> tuple[ConnectedApplication, ...]:
    connected = []
    for connection in await select_connections(context.database, customer_id):
        application = await context.gathered.applications(connection.application_id)
        if application is not None:
            connected.append(ConnectedApplication(application, connection))
    return tuple(connected)


async def disconnect_application(context: Context, member: Member, application_id: UUID) -> None:
    """One row ends every token and every code approved until now; each process sees it at its next look."""
    async with context.database.transaction() as transaction:
        await upsert_revocation(transaction, customer_id=member.customer_id, application_id=application_id)
        await insert_audit_event(
            transaction,
            AuditEvent(
                "application.disconnected",
                "customer",
                actor_id=member.id,
                application_id=application_id,
                customer_id=member.customer_id,
            ),
        )
