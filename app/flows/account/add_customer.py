"""Add a customer account with the first person who signs in to it."""

from email_validator import EmailNotValidError, validate_email

from app.context import Context
from app.flows.account.sign_in import normal_email
from app.flows.bounds import LONGEST_EMAIL, LONGEST_PERSON
from app.oauth.actor import Actor
from app.oauth.token_string import new_id
from app.process.passwords import LONGEST_PASSWORD
from app.refused import RefusedError
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.people import Member, insert_customer, insert_member

SHORTEST_PASSWORD = 10


class CustomerError(RefusedError):
    """The account cannot be added or changed like this, or there is none."""

    code = "customer_conflict"
    status = 409


class PersonError(RefusedError):
    """The e-mail address, name or password of a person is not accepted."""

    code = "invalid_person"


async def add_customer(context: Context, actor: Actor, *, email: str, name: str, password: str) -> Member:
    """Raises CustomerError when the address is taken, and PersonError when a value is not accepted."""
    member = Member(new_id(), check_email(email), check_person(name), new_id(), check_person(name))
    check_password(password)
    password_hash = await context.passwords.hash(password)
    async with context.database.transaction() as transaction:
        await insert_customer(transaction, member.customer_id, member.customer_name)
        if not await insert_member(transaction, member, password_hash):
            raise CustomerError(f"somebody signs in with {member.email} already")
        await insert_audit_event(
            transaction, AuditEvent("customer.added", actor, customer_id=member.customer_id)
        )
    return member


def check_email(email: str) -> str:
    """The address in its normal form. Raises PersonError when it is none."""
    typed = email.strip()
    check_email_length(typed)
    try:
        checked = validate_email(typed, check_deliverability=False, test_environment=True)
    except EmailNotValidError as refused:
        raise PersonError(f"e-mail address: {refused}") from None
    return normal_email(checked.normalized)


def check_email_length(email: str) -> None:
    """Raises PersonError when it is longer than any address."""
    if len(email) > LONGEST_EMAIL:
        raise PersonError(f"e-mail address: at most {LONGEST_EMAIL} characters")


def check_person(name: str) -> str:
    """The name without space around it. Raises PersonError when it is empty, too long or not printable."""
    name = name.strip()
    if not name or len(name) > LONGEST_PERSON or not name.isprintable():
        raise PersonError(f"name: 1 to {LONGEST_PERSON} printable characters")
    return name


def check_password(password: str) -> None:
    """Judge the length alone, and no kinds of characters (NIST SP 800-63B section 3.1.1).

    Raises PersonError when it is too short or too long.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise PersonError(f"password: {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
