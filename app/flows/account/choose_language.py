"""A person chooses the language of their pages and mails."""

from app.context import Context
from app.oauth.actor import Actor
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.people import Person, update_language


async def choose_own_language(context: Context, actor: Actor, person: Person, language: str) -> None:
    """language: the code of one that there is."""
    async with context.database.transaction() as transaction:
        if not await update_language(transaction, person.id, language):
            return
        event = AuditEvent(
            "person.language_chosen",
            actor,
            customer_id=person.customer_id,
            detail={"person": str(person.id), "language": language},
        )
        await insert_audit_event(transaction, event)
