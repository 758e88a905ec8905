"""Add a person of RoviTracker, and find one."""

from app.context import Context
from app.flows.account.add_customer import check_email, check_email_length, check_password, check_person
from app.flows.account.sign_in import normal_email
from app.oauth.actor import Actor
from app.oauth.token_string import new_id
from app.refused import RefusedError
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.operators import Operator, insert_operator, select_operator


class OperatorError(RefusedError):
    """The operator cannot be added, or there is none with this address."""

    code = "operator_conflict"
    status = 409


async def add_operator(context: Context, actor: Actor, *, email: str, name: str, password: str) -> Operator:
    """Raises OperatorError when the address is taken, and PersonError when a value is not accepted."""
    operator = Operator(new_id(), check_email(email), check_person(name))
    check_password(password)
    password_hash = await context.passwords.hash(password)
    async with context.database.transaction() as transaction:
        if not await insert_operator(transaction, operator, password_hash):
            raise OperatorError(f"{operator.email} is an operator already")
        await insert_audit_event(
            transaction, AuditEvent("operator.added", actor, detail={"operator": str(operator.id)})
        )
    return operator


async def find_operator(context: Context, email: str) -> Operator:
    """The operator with this address, unless disabled.

    Raises OperatorError when there is none, and PersonError when the address is too long.
    """
    check_email_length(email)
    operator = await select_operator(context.database, normal_email(email))
    if operator is None:
        raise OperatorError(f"{email} is no operator", code="unknown_operator", status=404)
    return operator
