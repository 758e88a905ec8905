"""Tell the owners of an application by mail what became of their proposal."""

from uuid import UUID

from app.context import Context
from app.flows.mail.queue_mail import queue_mail
from app.mail.letters import Template
from app.storage.people.application_owners import ApplicationOwner
from app.storage.postgres.database import Transaction


async def tell_owners_of_review(
    context: Context,
    transaction: Transaction,
    template: Template,
    owners: tuple[ApplicationOwner, ...],
    review_id: UUID,
) -> None:
    for owner in owners:
        about = {"person": owner.person_id, "review": review_id}
        await queue_mail(context, transaction, template, to=owner.email, about=about)
