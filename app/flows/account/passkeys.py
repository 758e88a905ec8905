"""The passkeys of a person: listed, added, renamed and removed."""

from app.context import Context
from app.flows.account.check_guess import Visitor, cookie_digest
from app.flows.account.passkey_answer import party_of
from app.flows.account.prove import FieldError, IdentityProof, prove
from app.flows.account.use_passkey import mark_of
from app.flows.mail.queue_mail import queue_mail
from app.oauth.actor import Actor
from app.oauth.passkey import AnswerError, read_creation
from app.sentence import Sentence
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.passkeys import (
    Passkey,
    delete_passkey,
    insert_passkey,
    select_passkeys_of,
    update_passkey_name,
)
from app.storage.people.people import Person, lock_person
from app.storage.people.sessions import delete_other_sessions

MOST_PASSKEYS = 10  # of one person
LONGEST_NAME = 60

_FULL = Sentence("You have %(most)s passkeys, which is the most. Remove one first.", most=str(MOST_PASSKEYS))
_LATE = Sentence("More than five minutes passed, so nothing was added. Type your password again.")
_NOT_MADE = Sentence("Your device's answer was not accepted. Try again; if it stays so, use another device.")


async def list_passkeys(context: Context, person: Person) -> tuple[Passkey, ...]:
    """The oldest first."""
    return await select_passkeys_of(context.database, person.id)


async def prove_for_new(
    context: Context,
    person: Person,
    visitor: Visitor,
    proof: IdentityProof,
) -> None:
    """Let a person go on to make a passkey; that is done within the life of a challenge.

    Raises FieldError when a value is wrong or they have the most, and TooManyGuessesError when a limit is used up.
    """
    party_of(context)
    await prove(context, person, visitor, proof)
    if len(await list_passkeys(context, person)) >= MOST_PASSKEYS:
        raise FieldError("password", _FULL)


async def add_passkey(
    context: Context,
    actor: Actor,
    person: Person,
    *,
    challenge: bytes | None,
    answer: str,
    name: str,
    language: str | None = None,
) -> None:
    """Keep a passkey that the browser just made, and tell the person by mail.

    challenge: that this person was asked with, after `prove_for_new`; None when it is too old.
    Raises FieldError when name or answer is not accepted, or comes too late.
    """
    if challenge is None:
        raise FieldError("password", _LATE)
    name, party = _check_name(name), party_of(context)
    try:
        made = read_creation(party, challenge, answer)
    except AnswerError as error:
        raise FieldError("answer", _NOT_MADE, detail=error.fault) from error
    new = Passkey(
        made.id,
        person.id,
        party.id,
        made.public_key,
        made.sign_count,
        made.transports,
        name,
        made.backed_up,
    )
    async with context.database.transaction() as transaction:
        await lock_person(transaction, person.id)
        if not await insert_passkey(transaction, new, most=MOST_PASSKEYS):
            raise FieldError(
                "answer",
                Sentence(
                    "This passkey is kept already, or there are %(most)s by now.", most=str(MOST_PASSKEYS)
                ),
            )
        event = await insert_audit_event(
            transaction, _event("person.passkey_added", actor, person, new.credential_id)
        )
        about = {"person": person.id, "event": event}
        await queue_mail(
            context, transaction, "passkey_added", to=person.email, about=about, language=language
        )


async def rename_passkey(
    context: Context, actor: Actor, person: Person, credential_id: bytes, name: str
) -> bool:
    """False when it was removed meanwhile. Raises FieldError when the name is not accepted."""
    name = _check_name(name)
    async with context.database.transaction() as transaction:
        if not await update_passkey_name(transaction, credential_id, person.id, name):
            return False
        await insert_audit_event(transaction, _event("person.passkey_renamed", actor, person, credential_id))
    return True


async def remove_passkey(
    context: Context,
    actor: Actor,
    person: Person,
    visitor: Visitor,
    proof: IdentityProof,
    *,
    credential_id: bytes,
    session: str,
) -> bool:
    """Remove a passkey, end the person's other sessions, and tell them by mail; False when it was removed meanwhile.

    session: the cookie of the one that stays.
    Raises FieldError when a value is wrong, and TooManyGuessesError when a limit is used up.
    """
    await prove(context, person, visitor, proof)
    async with context.database.transaction() as transaction:
        # First the passkey, which waits for a sign-in by it under way; then the sessions, that one's among them.
        if not await delete_passkey(transaction, credential_id, person.id):
            return False
        await delete_other_sessions(transaction, person.id, cookie_digest(session))
        event = await insert_audit_event(
            transaction, _event("person.passkey_removed", actor, person, credential_id)
        )
        about = {"person": person.id, "event": event}
        await queue_mail(
            context, transaction, "passkey_removed", to=person.email, about=about, language=visitor.language
        )
    return True


def _check_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise FieldError(
            "name",
            Sentence("A name has 1 to %(most)s characters that can be printed.", most=str(LONGEST_NAME)),
        )
    return name


def _event(event: str, actor: Actor, person: Person, credential_id: bytes) -> AuditEvent:
    about: dict[str, str | int | None] = {"person": str(person.id), "passkey": mark_of(credential_id)}
    return AuditEvent(event, actor, customer_id=person.customer_id, detail=about)
