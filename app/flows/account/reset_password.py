"""A forgotten password: a link goes to the person's address, and whoever has it sets a new password, once."""

from app.context import Context
from app.flows.account.add_customer import check_email, check_password
from app.flows.account.change_customer import give_new_password
from app.flows.account.check_guess import Visitor
from app.flows.mail.links import check_link, use_link
from app.flows.mail.queue_mail import queue_mail
from app.oauth.actor import Actor
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.people import Person, mark_email_confirmed, select_person_by_id
from app.throttling.mails import caused_from


async def ask_new_password(context: Context, email: str, visitor: Visitor) -> bool:
    """Queue the mail with the link; False when a limit is used up.

    Nothing is looked up: it costs the same whether or not somebody signs in with the address (R-54). That is found
    out when the mail is sent, and a mail to nobody is dropped then.
    Raises PersonError when it is no address.
    """
    to = check_email(email)
    async with context.database.transaction() as transaction:
        mail_id = await queue_mail(
            context,
            transaction,
            "password_forgotten",
            to=to,
            about={},
            language=visitor.language,
            cause=caused_from(visitor.network),
        )
        if mail_id is None:
            return False
        detail: dict[str, str | int | None] = {"address": visitor.address, "mail": str(mail_id)}
        event = AuditEvent("person.password_forgotten", Actor("customer"), detail=detail)
        await insert_audit_event(transaction, event)
    return True


async def find_person_of_link(context: Context, link: str) -> Person:
    """The person who may set a new password with it. Raises LinkError when the link opens nothing."""
    person_id = await check_link(context, link, "new password")
    return await select_person_by_id(context.database, person_id)


async def set_new_password(
    context: Context, link: str, password: str, *, language: str | None = None, cut_applications: bool
) -> None:
    """Use the link: set the password, end the person's sessions, and tell them by mail.

    cut_applications: whether somebody else may have known the old one, and approved some.
    Raises LinkError when the link opens nothing, and PersonError when the password is not accepted.
    """
    person = await find_person_of_link(context, link)  # before anything is hashed
    check_password(password, person.own_words)
    password_hash = await context.passwords.hash(password)
    async with context.database.transaction() as transaction:
        await use_link(transaction, link, "new password")
        await mark_email_confirmed(transaction, person.id)
        await give_new_password(
            context,
            person.actor,
            transaction,
            person,
            password_hash,
            language=language,
            cut_applications=cut_applications,
        )
    if person.customer_id:
        context.changes.note(person.customer_id)
