"""A person chooses the time zone in which pages and mails tell them the time."""

from app.context import Context
from app.flows.account.prove import FieldError
from app.language.zones import ZONE_NAMES
from app.oauth.actor import Actor
from app.sentence import Sentence
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.people import Person, update_time_zone


async def choose_time_zone(context: Context, actor: Actor, person: Person, name: str) -> None:
    """Keep the choice. The event has no zone in it, since the trail outlives an erasure.

    name: of the IANA database, such as Europe/Madrid.
    Raises FieldError when there is no such zone.
    """
    if name not in ZONE_NAMES:
        raise FieldError("time_zone", Sentence("There is no such time zone. Choose one of the list."))
    async with context.database.transaction() as transaction:
        if not await update_time_zone(transaction, person.id, name):
            return
        event = AuditEvent(
            "person.time_zone_chosen",
            actor,
            customer_id=person.customer_id,
            detail={"person": str(person.id)},
        )
        await insert_audit_event(transaction, event)
