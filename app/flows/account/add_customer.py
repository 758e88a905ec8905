"""Add a customer account with the first person who signs in to it."""

from email_validator import EmailNotValidError, validate_email

from app.context import Context
from app.flows.account.sign_in import normal_email
from app.flows.bounds import LONGEST_EMAIL, LONGEST_PERSON
from app.oauth.actor import Actor
from app.oauth.token_string import new_id
from app.process.blocklist import is_easily_guessed
from app.process.passwords import LONGEST_PASSWORD
from app.refused import RefusedError, ToldError
from app.sentence import Sentence, quoted
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.customers import insert_customer
from app.storage.people.members import Member, insert_member
from app.storage.people.people import insert_person

SHORTEST_PASSWORD = 10


class CustomerError(RefusedError):
    """The account cannot be added or changed like this, or there is none."""

    code = "customer_conflict"
    status = 409


class PersonError(ToldError):
    """The e-mail address, name or password of a person is not accepted."""

    code = "invalid_person"


async def add_customer(context: Context, actor: Actor, *, email: str, name: str, password: str) -> Member:
    """Raises CustomerError when the address is taken, and PersonError when a value is not accepted."""
    member = Member(new_id(), check_email(email), check_person(name), new_id(), check_person(name), "owner")
    check_password(password, (member.email, member.name))
    await store_account(context, actor, member, await context.passwords.hash(password))
    return member


async def store_account(context: Context, actor: Actor, member: Member, password_hash: str) -> None:
    """Store the account of a checked member. Raises CustomerError when the address is taken."""
    async with context.database.transaction() as transaction:
        if not await insert_person(transaction, member, password_hash):
            raise CustomerError(f"somebody signs in with {member.email} already")
        await insert_customer(transaction, member.customer_id, member.customer_name)
        await insert_member(transaction, member.id, member.customer_id, member.role)
        await insert_audit_event(
            transaction, AuditEvent("customer.added", actor, customer_id=member.customer_id)
        )


def check_email(email: str) -> str:
    """The address in its normal form. Raises PersonError when it is none."""
    typed = email.strip()
    check_email_length(typed)
    try:
        checked = validate_email(typed, check_deliverability=False, test_environment=True)
    except EmailNotValidError as refused:
        fault = quoted(str(refused), "this is no e-mail address; write it as name@example.com")
        raise PersonError(Sentence("e-mail address: %(fault)s", fault=fault)) from None
    return normal_email(checked.normalized)


def check_email_length(email: str) -> None:
    """Raises PersonError when it is longer than any address."""
    if len(email) > LONGEST_EMAIL:
        raise PersonError(Sentence("e-mail address: at most %(most)s characters", most=str(LONGEST_EMAIL)))


def check_person(name: str) -> str:
    """The name without space around it. Raises PersonError when it is empty, too long or not printable."""
    name = name.strip()
    if not name or len(name) > LONGEST_PERSON or not name.isprintable():
        raise PersonError(Sentence("name: 1 to %(most)s printable characters", most=str(LONGEST_PERSON)))
    return name


def check_password(password: str, own: tuple[str, ...] = ()) -> None:
    """Judge a password that is to be set. own: e-mail address and names of the person and the account.

    Raises PersonError when it is too short, too long or too easy to guess.
    """
    fault = password_fault(password, own)
    if fault:
        raise PersonError(Sentence("password: %(fault)s", fault=fault))


def password_fault(password: str, own: tuple[str, ...]) -> Sentence | None:
    """What is wrong with a new password. No kinds of characters are asked for (NIST SP 800-63B section 3.1.1)."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        return Sentence(
            "%(least)s to %(most)s characters", least=str(SHORTEST_PASSWORD), most=str(LONGEST_PASSWORD)
        )
    if is_easily_guessed(password, own):
        return Sentence("too easy to guess; use several words that do not belong together")
    return None
