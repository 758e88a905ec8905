"""Change a customer account: disable it, enable it again, rename it, give a person a new password."""

from uuid import UUID

from app.context import Context
from app.flows.account.add_customer import (
    CustomerError,
    check_email_length,
    check_password,
    check_person,
)
from app.flows.account.rights import has_right, require_right
from app.flows.account.sign_in import normal_email
from app.flows.account.use_passkey import drop_passkeys, tell_of_dropped
from app.flows.mail.links import end_links
from app.flows.mail.queue_mail import queue_mail
from app.flows.mail.tell_of_customers import tell_of_disconnected
from app.oauth.actor import Actor
from app.refused import ToldError
from app.sentence import Sentence
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.customers import (
    mark_customer_disabled,
    mark_customer_enabled,
    select_customer_name,
    update_customer_name,
)
from app.storage.people.known_browsers import delete_known_browsers_of
from app.storage.people.members import Member, member_of
from app.storage.people.people import Person, select_person, update_password
from app.storage.people.sessions import delete_sessions_of
from app.storage.postgres.database import Transaction
from app.storage.token.connections import cut_standing_connections_of


class RenamedError(ToldError):
    """An account has another name than the caller saw."""

    code = "changed_meanwhile"
    status = 409


async def find_person(context: Context, email: str) -> Person:
    """The person who signs in with this address.

    Raises CustomerError when nobody does, and PersonError when the address is too long.
    """
    check_email_length(email)
    person = await select_person(context.database, normal_email(email))
    if person is None:
        raise CustomerError(
            Sentence("nobody signs in with %(email)s", email=email), code="unknown_customer", status=404
        )
    return person


async def find_member(context: Context, email: str) -> Member:
    """The member of a customer account who signs in with this address, even of a disabled one.

    Raises CustomerError when there is none, and PersonError when the address is too long.
    """
    member = member_of(await find_person(context, email))
    if member is None:
        raise CustomerError(f"{email} belongs to no customer account", code="unknown_customer", status=404)
    return member


async def find_account(context: Context, named: str) -> tuple[UUID, str]:
    """The id and name of an account. named: its id, or the address of somebody who signs in for it.

    Raises CustomerError when there is none, and PersonError when an address is too long.
    """
    try:
        customer_id = UUID(named.strip())
    except ValueError:
        member = await find_member(context, named)
        return member.customer_id, member.customer_name
    name = await select_customer_name(context.database, customer_id)
    if name is None:
        raise CustomerError(f"there is no customer {named}", code="unknown_customer", status=404)
    return customer_id, name


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
) -> tuple[Person, int]:
    """Set a person's password and end their sessions; return the person and how many ended.

    cut_applications: whoever knew the old password may have approved some, even one whose code still waits.
    Raises CustomerError when nobody signs in with the address, and PersonError when a value is not accepted.
    """
    person = await find_person(context, email)
    check_password(password, person.own_words)
    password_hash = await context.passwords.hash(password)
    async with context.database.transaction() as transaction:
        ended = await give_new_password(
            context, actor, transaction, person, password_hash, cut_applications=cut_applications
        )
    if person.customer_id:
        context.changes.note(person.customer_id)
    return person, ended


async def give_new_password(
    context: Context,
    actor: Actor,
    transaction: Transaction,
    person: Person,
    password_hash: str,
    *,
    language: str | None = None,
    cut_applications: bool,
) -> int:
    """Set a password, end what the old one opened, and tell the person by mail; how many sessions ended.

    cut_applications: somebody else may have known the old one, and approved applications or added passkeys. A person
    who may not disconnect applications does not cut them by this either.
    """
    await update_password(transaction, person.id, password_hash)
    # An operator's second factor goes on the host alone: whoever reads the mailbox must not be rid of it.
    drops = cut_applications and person.operator_role is None
    passkeys = await drop_passkeys(transaction, person) if drops else 0
    ended = await delete_sessions_of(transaction, person.id)
    await delete_known_browsers_of(transaction, person.id)
    await end_links(transaction, person.id, "new password")
    cuts = cut_applications and await _may_cut(transaction, actor, person)
    event = _event(
        "person.password_set",
        actor,
        person,
        applications_cut="all" if cuts else "none",
        passkeys_removed=passkeys,
    )
    written = await insert_audit_event(transaction, event)
    if cuts and person.customer_id:
        cut = await cut_standing_connections_of(transaction, person.customer_id)
        await tell_of_disconnected(context, transaction, person.customer_id, cut, written)
    await tell_of_dropped(context, transaction, person, passkeys, written)
    about = {"person": person.id}
    await queue_mail(
        context, transaction, "password_changed", to=person.email, about=about, language=language
    )
    return ended


async def _may_cut(transaction: Transaction, actor: Actor, person: Person) -> bool:
    """Anybody but the person is outside of the account. An operator who belongs to one is judged by the role there."""
    if person.customer_id is None:
        return False
    if actor.id != person.id:
        return True
    return await has_right(transaction, Actor("customer", person.id), person.customer_id, "connect")


async def rename_customer(
    context: Context, actor: Actor, customer_id: UUID, name: str, *, before: str
) -> str:
    """Give an account another name; the name as it is kept. before: the name that the caller saw.

    Raises PersonError when the name is not accepted, RenamedError when it changed meanwhile, and RoleError when the
    actor may not rename the account.
    """
    name = check_person(name)
    async with context.database.transaction() as transaction:
        await require_right(transaction, actor, customer_id, "manage")
        if not await update_customer_name(transaction, customer_id, before, name):
            raise RenamedError(Sentence("somebody else gave the account another name meanwhile"))
        if name != before:
            # Without the names: the trail is never erased, and an account may bear a person's.
            await insert_audit_event(
                transaction, AuditEvent("customer.renamed", actor, customer_id=customer_id)
            )
    context.changes.note(customer_id)
    return name


def _event(event: str, actor: Actor, person: Person, **detail: str | int | None) -> AuditEvent:
    about = {"person": str(person.id), **detail}
    return AuditEvent(event, actor, customer_id=person.customer_id, detail=about)
