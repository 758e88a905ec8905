"""Tell both sides that a connection begins: whatever the way in, it is told here and alike."""

from uuid import UUID

from app.context import Context
from app.flows.mail.tell_of_applications import tell_owners
from app.flows.mail.tell_of_customers import tell_of_customer
from app.storage.postgres.database import Transaction


async def tell_of_beginning(
    context: Context,
    transaction: Transaction,
    customer_id: UUID,
    application_id: UUID,
    event_id: UUID,
    *,
    language: str | None = None,
) -> None:
    """Mail the owners of the account, and those owners of the application who want to hear of it.

    event_id: of the audit event that it tells of. language: of the page, for owners of the account who chose none.
    """
    parties = customer_id, application_id
    await tell_owners(context, transaction, *parties, event_id, notice=None, language=language)
    await tell_of_customer(context, transaction, *parties, event_id, notice="connected")
