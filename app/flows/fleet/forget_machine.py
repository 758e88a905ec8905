"""Forget what a machine reported for one account, whose it may be no longer."""

from uuid import UUID

from app.context import Context
from app.storage.fleet.erasure import delete_history, delete_if_never_anothers, delete_ownerships
from app.storage.fleet.fleet_changes import (
    delete_identifiers,
    delete_latest,
    mark_ownership_ended,
    mark_released,
    update_map,
)
from app.storage.fleet.fleet_import import ingest, lock_fleet


async def forget_machine(context: Context, customer_id: UUID, key: int, *, present: bool) -> None:
    """present: whether the account still has it. A machine that was never another's goes whole."""
    async with ingest(context.database) as transaction:
        if present and await mark_ownership_ended(transaction, customer_id, key) is not None:
            await lock_fleet(transaction, customer_id)
            await update_map(transaction, customer_id, left=await mark_released(transaction, key))
            await delete_identifiers(transaction, key)
            await delete_latest(transaction, key)
        await delete_history(transaction, key, customer_id)
        await delete_ownerships(transaction, key, customer_id)
        await delete_if_never_anothers(transaction, key)
