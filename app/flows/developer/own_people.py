"""The owners of an application: invited by mail, joined by a link, and gone again."""

from dataclasses import dataclass
from uuid import UUID

from app.context import Context
from app.flows.account.add_customer import check_email
from app.flows.account.rights import OwnerError, require_ownership
from app.flows.mail.links import INVITATION_LIFE, check_sign_up_link
from app.flows.mail.queue_mail import queue_mail
from app.oauth.actor import Actor
from app.oauth.token_string import new_id
from app.sentence import Sentence
from app.storage.people.application_owners import (
    ApplicationOwner,
    delete_application_owner,
    insert_application_owner,
    lock_application,
    select_application_owners,
    select_test_customer,
)
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.people import Person, mark_email_confirmed
from app.storage.people.sign_ups import (
    NewOwnerInvitation,
    SignUp,
    mark_owner_invitation_withdrawn,
    mark_sign_up_used,
    select_owner_invitations,
    upsert_owner_invitation,
)
from app.storage.postgres.database import Transaction
from app.storage.token.connections import cut_connection
from app.throttling.mails import caused_by


@dataclass(frozen=True, slots=True)
class OwnPeople:
    """invitations: those that wait for an answer."""

    owners: tuple[ApplicationOwner, ...]
    invitations: tuple[SignUp, ...]


async def list_owners(context: Context, application_id: UUID) -> OwnPeople:
    return OwnPeople(
        await select_application_owners(context.database, application_id),
        await select_owner_invitations(context.database, application_id),
    )


async def invite_owner(
    context: Context, actor: Actor, person: Person, application_id: UUID, email: str, *, language: str | None
) -> None:
    """Invite an address by mail, whether or not somebody signs in with it.

    Raises PersonError when it is no address, and OwnerError when it is invited or an owner's already, when the person
    is no owner any more, or when they caused too many mails today.
    """
    to = check_email(email)
    new = NewOwnerInvitation(new_id(), to, application_id, person.id)
    async with context.database.transaction() as transaction:
        await require_ownership(transaction, actor, application_id)
        invitation_id = await upsert_owner_invitation(transaction, new, INVITATION_LIFE)
        if invitation_id is None:
            raise OwnerError(
                Sentence("This address is invited already, or owns the application."),
                code="invited_already",
                status=409,
            )
        mail_id = await queue_mail(
            context,
            transaction,
            "owner_invitation",
            to=to,
            about={"sign_up": invitation_id},
            language=language,
            cause=caused_by(person.id),
        )
        if mail_id is None:
            raise OwnerError(
                Sentence("You caused too many mails today. Try again tomorrow."),
                code="too_many_mails",
                status=429,
            )
        await _note(transaction, "application.owner_invited", actor, application_id, invitation=invitation_id)


async def withdraw_owner_invitation(
    context: Context, actor: Actor, application_id: UUID, invitation_id: UUID
) -> None:
    """Raises OwnerError when it was accepted or withdrawn before."""
    async with context.database.transaction() as transaction:
        await require_ownership(transaction, actor, application_id)
        if not await mark_owner_invitation_withdrawn(transaction, invitation_id, application_id):
            raise OwnerError(
                Sentence("This invitation was accepted or withdrawn meanwhile."),
                code="changed_meanwhile",
                status=409,
            )
        await _note(
            transaction,
            "application.owner_invitation_withdrawn",
            actor,
            application_id,
            invitation=invitation_id,
        )


async def accept_as_owner(context: Context, person: Person, link: str) -> UUID:
    """Let the person who signs in with the invited address own the application; its id.

    Raises LinkError when the link opens nothing, and OwnerError when it went to somebody else.
    """
    sign_up = await check_sign_up_link(context.database, link)
    if sign_up.application_id is None or person.email != sign_up.email:
        raise OwnerError(Sentence("This invitation went to another address."), code="wrong_person")
    async with context.database.transaction() as transaction:
        if not await mark_sign_up_used(transaction, sign_up.id):
            await check_sign_up_link(transaction, link)
        await mark_email_confirmed(transaction, person.id)
        await join_owners(transaction, person, sign_up)
    return sign_up.application_id


async def join_owners(transaction: Transaction, person: Person, sign_up: SignUp) -> None:
    """Own the application that an accepted sign-up is about, if it is about any."""
    if sign_up.application_id is None:
        return
    await insert_application_owner(transaction, sign_up.application_id, person.id)
    await _note(
        transaction,
        "application.owner_joined",
        Actor("application owner", person.id),
        sign_up.application_id,
        person=person.id,
    )


async def remove_owner(context: Context, actor: Actor, application_id: UUID, person_id: UUID) -> None:
    """End somebody's ownership, also one's own. Their test customer is disconnected.

    Raises OwnerError when they are no owner or the last one, and when the actor is no owner any more.
    """
    async with context.database.transaction() as transaction:
        await lock_application(transaction, application_id)
        await require_ownership(transaction, actor, application_id)
        if not await delete_application_owner(transaction, application_id, person_id):
            raise OwnerError(
                Sentence("An application keeps an owner. Invite somebody first, or delete it."),
                code="last_owner",
                status=409,
            )
        tester = await select_test_customer(transaction, person_id)
        if tester is not None:
            await cut_connection(transaction, customer_id=tester.customer_id, application_id=application_id)
        await _note(transaction, "application.owner_removed", actor, application_id, person=person_id)
    if tester is not None:
        context.changes.note((tester.customer_id, application_id))


async def _note(
    transaction: Transaction, event: str, actor: Actor, application_id: UUID, **about: UUID
) -> None:
    """The event names addresses by ids alone, since the trail is never erased."""
    detail: dict[str, str | int | None] = {name: str(value) for name, value in about.items()}
    await insert_audit_event(
        transaction, AuditEvent(event, actor, application_id=application_id, detail=detail)
    )
