"""Hand an application in test mode in for review, and take a proposal back."""

from uuid import UUID

from app.context import Context
from app.flows.bounds import LONGEST_MESSAGE
from app.flows.developer.described import check_description, check_words
from app.flows.developer.proposing import (
    ReviewError,
    as_live,
    lock_as_owner,
    propose,
    require_seen,
    store_contact,
)
from app.flows.developer.ready import require_ready
from app.oauth.actor import Actor
from app.sentence import Sentence
from app.storage.people.application_reviews import decide_review
from app.storage.people.audit import AuditEvent, insert_audit_event


async def hand_in(
    context: Context, actor: Actor, application_id: UUID, *, seen: str, message: str, contact_id: UUID | None
) -> None:
    """Ask for the review after which real customers may connect it. seen: what stood there on the page.

    Raises FieldError, NotReadyError or ReviewError when it cannot be handed in, and OwnerError for strangers.
    """
    words = check_words("message", message, most=LONGEST_MESSAGE, needed=False)
    async with context.database.transaction() as transaction:
        standing = await lock_as_owner(transaction, actor, application_id)
        if not standing.application.client.test:
            raise ReviewError(Sentence("The application is live already."), code="already_live")
        require_seen(standing, seen)
        proposed = as_live(standing)
        require_ready(proposed, public=standing.application.client.public)
        check_description(context, standing.application, proposed, live=True)
        await store_contact(transaction, application_id, contact_id)
        await propose(transaction, actor, standing, proposed, message=words)
        event = AuditEvent("application.handed_in", actor, application_id=application_id)
        await insert_audit_event(transaction, event)


async def withdraw(context: Context, actor: Actor, application_id: UUID) -> None:
    """Take back the proposal that waits. Raises ReviewError when none does, and OwnerError for strangers."""
    async with context.database.transaction() as transaction:
        standing = await lock_as_owner(transaction, actor, application_id)
        if standing.review is None:
            raise ReviewError(Sentence("Nothing waits for review any more."), code="not_in_review")
        await decide_review(transaction, application_id, "withdrawn", decided_by=actor.person_id)
        event = AuditEvent(
            "application.proposal_withdrawn",
            actor,
            application_id=application_id,
            detail={"review": str(standing.review.id)},
        )
        await insert_audit_event(transaction, event)
