"""Sign up as an owner of applications: an address first, and all else behind the link that is mailed there."""

from app.context import Context
from app.flows.account.accept_invitation import sign_in_new
from app.flows.account.add_customer import check_email, check_password, check_person
from app.flows.account.check_guess import Visitor
from app.flows.account.sign_in import SignedIn
from app.flows.bounds import LONGEST_PERSON
from app.flows.developer.own_people import join_owners
from app.flows.mail.links import SIGN_UP_LIFE, check_sign_up_link
from app.flows.mail.queue_mail import queue_mail
from app.oauth.actor import Actor
from app.oauth.token_string import new_id
from app.refused import ToldError
from app.sentence import Sentence
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.people import Person, insert_person, mark_email_confirmed
from app.storage.people.sign_ups import insert_sign_up, mark_sign_up_used
from app.throttling.mails import caused_from


class SignUpError(ToldError):
    """Somebody signs in with the address already."""

    code = "signs_in_already"
    status = 409
    title = Sentence("You have an account already")


async def ask_sign_up(context: Context, email: str, visitor: Visitor) -> bool:
    """Queue the mail with the link; False when a limit is used up.

    Nobody is looked up: it costs the same whether or not somebody signs in with the address (R-54). The mail says it,
    to the owner of the address alone.
    Raises PersonError when it is no address.
    """
    to, sign_up_id = check_email(email), new_id()
    async with context.database.transaction() as transaction:
        mail_id = await queue_mail(
            context,
            transaction,
            "sign_up",
            to=to,
            about={"sign_up": sign_up_id},
            language=visitor.language,
            cause=caused_from(visitor.network),
        )
        if mail_id is None:
            return False
        await insert_sign_up(transaction, sign_up_id, to, SIGN_UP_LIFE)
    return True


async def finish_sign_up(
    context: Context, link: str, visitor: Visitor, *, name: str, password: str
) -> SignedIn:
    """Make the person, let them own what they were invited to, and sign them in.

    name: empty for what stands before the @ of the address.

    Raises LinkError when the link opens nothing, PersonError when a value is not accepted, and SignUpError when somebody
    signs in with the address already.
    """
    sign_up = await check_sign_up_link(context.database, link)  # before anything is hashed
    called = name.strip() or sign_up.email.partition("@")[0][:LONGEST_PERSON]
    person = Person(new_id(), sign_up.email, check_person(called))
    check_password(password, person.own_words)
    password_hash = await context.passwords.hash(password)
    async with context.database.transaction() as transaction:
        if not await insert_person(transaction, person, password_hash):
            raise SignUpError(Sentence("Somebody signs in with this address already. Please sign in."))
        if not await mark_sign_up_used(transaction, sign_up.id):
            await check_sign_up_link(transaction, link)
        await mark_email_confirmed(transaction, person.id)
        await join_owners(transaction, person, sign_up)
        event = AuditEvent(
            "person.signed_up", Actor("application owner", person.id), detail={"person": str(person.id)}
        )
        await insert_audit_event(transaction, event)
        return await sign_in_new(context, transaction, person, visitor)
