"""Accept an invitation to a customer account: as somebody new, or as the person who signs in with its address."""

from uuid import UUID

from app.context import Context
from app.flows.account.add_customer import check_password, check_person
from app.flows.account.check_guess import Visitor, cookie_digest, new_cookie
from app.flows.account.invite import InvitationError
from app.flows.account.sign_in import SignedIn, begin_session
from app.flows.mail.links import check_invitation_link
from app.flows.mail.queue_mail import queue_mail
from app.oauth.actor import Actor
from app.oauth.token_string import new_id
from app.sentence import Sentence
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.customers import lock_customer
from app.storage.people.invitations import Invitation, mark_invitation_accepted
from app.storage.people.known_browsers import upsert_known_browser
from app.storage.people.members import insert_member, select_members
from app.storage.people.people import (
    Person,
    insert_person,
    mark_email_confirmed,
    select_person,
    select_sign_in_of,
)
from app.storage.postgres.database import Transaction


async def find_invitation(context: Context, link: str) -> Invitation:
    """The invitation behind a link; nothing changes. Raises LinkError when it opens nothing."""
    return await check_invitation_link(context.database, link)


async def find_invited(context: Context, invitation: Invitation) -> Person | None:
    """The person who signs in with the invited address; None when nobody does yet."""
    return await select_person(context.database, invitation.email)


async def accept_as_new(
    context: Context, link: str, visitor: Visitor, *, name: str, password: str
) -> SignedIn:
    """Make the person, let them belong to the account, and sign them in.

    Raises LinkError when the link opens nothing, PersonError when a value is not accepted, and InvitationError when
    somebody signs in with the address already.
    """
    invitation = await find_invitation(context, link)  # before anything is hashed
    person = Person(new_id(), invitation.email, check_person(name))
    check_password(password, (*person.own_words, invitation.customer_name))
    password_hash = await context.passwords.hash(password)
    async with context.database.transaction() as transaction:
        if not await insert_person(transaction, person, password_hash):
            raise InvitationError(
                Sentence("Somebody signs in with this address already. Sign in, then accept.")
            )
        await _join(context, transaction, link, invitation, person, language=visitor.language)
        return await sign_in_new(context, transaction, person, visitor)


async def accept_as(
    context: Context, person: Person, link: str, *, language: str | None = None
) -> Invitation:
    """Let a person who signs in already belong to the account.

    Raises LinkError when the link opens nothing, and InvitationError when it went to somebody else, or the person
    belongs to an account already.
    """
    invitation = await find_invitation(context, link)
    if person.email != invitation.email:
        raise InvitationError(
            Sentence("This invitation went to another address."), code="wrong_person", status=403
        )
    async with context.database.transaction() as transaction:
        await _join(context, transaction, link, invitation, person, language=language)
    return invitation


async def _join(
    context: Context,
    transaction: Transaction,
    link: str,
    invitation: Invitation,
    person: Person,
    *,
    language: str | None,
) -> None:
    """Belong to the account, and tell its owners. Raises what the other answer left, when one was faster."""
    await lock_customer(transaction, invitation.customer_id)
    role = await mark_invitation_accepted(transaction, invitation.id)
    if role is None:  # another answer was faster, and this look says which
        await check_invitation_link(transaction, link)
        raise InvitationError(Sentence("It was answered at the same moment. Please open the link again."))
    if not await insert_member(transaction, person.id, invitation.customer_id, role):
        raise InvitationError(Sentence("You belong to a customer account already."), code="belongs_elsewhere")
    await mark_email_confirmed(transaction, person.id)
    event = AuditEvent(
        "member.joined",
        Actor("customer", person.id),
        customer_id=invitation.customer_id,
        detail={
            "person": str(person.id),
            "invitation": str(invitation.id),
            "before": None,
            "after": role,
        },
    )
    await insert_audit_event(transaction, event)
    await _tell_owners(context, transaction, invitation.customer_id, person, language=language)


async def _tell_owners(
    context: Context, transaction: Transaction, customer_id: UUID, joined: Person, *, language: str | None
) -> None:
    for each in await select_members(transaction, customer_id):
        if each.role == "owner" and each.person_id != joined.id:
            about = {"person": each.person_id, "member": joined.id, "customer": customer_id}
            await queue_mail(
                context, transaction, "invitation_accepted", to=each.email, about=about, language=language
            )


async def sign_in_new(
    context: Context, transaction: Transaction, person: Person, visitor: Visitor
) -> SignedIn:
    """The first session of a person who was made in this transaction. The browser is known from then on.

    Raises InvitationError when they were changed at the same moment.
    """
    made = await select_sign_in_of(transaction, person.id)
    session = await begin_session(context, transaction, made, visitor, proved=False) if made else None
    if session is None:
        raise InvitationError(Sentence("The account changed at the same moment. Please sign in."))
    known, life = new_cookie(), context.policy.known_browser_life
    await upsert_known_browser(transaction, cookie_digest(known), person.id, life=life, most=1)
    return SignedIn(session, known)
