"""Change a customer account: disable it, enable it again, give a person a new password."""

from app.context import Context
from app.flows.account.add_customer import CustomerError, check_email_length, check_password
from app.flows.account.sign_in import normal_email
from app.oauth.actor import Actor
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.known_browsers import delete_known_browsers_of
from app.storage.people.people import (
    Member,
    delete_sessions_of,
    mark_customer_disabled,
    mark_customer_enabled,
    select_member,
    update_password,
)
from app.storage.token.grants import upsert_revocations_of


async def find_member(context: Context, email: str) -> Member:
    """The person who signs in with this address.

    Raises CustomerError when nobody does, and PersonError when the address is too long.
    """
    check_email_length(email)
    member = await select_member(context.database, normal_email(email))
    if member is None:
        raise CustomerError(f"nobody signs in with {email}", code="unknown_customer", status=404)
    return member


async def disable_customer(context: Context, actor: Actor, email: str) -> Member:
    """Make its sessions and every token that acts for it inactive, until it is enabled again.

    Raises CustomerError when it is unknown or disabled already.
    """
    member = await find_member(context, email)
    async with context.database.transaction() as transaction:
        if not await mark_customer_disabled(transaction, member.customer_id):
            raise CustomerError(f"{member.customer_name} is disabled already")
        await insert_audit_event(transaction, _event("customer.disabled", actor, member))
    context.changes.note(member.customer_id)
    return member


async def enable_customer(context: Context, actor: Actor, email: str) -> Member:
    """Raises CustomerError when it is unknown or not disabled."""
    member = await find_member(context, email)
    async with context.database.transaction() as transaction:
        if not await mark_customer_enabled(transaction, member.customer_id):
            raise CustomerError(f"{member.customer_name} is not disabled")
        await insert_audit_event(transaction, _event("customer.enabled", actor, member))
    context.changes.note(member.customer_id)
    return member


async def set_password(
    context: Context, actor: Actor, email: str, password: str, *, cut_applications: bool
) -> tuple[Member, int]:
    """Set a person's password and end their sessions; return the person and how many ended.

    cut_applications: whoever knew the old password may have approved some, even one whose code still waits.
    Raises CustomerError when nobody signs in with the address, and PersonError when a value is not accepted.
    """
    member = await find_member(context, email)
    check_password(password)
    password_hash = await context.passwords.hash(password)
    async with context.database.transaction() as transaction:
        await update_password(transaction, member.id, password_hash)
        ended = await delete_sessions_of(transaction, member.id)
        await delete_known_browsers_of(transaction, member.id)
        if cut_applications:
            await upsert_revocations_of(transaction, member.customer_id)
        cut = "all" if cut_applications else "none"
        await insert_audit_event(
            transaction, _event("customer.password_set", actor, member, applications_cut=cut)
        )
    context.changes.note(member.customer_id)
    return member, ended


def _event(event: str, actor: Actor, member: Member, **detail: str | int | None) -> AuditEvent:
    about = {"member": str(member.id), **detail}
    return AuditEvent(event, actor, customer_id=member.customer_id, detail=about)
