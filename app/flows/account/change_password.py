"""A person changes the password, and every session but this browser's ends."""

from app.context import Context
from app.flows.account.add_customer import password_fault
from app.flows.account.check_guess import Visitor
from app.flows.account.prove import WRONG_PASSWORD, FieldError, IdentityProof, prove
from app.flows.account.sign_in import begin_session
from app.flows.mail.links import end_links
from app.flows.mail.queue_mail import queue_mail
from app.sentence import Sentence
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.known_browsers import delete_other_known_browsers
from app.storage.people.people import Person, replace_password, select_sign_in_of
from app.storage.people.sessions import delete_sessions_of


async def change_password(
    context: Context,
    person: Person,
    visitor: Visitor,
    proof: IdentityProof,
    *,
    new_password: str,
) -> str:
    """Return the cookie of this browser's new session: a stolen copy of the one before opens nothing (R-55).

    Raises FieldError when a value is not accepted, and TooManyGuessesError when a limit is used up.
    """
    fault = password_fault(new_password, person.own_words)
    if fault:
        raise FieldError("new_password", Sentence("Not accepted: %(fault)s.", fault=fault))
    checked = await prove(context, person, visitor, proof)
    if new_password == proof.password:
        raise FieldError("new_password", Sentence("This is your present password. Choose another one."))
    hashed = await context.passwords.hash(new_password)
    async with context.database.transaction() as transaction:
        if not await replace_password(transaction, person.id, checked.password_hash, hashed):
            raise FieldError("password", WRONG_PASSWORD)  # another browser was faster
        ended = await delete_sessions_of(transaction, person.id)
        await delete_other_known_browsers(transaction, person.id, visitor.known_digest)
        now = await select_sign_in_of(transaction, person.id)
        proved = checked.second_factor or proof.passkey is not None
        cookie = await begin_session(context, transaction, now, visitor, proved=proved) if now else None
        if cookie is None:
            raise FieldError("password", WRONG_PASSWORD)
        event = AuditEvent(
            "person.password_changed",
            person.actor,
            customer_id=person.customer_id,
            detail={"person": str(person.id), "sessions_ended": ended - 1},
        )
        await insert_audit_event(transaction, event)
        await end_links(transaction, person.id, "new password")
        about = {"person": person.id}
        await queue_mail(
            context,
            transaction,
            "password_changed",
            to=person.email,
            about=about,
            language=visitor.language,
        )
    return cookie
