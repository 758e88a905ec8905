"""Tell the owners of connections that end in 30 days, once for each end."""

from app.context import Context
from app.flows.approval.tell_owners import tell_owners_of_end
from app.storage.token.connection_ends import mark_ends_known

_BATCH = 100


async def tell_of_ends(context: Context) -> int:
    """Mark a batch and queue its mails in one transaction, until none is left; how many connections were told of.

    Several processes do so at once. Each steps aside for what another has locked.
    """
    told = 0
    while True:
        async with context.database.transaction() as transaction:
            marked = await mark_ends_known(transaction, _BATCH)
            for each in marked:
                if each.connected:
                    await tell_owners_of_end(context, transaction, each.customer_id, each.application_id)
        told += sum(each.connected for each in marked)
        if len(marked) < _BATCH:
            return told
