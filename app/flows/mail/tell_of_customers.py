"""Tell the owners of applications by mail which customers came, changed what they share, and went, as each chose."""

from collections.abc import Sequence
from itertools import groupby
from typing import Literal
from uuid import UUID

from app.context import Context
from app.flows.mail.numbered import MOST_NAMED, numbered
from app.flows.mail.queue_mail import queue_mail
from app.mail.letters import Template
from app.storage.people.notices import select_told_owners
from app.storage.postgres.database import Transaction


async def tell_of_customer(
    context: Context,
    transaction: Transaction,
    customer_id: UUID,
    application_id: UUID,
    event_id: UUID,
    *,
    notice: Literal["connected", "changed"],
) -> None:
    """A connection begins, or shares something else. event_id: of the audit event that it tells of."""
    about = {"customer": customer_id, "application": application_id, "event": event_id}
    template: Template = "customer_connected" if notice == "connected" else "customer_changed"
    for owner in await select_told_owners(transaction, [application_id], notice, customer_id):
        of_owner = {"person": owner.person_id, **about}
        await queue_mail(context, transaction, template, to=owner.email, about=of_owner)


async def tell_of_disconnected(
    context: Context,
    transaction: Transaction,
    customer_id: UUID,
    application_ids: Sequence[UUID],
    event_id: UUID,
) -> None:
    """Connections of a customer end: one mail to each owner names all applications. event_id: of one of the ends."""
    if not application_ids:
        return
    owners = await select_told_owners(transaction, application_ids, "disconnected", customer_id)
    for (person_id, email), own in groupby(owners, lambda owner: (owner.person_id, owner.email)):
        named = [owner.application_id for owner in own][:MOST_NAMED]
        about = {
            "person": person_id,
            "customer": customer_id,
            "event": event_id,
            **numbered("application", named),
        }
        await queue_mail(context, transaction, "customer_disconnected", to=email, about=about)
