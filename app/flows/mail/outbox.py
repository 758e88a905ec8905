"""What those who run the service do with the outbox: look, try again, send a test."""

from uuid import UUID

from app.context import Context
from app.flows.mail.queue_mail import queue_mail
from app.flows.mail.send_mails import MailError, send_now
from app.mail.transport import Answer
from app.oauth.actor import Actor
from app.storage.mail.outbox import (
    MailRow,
    MailState,
    claim_mail,
    mark_mails_waiting,
    select_mail,
    select_mails,
)
from app.storage.people.audit import AuditEvent, insert_audit_event


async def list_mails(context: Context, state: MailState | None, *, most: int) -> tuple[MailRow, ...]:
    """The newest first. state: None for all."""
    return await select_mails(context.database, state, most=most)


async def retry_mail(context: Context, actor: Actor, mail_id: UUID) -> None:
    """Make a mail due now, for three more days. Raises MailError when there is none, or it was sent or is under way."""
    found = await select_mail(context.database, mail_id)
    if found is None:
        raise MailError(f"there is no mail {mail_id}", code="unknown_mail", status=404)
    if found.state == "sent":
        raise MailError(f"mail {mail_id} was sent already")
    if not await _retry(context, actor, mail_id):
        raise MailError(f"mail {mail_id} is being sent at this moment")


async def retry_mails(context: Context, actor: Actor) -> int:
    """Make every mail due now that was not sent; how many."""
    return await _retry(context, actor, None)


async def send_test(context: Context, actor: Actor, to: str) -> tuple[UUID, Answer]:
    """Queue a test and send it in the same breath; the mail's id and the server's answer. to: checked before.

    Raises MailError when nothing can be sent, or too many tests went to this address today.
    """
    if not context.outgoing.possible:
        raise MailError("No mail server is set, so no mail can be sent.", code="no_mail_server")
    async with context.database.transaction() as transaction:
        mail_id = await queue_mail(context, transaction, "test", to=to, about={})
        if mail_id is None:
            raise MailError(f"{context.policy.mail_limits.per_recipient} tests went to {to} within a day")
        await insert_audit_event(transaction, AuditEvent("mail.tested", actor, detail={"mail": str(mail_id)}))
        # Claimed before anybody else sees it.
        mail = await claim_mail(transaction, mail_id)
    if mail is None:
        raise MailError(f"mail {mail_id} is being sent by somebody else")
    return mail_id, await send_now(context, mail)


async def _retry(context: Context, actor: Actor, mail_id: UUID | None) -> int:
    async with context.database.transaction() as transaction:
        retried = await mark_mails_waiting(transaction, mail_id)
        if retried:
            detail = {"mail": str(mail_id) if mail_id else None, "mails": len(retried)}
            await insert_audit_event(transaction, AuditEvent("mail.retried", actor, detail=detail))
    return len(retried)
