"""Give a person everything that is stored about them (article 15 of the GDPR)."""

import orjson

from app.context import Context
from app.oauth.actor import Actor
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.own_data import select_own_data, select_own_events
from app.storage.people.people import Person

MOST_EVENTS = 10_000


async def export_own_data(context: Context, actor: Actor, person: Person) -> bytes:
    """A JSON document, in one snapshot. It holds no secret, digest or hash."""
    event = AuditEvent(
        "person.data_exported",
        actor,
        customer_id=person.customer_id,
        detail={"person": str(person.id)},
    )
    async with context.database.transaction() as transaction:
        await insert_audit_event(transaction, event)
        document = await select_own_data(transaction, person.id)
        document["events"] = await select_own_events(transaction, person.id, MOST_EVENTS)
    return orjson.dumps(document, option=orjson.OPT_INDENT_2, default=str)
