"""A person changes the name."""

from app.context import Context
from app.flows.account.add_customer import PersonError, check_person
from app.flows.account.prove import FieldError
from app.oauth.actor import Actor
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.people import Person, update_name


async def change_name(context: Context, actor: Actor, person: Person, name: str) -> None:
    """The event has no name in it: the trail names people by their ids.

    Raises FieldError when the name is empty, too long or not printable.
    """
    try:
        name = check_person(name)
    except PersonError as refused:
        raise FieldError("name", refused.what) from None
    async with context.database.transaction() as transaction:
        if await update_name(transaction, person.id, name):
            event = AuditEvent(
                "person.name_changed",
                actor,
                customer_id=person.customer_id,
                detail={"person": str(person.id)},
            )
            await insert_audit_event(transaction, event)
