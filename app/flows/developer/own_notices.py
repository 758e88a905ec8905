"""Which notices about an application an owner gets by mail: each owner chooses for themself."""

from collections.abc import Collection
from typing import get_args
from uuid import UUID

from app.context import Context
from app.flows.account.rights import OwnerError
from app.oauth.actor import Actor
from app.sentence import Sentence
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.notices import ApplicationNotice, update_notices_off

NOTICES: tuple[ApplicationNotice, ...] = get_args(ApplicationNotice)


async def choose_notices(
    context: Context, actor: Actor, application_id: UUID, wanted: Collection[ApplicationNotice]
) -> None:
    """All that are not wanted are off from now on. Mails that wait in the outbox are judged anew when they are sent.

    Raises OwnerError when the actor owns the application no more.
    """
    off = frozenset(NOTICES) - frozenset(wanted)
    async with context.database.transaction() as transaction:
        before = await update_notices_off(transaction, application_id, actor.id, off) if actor.id else None
        if before is None:
            raise OwnerError(Sentence("You do not own this application any more."))
        if before != off:
            detail: dict[str, str | int | None] = {
                "off_before": ", ".join(sorted(before)) or "none",
                "off": ", ".join(sorted(off)) or "none",
            }
            event = AuditEvent(
                "application.notices_chosen", actor, application_id=application_id, detail=detail
            )
            await insert_audit_event(transaction, event)
