"""Tell the owners of accounts of connections that end in 30 days, once for each end."""

from itertools import groupby

from app.context import Context
from app.flows.mail.tell_of_applications import tell_owners_of_ends
from app.storage.token.connection_ends import mark_ends_known

_BATCH = 100


async def tell_of_ends(context: Context) -> int:
    """Mark those of a batch of customers and queue the mails in one transaction; how many connections were told of.

    Several processes do so at once. Each steps aside for customers that another has locked.
    """
    told = 0
    while True:
        async with context.database.transaction() as transaction:
            marked = await mark_ends_known(transaction, _BATCH)
            standing = [each for each in marked if each.connected]
            for customer_id, ending in groupby(standing, lambda each: each.customer_id):
                named = [each.application_id for each in ending]
                await tell_owners_of_ends(context, transaction, customer_id, named)
        told += len(standing)
        if not marked:
            return told
