"""Add a person of RoviTracker, and find one."""

from app.context import Context
from app.flows.account.add_customer import check_email, check_email_length, check_password, check_person
from app.flows.account.sign_in import normal_email
from app.oauth.actor import Actor
from app.oauth.token_string import new_id
from app.refused import RefusedError
from app.sentence import Sentence
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.operators import insert_operator
from app.storage.people.people import OperatorRole, Person, insert_person, select_person


class OperatorError(RefusedError):
    """The operator cannot be added, or there is none with this address."""

    code = "operator_conflict"
    status = 409


async def add_operator(
    context: Context, actor: Actor, *, email: str, name: str, role: OperatorRole, password: str
) -> Person:
    """Raises OperatorError when the address is taken, and PersonError when a value is not accepted."""
    operator = Person(new_id(), check_email(email), check_person(name), operator_role=role)
    check_password(password, operator.own_words)
    password_hash = await context.passwords.hash(password)
    async with context.database.transaction() as transaction:
        if not await insert_person(transaction, operator, password_hash):
            standing = await select_person(transaction, operator.email)
            known = standing is not None and standing.operator_role is not None
            taken = "is an operator already" if known else "signs in already, and is no operator"
            raise OperatorError(f"{operator.email} {taken}")
        await insert_operator(transaction, operator.id, role)
        detail: dict[str, str | int | None] = {"operator": str(operator.id), "role": role}
        await insert_audit_event(transaction, AuditEvent("operator.added", actor, detail=detail))
    return operator


async def find_operator(context: Context, email: str) -> Person:
    """The operator with this address, unless disabled.

    Raises OperatorError when there is none, and PersonError when the address is too long.
    """
    check_email_length(email)
    person = await select_person(context.database, normal_email(email))
    if person is None or person.operator_role is None:
        raise OperatorError(
            Sentence("%(email)s is no operator", email=email), code="unknown_operator", status=404
        )
    return person
