"""Give somebody a role of RoviTracker, and take it away."""

from app.context import Context
from app.flows.account.add_operator import OperatorError
from app.flows.account.change_customer import find_person
from app.oauth.actor import Actor
from app.sentence import Sentence
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.operators import (
    Operator,
    insert_operator,
    lock_operators,
    mark_operator_disabled,
    update_operator_role,
)
from app.storage.people.people import OperatorRole, Person
from app.storage.people.sessions import delete_sessions_of
from app.storage.postgres.database import Transaction


async def set_operator_role(context: Context, actor: Actor, email: str, role: OperatorRole) -> Person:
    """Give a role to an operator, or to anybody who signs in, who is an operator then.

    The sessions end, so that a new right begins with a new sign-in.
    Raises CustomerError when nobody signs in with the address, and OperatorError when the actor is no admin, the
    operator is disabled, or no admin would be left.
    """
    person = await find_person(context, email)
    async with context.database.transaction() as transaction:
        before = await _lock(transaction, actor, person, stays_admin=role == "admin")
        if before is None:
            await insert_operator(transaction, person.id, role)
        elif before.disabled_at is not None:
            raise OperatorError(
                Sentence("%(email)s is a disabled operator", email=person.email), code="operator_disabled"
            )
        else:
            await update_operator_role(transaction, person.id, role)
        await delete_sessions_of(transaction, person.id)
        change = {"before": before.role if before else None, "after": role}
        await _note(transaction, "operator.role_set", actor, person, **change)
    return person


async def disable_operator(context: Context, actor: Actor, email: str) -> Person:
    """End the sessions and the role. What else the person is stays.

    Raises OperatorError when the actor is no admin, the person is no operator or disabled already, or no admin would
    be left.
    """
    return await _switch(context, actor, email, disabled=True)


async def enable_operator(context: Context, actor: Actor, email: str) -> Person:
    """Raises OperatorError when the actor is no admin, or the person is no operator or not disabled."""
    return await _switch(context, actor, email, disabled=False)


async def _switch(context: Context, actor: Actor, email: str, *, disabled: bool) -> Person:
    person = await find_person(context, email)
    async with context.database.transaction() as transaction:
        operator = await _lock(transaction, actor, person, stays_admin=not disabled)
        if operator is None:
            raise OperatorError(
                Sentence("%(email)s is no operator", email=person.email), code="unknown_operator", status=404
            )
        if (operator.disabled_at is not None) == disabled:
            raise OperatorError(
                Sentence("%(email)s is disabled already", email=person.email)
                if disabled
                else Sentence("%(email)s is not disabled", email=person.email)
            )
        await mark_operator_disabled(transaction, person.id, disabled=disabled)
        await delete_sessions_of(transaction, person.id)
        await _note(transaction, "operator.disabled" if disabled else "operator.enabled", actor, person)
    return person


async def _lock(
    transaction: Transaction, actor: Actor, person: Person, *, stays_admin: bool
) -> Operator | None:
    """The operator to change, under the lock that decides who is an admin at this moment.

    An actor without an id is on the host, where everything is possible: whoever is there can write the database.
    """
    operators = await lock_operators(transaction)
    admins = {each.person_id for each in operators if each.role == "admin" and each.disabled_at is None}
    if actor.id is not None:
        if actor.id not in admins:
            raise OperatorError(Sentence("only an admin changes operators"), code="not_admin", status=403)
        if admins == {person.id} and not stays_admin:
            raise OperatorError(
                Sentence(
                    "%(email)s is the only admin: make somebody else an admin first", email=person.email
                ),
                code="last_admin",
            )
    return next((each for each in operators if each.person_id == person.id), None)


async def _note(
    transaction: Transaction, event: str, actor: Actor, person: Person, **change: str | None
) -> None:
    detail: dict[str, str | int | None] = {"operator": str(person.id), **change}
    await insert_audit_event(transaction, AuditEvent(event, actor, detail=detail))
