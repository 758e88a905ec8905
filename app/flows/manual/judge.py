"""An operator releases a request to the customer, or refuses it. Nothing leaves before."""

from uuid import UUID

from app.context import Context
from app.flows.account.add_operator import OperatorError
from app.flows.mail.queue_mail import queue_mail
from app.flows.manual.ask import request_event
from app.flows.manual.standing import AccessRequestError, lock_request, require_asking, require_reviewer
from app.flows.manual.tell import tell_application_owners
from app.flows.manual.words import check_judging
from app.oauth.actor import Actor
from app.oauth.member_role import may
from app.sentence import Sentence
from app.storage.people.access_request_changes import mark_request_judged
from app.storage.people.access_requests import (
    AccessRequest,
    RequestState,
    select_access_request,
    select_account_of_address,
    select_requests_in,
)
from app.storage.people.application_owners import select_owns_locked
from app.storage.people.audit import insert_audit_event
from app.storage.people.members import select_members
from app.storage.postgres.database import Transaction

MOST_IN_QUEUE = 500


async def release_request(context: Context, actor: Actor, request_id: UUID, *, reason: str) -> None:
    """Let a request through: the account's owners and connectors get a mail, if there is such an account.

    Raises FieldError when the reason is not accepted, OperatorError when the actor is no reviewer, and
    AccessRequestError when the request no longer waits for RoviTracker or its application may not ask.
    """
    words, operator_id = check_judging(reason), _operator_of(actor)
    async with context.database.transaction() as transaction:
        found = await _lock_asked(transaction, actor, request_id)
        await require_asking(transaction, found.application_id)
        await mark_request_judged(transaction, request_id, operator_id, words, released=True)
        customer_id = await select_account_of_address(transaction, found.customer_email)
        event = request_event(
            "request.released",
            actor,
            found.application_id,
            request_id,
            customer_id=customer_id,
            reason=words,
        )
        await insert_audit_event(transaction, event)
        if customer_id is not None:
            await _tell_customer(context, transaction, request_id, customer_id)


async def refuse_request(context: Context, actor: Actor, request_id: UUID, *, reason: str) -> None:
    """Refuse a request. The application's owners are told by mail, and read the reason on their page.

    Raises the same errors.
    """
    words, operator_id = check_judging(reason), _operator_of(actor)
    async with context.database.transaction() as transaction:
        found = await _lock_asked(transaction, actor, request_id)
        await mark_request_judged(transaction, request_id, operator_id, words, released=False)
        event = request_event("request.refused", actor, found.application_id, request_id, reason=words)
        await insert_audit_event(transaction, event)
        await tell_application_owners(context, transaction, "request_ended", found.application_id, request_id)


async def list_requests(context: Context, state: RequestState | None = None) -> tuple[AccessRequest, ...]:
    """The newest first, of all applications. state: None for every one."""
    return await select_requests_in(context.database, state, MOST_IN_QUEUE)


async def find_request(context: Context, request_id: UUID) -> AccessRequest:
    """Raises AccessRequestError 404 when there is none."""
    found = await select_access_request(context.database, request_id)
    if found is None:
        raise AccessRequestError(Sentence("There is no such request."), code="unknown_request", status=404)
    return found


async def _lock_asked(transaction: Transaction, actor: Actor, request_id: UUID) -> AccessRequest:
    await require_reviewer(transaction, actor)
    found = await lock_request(transaction, request_id)
    if actor.id and await select_owns_locked(transaction, found.application_id, actor.id):
        raise OperatorError(
            Sentence("this application is yours, so another reviewer decides about its requests"),
            code="own_application",
            status=403,
        )
    if found.state != "asked" or found.late:
        raise AccessRequestError(
            Sentence(
                "It no longer waits for RoviTracker: somebody else decided, it was withdrawn, or its time is over."
            ),
            code="changed_meanwhile",
        )
    return found


async def _tell_customer(
    context: Context, transaction: Transaction, request_id: UUID, customer_id: UUID
) -> None:
    """Everybody of the account who may answer. A limit that is used up leaves the request on their page."""
    for member in await select_members(transaction, customer_id):
        if may(member.role, "connect"):
            about = {"request": request_id, "person": member.person_id, "customer": customer_id}
            await queue_mail(context, transaction, "access_asked", to=member.email, about=about)


def _operator_of(actor: Actor) -> UUID:
    """A release names the operator who is answerable for it, wherever it is done."""
    if actor.kind != "operator" or actor.id is None:
        raise OperatorError(Sentence("only an operator releases requests"), code="not_reviewer", status=403)
    return actor.id
