"""Change the people of a customer account: another role, removed, gone by themselves, a new owner.

Each change is made under the lock of the account and tells by what it was judged. So of two that are made at once, the
later one sees the first.
"""

from typing import Literal
from uuid import UUID

from app.context import Context
from app.flows.account.check_guess import Visitor
from app.flows.account.prove import IdentityProof, prove
from app.flows.account.rights import require_right
from app.flows.mail.queue_mail import queue_mail
from app.oauth.actor import Actor
from app.oauth.member_role import MemberRole
from app.refused import ToldError
from app.sentence import Sentence
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.customers import lock_customer
from app.storage.people.members import (
    ListedMember,
    Member,
    delete_member,
    select_members,
    update_ownership,
    update_role,
)
from app.storage.people.people import Person, select_person_by_id
from app.storage.people.sessions import delete_sessions_of
from app.storage.postgres.database import Transaction

Notice = Literal["role_changed", "removed_from_account"]


class MemberError(ToldError):
    """The people of an account cannot be changed like this."""

    code = "member_conflict"
    status = 409
    title = Sentence("The people of the account stay as they are")


async def change_role(
    context: Context,
    actor: Actor,
    customer_id: UUID,
    person_id: UUID,
    role: MemberRole,
    *,
    before: MemberRole,
    language: str | None = None,
) -> None:
    """Give a member another role, and tell them by mail. before: the role that the caller saw.

    Raises MemberError when that changed meanwhile or the account would lose its last owner, and RoleError when the
    actor may not do it.
    """
    async with context.database.transaction() as transaction:
        await _begin(transaction, actor, customer_id)
        if not await update_role(transaction, person_id, customer_id, before, role):
            raise await _why_not(transaction, customer_id, person_id, before)
        if role != before:
            event = _event("member.role_changed", actor, customer_id, person_id, before=before, after=role)
            await insert_audit_event(transaction, event)
            person = await select_person_by_id(transaction, person_id)
            await _tell(context, transaction, "role_changed", person, customer_id, language=language)


async def remove_member(
    context: Context,
    actor: Actor,
    customer_id: UUID,
    person_id: UUID,
    *,
    before: MemberRole,
    language: str | None = None,
) -> int:
    """Take a member out of the account, end their sessions and tell them by mail; how many sessions ended.

    What they connected stays connected, since connections are the account's. before: the role that the caller saw.
    Raises MemberError when that changed meanwhile or the account would lose its last owner, and RoleError when the
    actor may not do it.
    """
    async with context.database.transaction() as transaction:
        await _begin(transaction, actor, customer_id)
        if not await delete_member(transaction, person_id, customer_id, before):
            raise await _why_not(transaction, customer_id, person_id, before)
        ended = await delete_sessions_of(transaction, person_id)
        event = _event("member.removed", actor, customer_id, person_id, before=before)
        await insert_audit_event(transaction, event)
        person = await select_person_by_id(transaction, person_id)
        await _tell(context, transaction, "removed_from_account", person, customer_id, language=language)
    return ended


async def leave_account(context: Context, actor: Actor, member: Member) -> None:
    """Leave the account oneself. The person stays, and may be invited again.

    Raises MemberError when the member is the last owner, or belongs to it no longer or in another role.
    """
    async with context.database.transaction() as transaction:
        await lock_customer(transaction, member.customer_id)
        if not await delete_member(transaction, member.id, member.customer_id, member.role):
            raise await _why_not(transaction, member.customer_id, member.id, member.role)
        event = _event("member.left", actor, member.customer_id, member.id, before=member.role)
        await insert_audit_event(transaction, event)


async def transfer_ownership(
    context: Context, actor: Actor, giver: Member, visitor: Visitor, proof: IdentityProof, *, to: UUID
) -> None:
    """Make another member owner and step down to connector in one act, and tell both by mail.

    Raises FieldError when the password or code is wrong, TooManyGuessesError when a limit is used up, MemberError
    when the other is no member or is an owner already, and RoleError when the giver is no owner.
    """
    await prove(context, giver, visitor, proof)
    async with context.database.transaction() as transaction:
        await _begin(transaction, actor, giver.customer_id)
        if not await update_ownership(transaction, giver.customer_id, giver=giver.id, taker=to):
            raise MemberError(
                Sentence("That person left the account meanwhile, or owns it already."),
                code="changed_meanwhile",
            )
        detail: dict[str, str | int | None] = {"person": str(to), "before": str(giver.id), "after": str(to)}
        event = AuditEvent(
            "customer.ownership_transferred", actor, customer_id=giver.customer_id, detail=detail
        )
        await insert_audit_event(transaction, event)
        for person in (giver, await select_person_by_id(transaction, to)):
            await _tell(
                context, transaction, "role_changed", person, giver.customer_id, language=visitor.language
            )


async def list_members(context: Context, customer_id: UUID) -> tuple[ListedMember, ...]:
    """Everybody of the account."""
    return await select_members(context.database, customer_id)


async def _begin(transaction: Transaction, actor: Actor, customer_id: UUID) -> None:
    await lock_customer(transaction, customer_id)
    await require_right(transaction, actor, customer_id, "manage")


async def _why_not(
    transaction: Transaction, customer_id: UUID, person_id: UUID, before: MemberRole
) -> MemberError:
    """Nothing else can have changed them since, because the account is locked."""
    members = {each.person_id: each for each in await select_members(transaction, customer_id)}
    found = members.get(person_id)
    if found is None:
        return MemberError(Sentence("That person left the account meanwhile."), code="changed_meanwhile")
    if found.role != before:
        return MemberError(
            Sentence(
                "Somebody else changed that person's role meanwhile. Nothing was changed now. Please look again."
            ),
            code="changed_meanwhile",
        )
    return MemberError(
        Sentence("An account keeps at least one owner. Make somebody else owner first."), code="last_owner"
    )


async def _tell(
    context: Context,
    transaction: Transaction,
    template: Notice,
    person: Person,
    customer_id: UUID,
    *,
    language: str | None,
) -> None:
    about = {"person": person.id, "customer": customer_id}
    await queue_mail(context, transaction, template, to=person.email, about=about, language=language)


def _event(  # each is its own column or part
    event: str,
    actor: Actor,
    customer_id: UUID,
    person_id: UUID,
    *,
    before: MemberRole,
    after: MemberRole | None = None,
) -> AuditEvent:
    detail: dict[str, str | int | None] = {"person": str(person_id), "before": before, "after": after}
    return AuditEvent(event, actor, customer_id=customer_id, detail=detail)
