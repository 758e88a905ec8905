"""Connect an application with the customer that its client_credentials tokens act for."""

from uuid import UUID

from app.context import Context
from app.flows.mail.tell_both_sides import tell_of_beginning
from app.oauth.actor import Actor
from app.storage.postgres.database import Transaction
from app.storage.token.connections import connect


async def connect_own_customer(
    context: Context,
    transaction: Transaction,
    actor: Actor,
    customer_id: UUID,
    application_id: UUID,
    *,
    event_id: UUID,
) -> None:
    """Connect them unless they are, and tell both sides. event_id: of the audit event that it is a part of."""
    began = await connect(
        transaction,
        customer_id,
        application_id,
        route="client_credentials",
        approved_by=actor.person_id,
    )
    if began:
        await tell_of_beginning(context, transaction, customer_id, application_id, event_id)
