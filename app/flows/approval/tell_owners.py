"""Tell the owners of a customer account by mail that an application was connected, changed or disconnected."""

from uuid import UUID

from app.context import Context
from app.flows.mail.queue_mail import queue_mail
from app.storage.people.members import select_members
from app.storage.postgres.database import Transaction


async def tell_owners(
    context: Context,
    transaction: Transaction,
    customer_id: UUID,
    application_id: UUID,
    event_id: UUID,
    *,
    language: str | None,
) -> None:
    """event_id: of the audit event that it tells of. language: of the page, for owners who chose none."""
    for member in await select_members(transaction, customer_id):
        if member.role == "owner":
            about = {
                "person": member.person_id,
                "customer": customer_id,
                "application": application_id,
                "event": event_id,
            }
            await queue_mail(
                context, transaction, "connection_changed", to=member.email, about=about, language=language
            )
