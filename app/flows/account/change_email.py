"""A person changes the e-mail address: both addresses confirm it, and the old one can stop it for a week."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal
from uuid import UUID

from app.context import Context
from app.flows.account.add_customer import CustomerError, PersonError, check_email
from app.flows.account.change_customer import find_person
from app.flows.account.check_guess import Visitor
from app.flows.account.prove import FieldError, IdentityProof, prove
from app.flows.account.use_passkey import drop_passkeys, tell_of_dropped
from app.flows.mail.links import LONGEST_SECRET, LinkError, digest_of, end_links
from app.flows.mail.queue_mail import queue_mail
from app.oauth.actor import Actor
from app.oauth.token_string import new_id
from app.refused import RefusedError
from app.sentence import Sentence
from app.storage.errors import StatementRefusedError
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.email_changes import (
    EmailChange,
    Side,
    end_email_changes_since,
    end_pending_email_change,
    insert_email_change,
    mark_email_changed,
    mark_side_confirmed,
    select_email_change_of_link,
    update_email,
)
from app.storage.people.known_browsers import delete_known_browsers_of
from app.storage.people.people import Person, lock_person, select_person_by_id
from app.storage.people.sessions import delete_sessions_of
from app.storage.postgres.database import Statements, Transaction
from app.throttling.mails import caused_by

LIFE = timedelta(days=7)

Outcome = Literal["waits for the other", "changed", "stopped", "taken back"]


@dataclass(frozen=True, slots=True)
class OpenedLink:
    """Where a mailed link leads. side: which of the two addresses it was mailed to."""

    side: Side
    change: EmailChange


async def ask_new_email(
    context: Context, person: Person, visitor: Visitor, proof: IdentityProof, *, email: str
) -> None:
    """Queue a mail to each of the two addresses. A change that was pending ends.

    Nothing is looked up, so the answer never tells whether somebody signs in with the address (R-54).
    Raises FieldError when a value is not accepted, and TooManyGuessesError when a limit is used up.
    """
    to = _checked(email, person)
    await prove(context, person, visitor, proof)
    change_id = new_id()
    async with context.database.transaction() as transaction:
        await lock_person(transaction, person.id)
        await end_pending_email_change(transaction, person.id)
        await insert_email_change(transaction, change_id, person.id, to, LIFE)
        await _queue_both(context, transaction, person, to, {"change": change_id}, language=visitor.language)
        await insert_audit_event(
            transaction, _event("person.email_change_asked", person.actor, person, change_id)
        )


async def withdraw_new_email(context: Context, actor: Actor, person: Person) -> bool:
    """End the change that is pending. False when none is."""
    async with context.database.transaction() as transaction:
        ended = await end_pending_email_change(transaction, person.id)
        if ended:
            await insert_audit_event(
                transaction, _event("person.email_change_withdrawn", actor, person, None)
            )
    return ended


async def open_email_link(context: Context, secret: str) -> OpenedLink:
    """Where a link leads. Nothing changes, so that scanners of mail may follow it.

    Raises LinkError when it opens nothing.
    """
    return await _open(context.database, secret)


async def confirm_new_email(context: Context, secret: str, language: str | None = None) -> Outcome:
    """One of the two addresses confirms. The second to do so makes the change.

    Raises LinkError when the link opens nothing any more, or somebody signs in with the address by now.
    """
    with _racing(_taken()):
        async with context.database.transaction() as transaction:
            opened = await _open(transaction, secret, lock=True)
            return await _confirm(context, transaction, opened, language)


async def stop_new_email(context: Context, secret: str) -> Outcome:
    """The old address says no: the change ends, or is taken back, and everybody is signed out.

    Raises LinkError when the link opens nothing any more, or somebody signs in with the address by now.
    """
    with _racing(_taken()):
        async with context.database.transaction() as transaction:
            return await _stop(context, transaction, await _open(transaction, secret, lock=True))


async def _stop(context: Context, transaction: Transaction, opened: OpenedLink) -> Outcome:
    change = opened.change
    if opened.side != "old":
        raise LinkError(Sentence("It is not complete. Copy it from the mail as a whole."))
    person = await select_person_by_id(transaction, change.person_id)
    await end_email_changes_since(transaction, person.id, change.id)
    if change.changed and not await update_email(transaction, person.id, change.old_email):
        raise _taken()
    # Whoever asked for it knew the password, and perhaps was not the person.
    passkeys = 0 if person.operator_role else await drop_passkeys(transaction, person)
    await delete_sessions_of(transaction, person.id)
    await delete_known_browsers_of(transaction, person.id)
    await end_links(transaction, person.id, "new password")
    event = "person.email_change_taken_back" if change.changed else "person.email_change_stopped"
    written = await insert_audit_event(transaction, _event(event, person.actor, person, change.id))
    await tell_of_dropped(context, transaction, replace(person, email=change.old_email), passkeys, written)
    return "taken back" if change.changed else "stopped"


async def set_email(context: Context, actor: Actor, email: str, new_email: str) -> Person:
    """Change the address of somebody who has lost the mailbox, and end their sessions.

    Raises CustomerError when nobody signs in with the first address, or somebody does with the second, and PersonError
    when a value is no address.
    """
    to = check_email(new_email)
    person = await find_person(context, email)
    taken = CustomerError(f"somebody signs in with {to} already")
    with _racing(taken):
        async with context.database.transaction() as transaction:
            await lock_person(transaction, person.id)
            await end_pending_email_change(transaction, person.id)
            if not await update_email(transaction, person.id, to):
                raise taken
            await delete_sessions_of(transaction, person.id)
            await end_links(transaction, person.id, "new password")
            await insert_audit_event(transaction, _event("person.email_set", actor, person, None))
            for each in (person.email, to):
                await queue_mail(context, transaction, "email_set", to=each, about={"person": person.id})
    return replace(person, email=to)


def _checked(email: str, person: Person) -> str:
    try:
        to = check_email(email)
    except PersonError as refused:
        raise FieldError("email", refused.what) from None
    if to == person.email:
        raise FieldError("email", Sentence("This is your present address. Type the new one."))
    return to


async def _queue_both(
    context: Context,
    transaction: Transaction,
    person: Person,
    to: str,
    about: dict[str, UUID],
    *,
    language: str | None,
) -> None:
    """Without the mail to the old address nobody there would hear of it, so then neither is sent."""
    first = await queue_mail(
        context, transaction, "email_new", to=to, about=about, language=language, cause=caused_by(person.id)
    )
    second = await queue_mail(
        context, transaction, "email_old", to=person.email, about=about, language=language
    )
    if first is None or second is None:
        raise FieldError("email", Sentence("There were too many changes today. Try again tomorrow."))


async def _open(statements: Statements, secret: str, *, lock: bool = False) -> OpenedLink:
    found = None
    if len(secret) <= LONGEST_SECRET:
        found = await select_email_change_of_link(statements, digest_of(secret), lock=lock)
    if found is None:
        raise _unknown()
    side, change = found
    if change.ended:
        raise LinkError(
            Sentence(
                "The change was withdrawn, replaced by another, or stopped. Your page “Profile” shows how it stands."
            ),
            code="email_change_ended",
            status=410,
            title=Sentence("This change has ended"),
        )
    if change.late:
        raise LinkError(
            Sentence(
                "A change of address can be confirmed and stopped for 7 days. Ask for it again on your page “Profile”."
            ),
            code="link_late",
            status=410,
            title=Sentence("This link came too late"),
        )
    if change.changed and side == "new":
        raise LinkError(
            Sentence("%(email)s is the address that you sign in with.", email=change.new_email),
            code="link_used",
            status=410,
            title=Sentence("Your address was changed already"),
        )
    return OpenedLink(side, change)


def _unknown() -> LinkError:
    return LinkError(
        Sentence("It is not complete, or it is older than a month. Copy it from the mail as a whole.")
    )


async def _confirm(
    context: Context, transaction: Transaction, opened: OpenedLink, language: str | None
) -> Outcome:
    change = opened.change
    await mark_side_confirmed(transaction, change.id, opened.side)
    other = change.new_confirmed if opened.side == "old" else change.old_confirmed
    if change.changed:
        return "changed"
    person = await select_person_by_id(transaction, change.person_id)
    if not other:
        event = _event("person.email_change_confirmed", person.actor, person, change.id, side=opened.side)
        await insert_audit_event(transaction, event)
        return "waits for the other"
    if not await update_email(transaction, person.id, change.new_email):
        raise _taken()
    await mark_email_changed(transaction, change.id)
    await end_links(transaction, person.id, "new password")  # they went to the old address
    await insert_audit_event(transaction, _event("person.email_changed", person.actor, person, change.id))
    about = {"change": change.id}
    await queue_mail(
        context, transaction, "email_changed", to=change.new_email, about=about, language=language
    )
    await queue_mail(
        context, transaction, "email_changed_from", to=change.old_email, about=about, language=language
    )
    return "changed"


@contextmanager
def _racing(taken: RefusedError) -> Iterator[None]:
    """Raises `taken` when another person came to have the address in the same moment."""
    try:
        yield
    except StatementRefusedError as refused:
        if not refused.key_is_taken:
            raise
        raise taken from None


def _taken() -> LinkError:
    return LinkError(
        Sentence("Somebody signs in with this address by now, so nothing was changed."),
        code="email_taken",
        status=409,
        title=Sentence("This address is taken"),
    )


def _event(
    event: str, actor: Actor, person: Person, change_id: UUID | None, **detail: str | int | None
) -> AuditEvent:
    """Addresses are no part of it: the trail names people by their ids."""
    about = {"person": str(person.id), "change": str(change_id) if change_id else None, **detail}
    return AuditEvent(event, actor, customer_id=person.customer_id, detail=about)
