"""Reviews: a reviewer says yes or no to what the reviewer has seen."""

from uuid import UUID

from app.context import Context
from app.flows.account.change_application import change_status, find_application
from app.flows.bounds import LONGEST_MESSAGE
from app.flows.developer.described import change_noted, check_description, check_words
from app.flows.developer.proposing import ReviewError, require_seen
from app.flows.developer.ready import require_ready
from app.flows.developer.standing import Standing, lock_standing
from app.flows.developer.tell import tell_owners_of_review
from app.oauth.actor import Actor
from app.oauth.client import Client
from app.refused import ToldError
from app.sentence import Sentence
from app.storage.people.application_owners import select_owns_locked
from app.storage.people.application_reviews import Review, decide_review
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.descriptions import update_description
from app.storage.people.operators import select_operator_role_locked
from app.storage.postgres.database import Transaction

REVIEWING = ("reviewer", "admin")
_FROM_OUTSIDE = ("operator", "customer", "application owner", "application")


class ReviewerError(ToldError):
    """The actor does not decide this."""

    code = "not_reviewer"
    status = 403
    title = Sentence("Your role does not include this")


async def approve_review(
    context: Context, actor: Actor, application_id: UUID, *, seen: str | None = None
) -> None:
    """Let the proposal hold. An application in test mode meets real customers from now on.

    seen: what the reviewer saw; None for whatever waits now.
    Raises ReviewError when nothing waits, or it is not what was seen; ReviewerError when the actor may not; and what
    the rules refuse about a live application.
    """
    async with context.database.transaction() as transaction:
        standing, review = await _lock(transaction, actor, application_id, seen)
        application = standing.application
        require_ready(review.proposed, public=application.client.public)
        proposed = check_description(context, application, review.proposed, live=True)
        await update_description(transaction, application_id, proposed, live=True)
        await decide_review(transaction, application_id, "approved", decided_by=actor.person_id)
        detail = {"review": str(review.id), **change_noted(application.description, proposed)}
        event = "application.went_live" if application.client.test else "application.proposal_approved"
        await insert_audit_event(
            transaction, AuditEvent(event, actor, application_id=application_id, detail=detail)
        )
        await tell_owners_of_review(context, transaction, "review_approved", standing.owners, review.id)
    context.changes.note(application_id)


async def refuse_review(
    context: Context, actor: Actor, application_id: UUID, *, reason: str, seen: str | None = None
) -> None:
    """Refuse what waits; what is live stays. The reason is told to the owners.

    Raises FieldError for the reason, and what `approve_review` raises.
    """
    words = check_words("reason", reason, most=LONGEST_MESSAGE, needed=True)
    async with context.database.transaction() as transaction:
        standing, review = await _lock(transaction, actor, application_id, seen)
        await decide_review(transaction, application_id, "refused", decided_by=actor.person_id, reason=words)
        event = AuditEvent(
            "application.proposal_refused",
            actor,
            application_id=application_id,
            detail={"review": str(review.id), "reason": words},
        )
        await insert_audit_event(transaction, event)
        await tell_owners_of_review(context, transaction, "review_refused", standing.owners, review.id)


async def approve_application(
    context: Context, actor: Actor, client_id: str, *, seen: str | None = None
) -> Client:
    """The same by its client_id. One that was stored as pending becomes active, and nothing else about it changes."""
    client = (await find_application(context, client_id)).client
    if client.status == "pending":
        return await change_status(context, actor, client_id, "approve")
    await approve_review(context, actor, client.id, seen=seen)
    return (await find_application(context, client_id)).client


async def _lock(
    transaction: Transaction, actor: Actor, application_id: UUID, seen: str | None
) -> tuple[Standing, Review]:
    """What waits, which stays as it is until the transaction ends. When two decide at once, the second finds nothing."""
    standing = await lock_standing(transaction, application_id)
    await _require_reviewer(transaction, actor, application_id)
    if standing.review is None:
        raise ReviewError(
            Sentence("Nothing waits for review any more: it was decided or taken back."), code="not_in_review"
        )
    if seen is not None:
        require_seen(standing, seen)
    if not standing.application.client.active:
        raise ReviewError(
            Sentence("The application is suspended. Resume it first."), code="application_suspended"
        )
    return standing, standing.review


async def _require_reviewer(transaction: Transaction, actor: Actor, application_id: UUID) -> None:
    """Whoever is on the host may, since they can write the database. An owner never decides about their own."""
    if actor.kind not in _FROM_OUTSIDE:
        return
    role = await select_operator_role_locked(transaction, actor.id) if actor.id else None
    if actor.kind != "operator" or role not in REVIEWING:
        raise ReviewerError(Sentence("Only a reviewer or an admin decides about applications."))
    if actor.id and await select_owns_locked(transaction, application_id, actor.id):
        raise ReviewerError(
            Sentence("This application is yours, so another reviewer decides about it."),
            code="own_application",
        )
