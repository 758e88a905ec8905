"""Connected applications: what a customer sees of them, and cutting one off."""

from dataclasses import dataclass
from uuid import UUID

from app.context import Context
from app.flows.account.change_application import find_application
from app.flows.account.change_customer import find_account
from app.flows.account.rights import require_right
from app.flows.mail.tell_of_applications import tell_owners, tell_owners_of_all
from app.flows.mail.tell_of_customers import tell_of_disconnected
from app.oauth.actor import Actor
from app.storage.people.applications import Application, select_applications
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.customers import lock_customer
from app.storage.token.connection_lists import (
    Connection,
    FoundConnection,
    select_connections,
    select_found_connections,
    select_listed_connection,
)
from app.storage.token.connections import (
    cut_connection,
    cut_standing_connections_of,
    select_connection_locked,
)

MOST_FOUND = 1000  # connections in one list


@dataclass(frozen=True, slots=True)
class ConnectedApplication:
    """An application and the connection by which it may act."""

    application: Application
    connection: Connection


async def list_connections(context: Context, customer_id: UUID) -> tuple[ConnectedApplication, ...]:
    """The customer's connected applications, read by two statements however many there are."""
    connections = await select_connections(
        context.database,
        customer_id,
        legacy_until=context.policy.legacy_tokens_until,
        code_life=context.policy.lifetimes.code,
    )
    applications = await select_applications(context.database, [each.application_id for each in connections])
    return tuple(ConnectedApplication(applications[each.application_id], each) for each in connections)


async def find_connection(
    context: Context, customer_id: UUID, application_id: UUID
) -> ConnectedApplication | None:
    """One application of that list; None when it is not on it."""
    connection = await select_listed_connection(
        context.database,
        customer_id,
        application_id,
        legacy_until=context.policy.legacy_tokens_until,
        code_life=context.policy.lifetimes.code,
    )
    if connection is None:
        return None
    [application] = (await select_applications(context.database, [application_id])).values()
    return ConnectedApplication(application, connection)


async def find_connections(
    context: Context, *, customer: str | None = None, client_id: str | None = None
) -> tuple[FoundConnection, ...]:
    """The newest connections, those that were cut or have ended too. customer: an id or somebody's e-mail address.

    Raises CustomerError and ApplicationError when nobody is called so.
    """
    customer_id = (await find_account(context, customer))[0] if customer is not None else None
    application_id = (await find_application(context, client_id)).client.id if client_id is not None else None
    return await select_found_connections(
        context.database, customer_id=customer_id, application_id=application_id, most=MOST_FOUND
    )


async def disconnect_application(
    context: Context, actor: Actor, customer_id: UUID, application_id: UUID, *, language: str | None = None
) -> None:
    """One row ends every token and every code approved until now; each process sees it at its next look.

    The owners of both sides are told by mail where a connection stood. language: of the page, for owners who chose none.
    Raises RoleError when the actor may not disconnect applications.
    """
    async with context.database.transaction() as transaction:
        await require_right(transaction, actor, customer_id, "connect")
        standing = await select_connection_locked(transaction, customer_id, application_id)
        await cut_connection(transaction, customer_id=customer_id, application_id=application_id)
        event_id = await insert_audit_event(transaction, _event(actor, customer_id, application_id))
        if standing is not None and standing.connected:
            parties = customer_id, application_id
            await tell_owners(
                context, transaction, *parties, event_id, notice="disconnected", language=language
            )
            await tell_of_disconnected(context, transaction, customer_id, [application_id], event_id)
    context.changes.note((customer_id, application_id))


async def disconnect_all(
    context: Context, actor: Actor, customer_id: UUID, *, language: str | None = None
) -> tuple[UUID, ...]:
    """End every connection of a customer in one transaction; the applications whose connection stood until now.

    Each has its audit event, and one mail to each owner of the account names them all. The owners of applications
    get one for all of theirs. What is being approved at this
    moment ends too. language: of the page, for owners who chose none.
    Raises RoleError when the actor may not disconnect applications.
    """
    async with context.database.transaction() as transaction:
        await lock_customer(transaction, customer_id)
        await require_right(transaction, actor, customer_id, "connect")
        ended = await cut_standing_connections_of(transaction, customer_id)
        events = [
            await insert_audit_event(transaction, _event(actor, customer_id, application_id))
            for application_id in ended
        ]
        if events:
            await tell_owners_of_all(context, transaction, customer_id, ended, events[0], language=language)
            await tell_of_disconnected(context, transaction, customer_id, ended, events[0])
    for application_id in ended:
        context.changes.note((customer_id, application_id))
    return ended


def _event(actor: Actor, customer_id: UUID, application_id: UUID) -> AuditEvent:
    return AuditEvent(
        "application.disconnected", actor, application_id=application_id, customer_id=customer_id
    )
