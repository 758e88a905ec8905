"""Pick a token up: it is made when an owner of the application presses the button, and is shown once."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from app.context import Context
from app.flows.account.rights import OwnerError
from app.flows.mail.links import LONGEST_SECRET, LinkError, digest_of
from app.flows.manual.ask import request_event
from app.flows.manual.standing import AccessRequestError, lock_request
from app.oauth.actor import Actor
from app.oauth.token_string import bucket_of, mint, new_id, with_bucket
from app.sentence import Sentence
from app.storage.people.access_request_changes import mark_request_collected
from app.storage.people.access_requests import AccessRequest, select_request_of_link
from app.storage.people.application_owners import select_owns_locked
from app.storage.people.audit import insert_audit_event
from app.storage.token.manual_grants import CollectedGrant, insert_collected_grant


@dataclass(frozen=True, slots=True)
class CollectedToken:
    """text: shown once, now."""

    text: str = field(repr=False)
    application_id: UUID
    scope: str
    expires_at: datetime


async def find_pick_up(context: Context, link: str) -> AccessRequest:
    """The request that a mailed link is about. Nothing changes, so that scanners of mail may follow it.

    Raises LinkError when it is none of ours, was used, or came too late.
    """
    found = None
    if len(link) <= LONGEST_SECRET:
        found = await select_request_of_link(context.database, digest_of(link))
    if found is None:
        raise LinkError(Sentence("It is not complete, or it is very old. Copy it from the mail as a whole."))
    _refuse_over(found)
    return found


async def collect_token(context: Context, actor: Actor, link: str) -> CollectedToken:
    """Make the token, which ends with the connection that the customer said yes to.

    Raises LinkError as `find_pick_up` does, OwnerError when the actor does not own the application, and
    AccessRequestError when application, customer or connection no longer stands. Nothing is made then.
    """
    request_id = (await find_pick_up(context, link)).id
    async with context.database.transaction() as transaction:
        found = await lock_request(transaction, request_id)
        _refuse_over(found)
        if actor.id is None or not await select_owns_locked(transaction, found.application_id, actor.id):
            raise OwnerError(
                Sentence("The link is for the owners of the application. Sign in as one of them.")
            )
        bucket = bucket_of(_customer_of(found))
        token = mint("at", "c", bucket)
        lifetimes = context.policy.lifetimes
        grant = CollectedGrant(
            with_bucket(new_id(), bucket),
            request_id,
            token.id,
            token.digest,
            lifetimes.classic_idle,
            lifetimes.classic_absolute,
        )
        expires_at = await insert_collected_grant(transaction, grant)
        if expires_at is None:
            raise AccessRequestError(
                Sentence(
                    "The customer disconnected the application since, or the application is suspended. No token was made."
                ),
                code="nothing_stands",
                status=410,
                title=Sentence("There is no token to pick up any more"),
            )
        await mark_request_collected(transaction, request_id, grant.id, mailed=False)
        event = request_event(
            "request.collected",
            actor,
            found.application_id,
            request_id,
            customer_id=found.customer_id,
            grant_id=grant.id,
        )
        await insert_audit_event(transaction, event)
    return CollectedToken(token.text, found.application_id, found.scope, expires_at)


def _customer_of(found: AccessRequest) -> UUID:
    if found.customer_id is None:
        raise AccessRequestError(Sentence("No token waits here."), code="nothing_waits")
    return found.customer_id


def _refuse_over(found: AccessRequest) -> None:
    if found.state == "collected":
        raise LinkError(
            Sentence(
                "A token is shown once. If it was lost, ask the customer again; if nobody of you picked it up, tell RoviTracker."
            ),
            code="link_used",
            status=410,
            title=Sentence("This token was picked up already"),
        )
    if found.state != "approved" or found.late:
        raise LinkError(
            Sentence("The token waited for 14 days, or the request was withdrawn. Ask the customer again."),
            code="link_late",
            status=410,
            title=Sentence("This link came too late"),
        )
