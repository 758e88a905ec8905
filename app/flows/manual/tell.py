"""Tell the owners of an application by mail what became of a request."""

from typing import Literal
from uuid import UUID

from app.context import Context
from app.flows.mail.queue_mail import queue_mail
from app.storage.people.application_owners import select_application_owners
from app.storage.postgres.database import Transaction


async def tell_application_owners(
    context: Context,
    transaction: Transaction,
    template: Literal["token_waits", "request_ended"],
    application_id: UUID,
    request_id: UUID,
) -> None:
    for owner in await select_application_owners(transaction, application_id):
        about = {"request": request_id, "person": owner.person_id}
        await queue_mail(context, transaction, template, to=owner.email, about=about)
