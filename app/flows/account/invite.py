"""Invite somebody by mail to join a customer account, send the mail again, or take the invitation back.

The address is looked up nowhere but among the account's own people, so nobody learns here who signs in with it (R-54).
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.context import Context
from app.flows.account.add_customer import check_email
from app.flows.account.rights import require_right
from app.flows.mail.links import INVITATION_LIFE
from app.flows.mail.queue_mail import queue_mail
from app.oauth.actor import Actor
from app.oauth.member_role import MemberRole
from app.oauth.token_string import new_id
from app.refused import ToldError
from app.sentence import Sentence
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.customers import lock_customer
from app.storage.people.invitations import (
    ListedInvitation,
    NewInvitation,
    mark_invitation_withdrawn,
    renew_invitation,
    select_invitations,
    update_invitation_mail,
    upsert_invitation,
)
from app.storage.people.members import select_members
from app.storage.postgres.database import Transaction
from app.throttling.mails import caused_by_account


class InvitationError(ToldError):
    """An invitation cannot be made, sent again, withdrawn or accepted like this."""

    code = "invitation_conflict"
    status = 409
    title = Sentence("This invitation stays as it is")


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation that was made."""

    id: UUID
    email: str
    role: MemberRole
    expires_at: datetime


async def invite(
    context: Context,
    actor: Actor,
    customer_id: UUID,
    *,
    email: str,
    role: MemberRole,
    language: str | None = None,
) -> Invited:
    """Make an invitation and queue its mail: both, or neither. language: of the inviter's page, for the mail.

    Raises PersonError when it is no address, InvitationError when the address is a member's or is invited already or
    a limit of mails is used up, and RoleError when the actor may not invite.
    """
    email = check_email(email)
    new = NewInvitation(new_id(), customer_id, email, role, actor.id if actor.kind == "customer" else None)
    async with context.database.transaction() as transaction:
        await lock_customer(transaction, customer_id)
        await require_right(transaction, actor, customer_id, "manage")
        made = await upsert_invitation(transaction, new, INVITATION_LIFE)
        if made is None:
            raise await _why_not_invited(transaction, customer_id, email)
        invitation_id, expires_at = made
        await _send(context, transaction, customer_id, invitation_id, email, language=language)
        event = _event("member.invited", actor, customer_id, invitation_id, role=role)
        await insert_audit_event(transaction, event)
    return Invited(invitation_id, email, role, expires_at)


async def resend_invitation(
    context: Context, actor: Actor, customer_id: UUID, invitation_id: UUID, *, language: str | None = None
) -> None:
    """Queue the mail once more; from now on the invitation works for seven days again.

    Raises InvitationError when it no longer waits, its mail was not sent yet, or a limit of mails is used up.
    Raises RoleError when the actor may not invite.
    """
    async with context.database.transaction() as transaction:
        await require_right(transaction, actor, customer_id, "manage")
        email = await renew_invitation(transaction, invitation_id, customer_id, INVITATION_LIFE)
        if email is None:
            raise InvitationError(
                Sentence("It was answered or withdrawn meanwhile, or its mail is still on its way."),
                code="changed_meanwhile",
            )
        await _send(context, transaction, customer_id, invitation_id, email, language=language)
        event = _event("member.invitation_resent", actor, customer_id, invitation_id)
        await insert_audit_event(transaction, event)


async def withdraw_invitation(context: Context, actor: Actor, customer_id: UUID, invitation_id: UUID) -> None:
    """From now on its links open nothing.

    Raises InvitationError when it was accepted or withdrawn meanwhile, and RoleError when the actor may not withdraw.
    """
    async with context.database.transaction() as transaction:
        await require_right(transaction, actor, customer_id, "manage")
        if not await mark_invitation_withdrawn(transaction, invitation_id, customer_id):
            raise InvitationError(
                Sentence("It was accepted or withdrawn meanwhile."), code="changed_meanwhile"
            )
        event = _event("member.invitation_withdrawn", actor, customer_id, invitation_id)
        await insert_audit_event(transaction, event)


async def list_invitations(context: Context, customer_id: UUID) -> tuple[ListedInvitation, ...]:
    """Those that wait for an answer, expired ones too."""
    return await select_invitations(context.database, customer_id)


async def _send(
    context: Context,
    transaction: Transaction,
    customer_id: UUID,
    invitation_id: UUID,
    email: str,
    *,
    language: str | None,
) -> None:
    about, cause = {"invitation": invitation_id}, caused_by_account(customer_id)
    mail_id = await queue_mail(
        context, transaction, "invitation", to=email, about=about, language=language, cause=cause
    )
    if mail_id is None:
        raise InvitationError(
            Sentence(
                "Too many invitations were sent today, by your account or to this address. Please try again tomorrow."
            ),
            code="too_many_mails",
            status=429,
        )
    await update_invitation_mail(transaction, invitation_id, mail_id)


async def _why_not_invited(transaction: Transaction, customer_id: UUID, email: str) -> InvitationError:
    """Nothing is told but what the people of the account see anyway."""
    if any(each.email == email for each in await select_members(transaction, customer_id)):
        return InvitationError(Sentence("Somebody with this address belongs to the account already."))
    return InvitationError(
        Sentence("This address is invited already. Send that invitation again, or withdraw it first.")
    )


def _event(
    event: str, actor: Actor, customer_id: UUID, invitation_id: UUID, *, role: MemberRole | None = None
) -> AuditEvent:
    """The event names the address by the invitation's id alone, since the trail is never erased."""
    detail: dict[str, str | int | None] = {"invitation": str(invitation_id)}
    if role:
        detail |= {"before": None, "after": role}
    return AuditEvent(event, actor, customer_id=customer_id, detail=detail)
