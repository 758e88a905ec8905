"""Which notices about an application an owner gets by mail: each owner chooses for themself."""

from collections.abc import Collection
from typing import get_args
from uuid import UUID

from app.context import Context
from app.flows.account.choose_notices import keep_choice
from app.flows.account.rights import OwnerError
from app.oauth.actor import Actor
from app.sentence import Sentence
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.notices import ApplicationNotice

NOTICES: tuple[ApplicationNotice, ...] = get_args(ApplicationNotice)


async def choose_notices(
    context: Context, actor: Actor, application_id: UUID, wanted: Collection[ApplicationNotice]
) -> None:
    """All that are not wanted are off from now on. Mails that wait in the outbox are judged anew when they are sent.

    Raises OwnerError when the actor owns the application no more.
    """
    off = frozenset(NOTICES) - frozenset(wanted)
    async with context.database.transaction() as transaction:
        change = await keep_choice(transaction, actor, "application", application_id, off=off)
        if change is None:
            raise OwnerError(Sentence("You do not own this application any more."))
        if change:
            event = AuditEvent(
                "application.notices_chosen", actor, application_id=application_id, detail=change
            )
            await insert_audit_event(transaction, event)
