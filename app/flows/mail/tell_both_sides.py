"""Tell both sides that a connection begins, or that it shares something else now.

Every way in tells it here, and alike.
"""

from functools import partial
from uuid import UUID

from app.context import Context
from app.flows.mail.tell_of_applications import tell_owners
from app.flows.mail.tell_of_customers import tell_of_customer
from app.storage.postgres.database import Transaction


async def _tell_both_sides(
    context: Context,
    transaction: Transaction,
    customer_id: UUID,
    application_id: UUID,
    event_id: UUID,
    *,
    began: bool,
    language: str | None = None,
) -> None:
    """Mail the owners of the account, and those of the application, who want to hear of it.

    event_id: of the audit event that it tells of. began: which the account is always told of.
    language: of the page, for owners of the account who chose none.
    """
    parties = customer_id, application_id
    await tell_owners(
        context, transaction, *parties, event_id, notice=None if began else "changed", language=language
    )
    await tell_of_customer(
        context, transaction, *parties, event_id, notice="connected" if began else "changed"
    )


tell_of_beginning = partial(_tell_both_sides, began=True)
tell_of_change = partial(_tell_both_sides, began=False)
