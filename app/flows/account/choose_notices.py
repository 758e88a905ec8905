"""Which notices people get by mail about what they belong to: each chooses for themself."""

from collections.abc import Collection
from typing import get_args
from uuid import UUID

from app.context import Context
from app.flows.account.rights import RoleError
from app.oauth.actor import Actor
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.notices import About, AccountNotice, update_notices_off
from app.storage.postgres.database import Transaction

ACCOUNT_NOTICES: tuple[AccountNotice, ...] = get_args(AccountNotice)


async def choose_account_notices(
    context: Context, actor: Actor, customer_id: UUID, wanted: Collection[AccountNotice]
) -> None:
    """All that are not wanted are off from now on. Mails that wait in the outbox are judged anew when they are sent.

    Raises RoleError when the actor belongs to the account no more.
    """
    off = frozenset(ACCOUNT_NOTICES) - frozenset(wanted)
    async with context.database.transaction() as transaction:
        change = await keep_choice(transaction, actor, "account", customer_id, off=off)
        if change is None:
            raise RoleError("look")
        if change:
            event = AuditEvent("customer.notices_chosen", actor, customer_id=customer_id, detail=change)
            await insert_audit_event(transaction, event)


async def keep_choice(
    transaction: Transaction, actor: Actor, about: About, about_id: UUID, *, off: frozenset[str]
) -> dict[str, str | int | None] | None:
    """Keep what the actor does not want, and return what the trail says of it.

    Empty where the choice is the same, and None for an actor who does not belong to it.
    """
    before = await update_notices_off(transaction, about, about_id, actor.id, off) if actor.id else None
    if before is None or before == off:
        return None if before is None else {}
    return {
        "off_before": ", ".join(sorted(before)) or "none",
        "off": ", ".join(sorted(off)) or "none",
    }
