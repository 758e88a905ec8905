"""Hand an application in test mode in for review, and take a proposal back."""

from dataclasses import replace
from uuid import UUID

from app.context import Context
from app.flows.account.prove import FieldError
from app.flows.bounds import LONGEST_MESSAGE
from app.flows.developer.described import check_description, check_words
from app.flows.developer.own_applications import OwnerError, require_ownership
from app.flows.developer.ready import require_ready
from app.flows.developer.standing import Standing, lock_standing
from app.oauth.actor import Actor
from app.oauth.description import Description, live_addresses
from app.oauth.token_string import new_id
from app.refused import ToldError
from app.sentence import Sentence
from app.storage.people.application_reviews import decide_review, upsert_review
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.descriptions import set_contact
from app.storage.postgres.database import Transaction


class ReviewError(ToldError):
    """What was to be reviewed is not as it was shown, or no longer there."""

    code = "review_conflict"
    status = 409


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


async def lock_as_owner(transaction: Transaction, actor: Actor, application_id: UUID) -> Standing:
    """Raises ApplicationError when there is none, and OwnerError when it is somebody else's, or suspended."""
    standing = await lock_standing(transaction, application_id)
    await require_ownership(transaction, actor, application_id)
    if not standing.application.client.active:
        raise OwnerError(
            Sentence("RoviTracker has suspended this application, so it cannot be changed."), code="suspended"
        )
    return standing


def require_seen(standing: Standing, seen: str) -> None:
    """Raises ReviewError when somebody changed it meanwhile. seen: what stood there on the page."""
    if standing.seen != seen:
        raise ReviewError(
            Sentence(
                "Somebody changed it meanwhile. Look at what is there now, and send yours again if you want it."
            ),
            code="changed_meanwhile",
        )


def as_live(standing: Standing) -> Description:
    """As real customers are to find an application in test mode: its http addresses go."""
    application = standing.application
    addresses = live_addresses(application.client.redirect_uris, public=application.client.public)
    return replace(application.description, redirect_uris=addresses)


async def propose(
    transaction: Transaction, actor: Actor, standing: Standing, proposed: Description, *, message: str
) -> None:
    """Let it wait for a reviewer, in the place of a former proposal. Raises OwnerError when nobody asks."""
    if actor.person_id is None:
        raise OwnerError(Sentence("An owner of the application hands it in."))
    await upsert_review(
        transaction,
        new_id(),
        standing.application.client.id,
        actor.person_id,
        proposed,
        goes_live=standing.application.client.test,
        message=message,
    )


async def store_contact(transaction: Transaction, application_id: UUID, person_id: UUID | None) -> None:
    """Raises FieldError when nobody was chosen, or somebody who is no owner with a confirmed address."""
    if person_id is None or not await set_contact(transaction, application_id, person_id):
        raise FieldError("contact", Sentence("Choose an owner whose e-mail address is confirmed."))
