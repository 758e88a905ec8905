"""Add a customer account with the first person who signs in to it."""

from email_validator import EmailNotValidError, validate_email

from app.context import Context
from app.flows.sign_in import normal_email
from app.oauth.token_string import new_id
from app.storage.audit import AuditEvent, insert_audit_event
from app.storage.people import Member, insert_customer, insert_member

SHORTEST_PASSWORD = 10
_LONGEST_PASSWORD = 1000
_LONGEST_NAME = 120


class CustomerError(Exception):
    """What about the new account is refused, and why."""


async def add_customer(context: Context, *, email: str, name: str, password: str) -> Member:
    member = Member(new_id(), check_email(email), check_person(name), new_id(), check_person(name))
    check_password(password)
    password_hash = await context.passwords.hash(password)
    async with context.database.transaction() as transaction:
        await insert_customer(transaction, member.customer_id, member.customer_name)
        if not await insert_member(transaction, member, password_hash):
            raise CustomerError(f"somebody signs in with {member.email} already")
        await insert_audit_event(
            transaction, AuditEvent("customer.added", "command line", customer_id=member.customer_id)
        )
    return member


def check_email(email: str) -> str:
    try:
        checked = validate_email(email.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as refused:
        raise CustomerError(f"e-mail address: {refused}") from None
    return normal_email(checked.normalized)


def check_person(name: str) -> str:
    name = name.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise CustomerError(f"name: 1 to {_LONGEST_NAME} printable characters")
    return name


def check_password(password: str) -> None:
    """Long enough and not absurd; no rules on kinds of characters (NIST SP 800-63B section 3.1.1)."""
    if not SHORTEST_PASSWORD <= len(password) <= _LONGEST_PASSWORD:
        raise CustomerError(f"password: {SHORTEST_PASSWORD} to {_LONGEST_PASSWORD} characters")
