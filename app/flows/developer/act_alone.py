"""Let an application in test mode get tokens by itself.

They act for the test customer of the owner who says so, and for nobody else.
"""

from typing import Literal
from uuid import UUID

from app.context import Context
from app.flows.account.rights import OwnerError, require_ownership
from app.flows.developer.test_customer import give_test_customer
from app.flows.mail.tell_both_sides import tell_of_beginning
from app.flows.token.grants import GRANTS
from app.oauth.actor import Actor
from app.oauth.client import Client
from app.refused import ToldError
from app.sentence import Sentence
from app.storage.people.application_changes import ApplicationChanges, update_application
from app.storage.people.application_owners import select_test_customer
from app.storage.people.applications import select_application_locked
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.people import Person
from app.storage.token.connections import connect, select_connection

ActsFor = Literal["your test customer", "another", "nobody"]


class ActAloneError(ToldError):
    """The application cannot be connected to act by itself like this."""

    code = "application_not_active"
    status = 409
    title = Sentence("This application stays as it is")


def acts_alone(client: Client) -> bool:
    """Whether it is registered for a grant that needs no customer's browser."""
    return any(grant.acts_alone and client.allows(grant.name) for grant in GRANTS.values())


async def read_acts_for(context: Context, person: Person, client: Client) -> ActsFor:
    """Find the customer that its own tokens act for, as one of its owners may know it.

    It is nobody too where the connection was cut.
    """
    if client.customer_id is None:
        return "nobody"
    own = await select_test_customer(context.database, person.id)
    if own is None or own.customer_id != client.customer_id:
        return "another"
    connection = await select_connection(context.database, own.customer_id, client.id)
    return "your test customer" if connection is not None and connection.connected else "nobody"


async def connect_test_customer(context: Context, actor: Actor, person: Person, application_id: UUID) -> bool:
    """Connect the person's own test customer; False when it is connected already, and nothing was changed.

    Raises OwnerError when the person owns the application no more, InTestModeError when their test customer was
    disabled, and ActAloneError when the application is live, suspended, or not registered to act by itself.
    """
    if actor.id != person.id:
        raise OwnerError(Sentence("Your own test customer is the only one that you can connect."))
    customer_id = await give_test_customer(context, actor, person)
    async with context.database.transaction() as transaction:
        application = await select_application_locked(transaction, application_id)
        await require_ownership(transaction, actor, application_id)
        client = _require_may_act(application.client if application is not None else None)
        began = await connect(
            transaction, customer_id, application_id, route="client_credentials", approved_by=person.id
        )
        if began or client.customer_id != customer_id:
            changes = ApplicationChanges(customer_id=customer_id)
            await update_application(transaction, application_id, changes)
            event = AuditEvent(
                "application.test_customer_connected",
                actor,
                application_id=application_id,
                customer_id=customer_id,
            )
            event_id = await insert_audit_event(transaction, event)
            if began:
                await tell_of_beginning(context, transaction, customer_id, application_id, event_id)
    context.changes.note(application_id)
    context.changes.note((customer_id, application_id))
    return began or client.customer_id != customer_id


def _require_may_act(client: Client | None) -> Client:
    """Raises ActAloneError."""
    if client is None or not client.active:
        raise ActAloneError(Sentence("The application is suspended or deleted, so nothing was changed."))
    if not client.test:
        raise ActAloneError(
            Sentence(
                "The application is live, so RoviTracker says which customer it acts for. Nothing was changed."
            ),
            code="application_live",
            status=403,
        )
    if not acts_alone(client):
        raise ActAloneError(
            Sentence("The application is not registered to get tokens by itself. Ask RoviTracker for it."),
            code="grant_lacking",
            status=403,
        )
    return client
