"""What handing in and changing share: who may, what was seen, and the row that waits."""

from dataclasses import replace
from uuid import UUID

from app.flows.account.prove import FieldError
from app.flows.account.rights import OwnerError, require_ownership
from app.flows.developer.standing import Standing, lock_standing
from app.oauth.actor import Actor
from app.oauth.description import Description, live_addresses
from app.oauth.token_string import new_id
from app.refused import ToldError
from app.sentence import Sentence
from app.storage.people.application_reviews import upsert_review
from app.storage.people.descriptions import set_contact
from app.storage.postgres.database import Transaction


class ReviewError(ToldError):
    """What was to be reviewed is not as it was shown, or no longer there."""

    code = "review_conflict"
    status = 409


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
