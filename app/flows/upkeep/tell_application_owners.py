"""Tell the owners of applications which connections end soon, and which secrets and keys nobody uses or are old."""

from app.context import Context
from app.flows.mail.numbered import MOST_NAMED, numbered
from app.flows.mail.queue_mail import queue_mail
from app.storage.token.due_notices import (
    lock_people_of_ends,
    lock_people_of_secrets,
    mark_ends_told,
    mark_secrets_told,
)

_BATCH = 100


async def tell_of_own_ends(context: Context) -> int:
    """Mail each person once a day at most what ends within 30 days and is new; how many were told.

    Several processes do so at once. Each steps aside for people that another has locked.
    """
    told = 0
    while True:
        async with context.database.transaction() as transaction:
            people = await lock_people_of_ends(transaction, _BATCH)
            for person in people:
                pairs = await mark_ends_told(transaction, person.id, MOST_NAMED)
                about = {
                    "person": person.id,
                    **numbered("customer", [customer_id for customer_id, _ in pairs]),
                    **numbered("application", [application_id for _, application_id in pairs]),
                }
                if pairs:
                    await queue_mail(context, transaction, "customers_ending", to=person.email, about=about)
                told += bool(pairs)
        if not people:
            return told


async def tell_of_secrets(context: Context) -> int:
    """One mail in 30 days at most to each person, about all their secrets and keys; how many were told."""
    told = 0
    while True:
        async with context.database.transaction() as transaction:
            people = await lock_people_of_secrets(transaction, _BATCH)
            for person in people:
                if await mark_secrets_told(transaction, person.id):
                    about = {"person": person.id}
                    await queue_mail(context, transaction, "secrets_due", to=person.email, about=about)
                    told += 1
        if not people:
            return told
