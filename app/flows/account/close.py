"""Leave for good: a person is erased, or an owner closes the whole account."""

from datetime import timedelta
from uuid import UUID

from app.context import Context
from app.flows.account.add_customer import CustomerError
from app.flows.account.check_guess import Visitor
from app.flows.account.prove import IdentityProof, prove
from app.flows.mail.queue_mail import queue_mail
from app.flows.mail.tell_of_customers import tell_of_disconnected
from app.oauth.actor import Actor
from app.process.passwords import NOBODY
from app.sentence import Sentence
from app.storage.people.application_owners import count_solely_owned
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.customers import lock_customer
from app.storage.people.erasure import (
    call_erase_person,
    count_other_owners,
    mark_customer_closed,
)
from app.storage.people.members import Member
from app.storage.people.people import Person, select_person_by_id
from app.storage.postgres.database import Transaction
from app.storage.token.connections import cut_standing_connections_of

KEPT = timedelta(days=30)  # a closed account, which can be opened again until then


class LastOwnerError(CustomerError):
    """Without this person nobody could decide about the account."""

    code = "last_owner"


async def read_last_owner(context: Context, person: Person) -> bool:
    if person.customer_id is None or person.role != "owner":
        return False
    return not await count_other_owners(context.database, person.customer_id, person.id)


async def leave(context: Context, person: Person, visitor: Visitor, proof: IdentityProof) -> None:
    """A person proves who they are, and is erased.

    Raises FieldError when a value is wrong, TooManyGuessesError when a limit is used up, and CustomerError as
    `erase_person` does.
    """
    await prove(context, person, visitor, proof)
    await erase_person(context, person.actor, person)


async def erase_person(context: Context, actor: Actor, person: Person) -> None:
    """Take everything from a person but the id, by which the audit trail and connections go on naming somebody.

    Raises LastOwnerError when the account would have no owner, and CustomerError when the person is an operator.
    """
    if person.operator_role is not None:
        raise CustomerError(
            Sentence("%(email)s is an operator: end that first", email=person.email), code="is_operator"
        )
    async with context.database.transaction() as transaction:
        if await count_solely_owned(transaction, person.id):
            raise LastOwnerError(
                Sentence(
                    "%(email)s is the only owner of applications: invite somebody else to them, or delete them",
                    email=person.email,
                )
            )
        if person.customer_id is not None:
            await lock_customer(transaction, person.customer_id)
            await _require_other_owner(transaction, await select_person_by_id(transaction, person.id))
        # The event comes first, since a mail can only be told to an address that is still there.
        await _note(transaction, "person.erased", actor, person)
        await call_erase_person(transaction, person.id, NOBODY)


async def _require_other_owner(transaction: Transaction, person: Person) -> None:
    """Judge by the role under the lock: the person may have become owner a moment ago."""
    if person.customer_id is None or person.role != "owner":
        return
    if not await count_other_owners(transaction, person.customer_id, person.id):
        raise LastOwnerError(
            Sentence(
                "%(email)s is the only owner of %(account)s: make somebody else an owner, or close the account",
                email=person.email,
                account=person.customer_name or "",
            )
        )


async def close(context: Context, member: Member, visitor: Visitor, proof: IdentityProof) -> None:
    """An owner proves who they are, and closes the account.

    Raises FieldError when a value is wrong, TooManyGuessesError when a limit is used up, and CustomerError as
    `close_customer` does.
    """
    if member.role != "owner":
        raise CustomerError(Sentence("only an owner closes the account"), code="not_owner", status=403)
    await prove(context, member, visitor, proof)
    await close_customer(context, member.actor, member, language=visitor.language)


async def close_customer(
    context: Context, actor: Actor, member: Member, *, language: str | None = None
) -> None:
    """Disconnect every application, let nobody sign in, and erase what the account holds after 30 days.

    Raises CustomerError when it is closed already.
    """
    async with context.database.transaction() as transaction:
        if not await mark_customer_closed(transaction, member.customer_id):
            raise CustomerError(Sentence("%(account)s is closed already", account=member.customer_name))
        ended = await cut_standing_connections_of(transaction, member.customer_id)
        event_id = await _note(transaction, "customer.closed", actor, member)
        await tell_of_disconnected(context, transaction, member.customer_id, ended, event_id)
        await queue_mail(
            context,
            transaction,
            "account_closed",
            to=member.email,
            about={"person": member.id},
            language=language,
        )
    context.changes.note(member.customer_id)


async def _note(transaction: Transaction, event: str, actor: Actor, person: Person) -> UUID:
    detail: dict[str, str | int | None] = {"person": str(person.id)}
    return await insert_audit_event(
        transaction, AuditEvent(event, actor, customer_id=person.customer_id, detail=detail)
    )
