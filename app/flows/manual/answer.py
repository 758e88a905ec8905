"""A customer answers a request: yes, with the terms that are chosen, or no. It is as binding as a consent page."""

from uuid import UUID

from app.context import Context
from app.flows.account.rights import require_right
from app.flows.approval.terms import Terms, approve_terms, require_terms
from app.flows.mail.tell_both_sides import tell_of_beginning, tell_of_change
from app.flows.manual.ask import REQUEST_LIFE, request_event
from app.flows.manual.standing import (
    AccessRequestError,
    lock_request,
    no_such_request,
    require_asking,
)
from app.flows.manual.tell import tell_application_owners
from app.oauth.actor import Actor
from app.sentence import Sentence
from app.storage.fleet.view import FleetView, fleet_of
from app.storage.people.access_request_changes import mark_request_approved, mark_request_denied
from app.storage.people.access_requests import (
    AccessRequest,
    RequestState,
    select_access_request,
    select_is_for_account,
    select_waiting_requests,
)
from app.storage.people.audit import insert_audit_event
from app.storage.people.members import Member
from app.storage.postgres.database import Statements, Transaction
from app.storage.token.connections import connect, select_connection_locked

_OVER: dict[RequestState, Sentence] = {
    "approved": Sentence("Your account said yes to it. Nothing is left to decide here."),
    "collected": Sentence("Your account said yes to it. Nothing is left to decide here."),
    "denied": Sentence("Your account said no to it. Nothing was shared."),
    "withdrawn": Sentence("The application took it back. Nothing was shared."),
}
_LATE = Sentence("Nobody answered it within 14 days, so it ended. Nothing was shared.")


async def list_waiting_requests(context: Context, customer_id: UUID) -> tuple[AccessRequest, ...]:
    """Those that the account can answer now."""
    return await select_waiting_requests(context.database, customer_id)


async def find_waiting_request(context: Context, member: Member, request_id: UUID) -> AccessRequest:
    """The request, if it waits for an answer of the member's account.

    Raises AccessRequestError 404 when it is not for this account, and 410 when it was answered or is over.
    """
    found = await select_access_request(context.database, request_id)
    return await _require_waiting(context.database, member, found)


async def approve_request(
    context: Context,
    actor: Actor,
    member: Member,
    request_id: UUID,
    terms: Terms,
    *,
    language: str | None = None,
) -> None:
    """Connect the application by these terms, and let its owners pick a token up.

    One transaction writes the yes, the connection and the event; the owners of both sides are told by mail.
    Raises AccessRequestError as `find_waiting_request` does and when the application may not be connected, RoleError when
    the actor may not connect applications, and FieldError when the terms would share nothing.
    """
    async with fleet_of(context.database, FleetView(member.customer_id)) as transaction:
        found = await _lock_waiting(transaction, actor, member, request_id)
        await require_asking(transaction, found.application_id)
        await require_terms(transaction, member.customer_id, terms)
        decided_at = await mark_request_approved(
            transaction, request_id, member.customer_id, member.id, REQUEST_LIFE
        )
        parties = member.customer_id, found.application_id
        began = await connect(
            transaction, *parties, route="manual", approved_by=member.id, approved_at=decided_at
        )
        changed = await approve_terms(transaction, actor, *parties, terms, approved_at=decided_at)
        standing = await select_connection_locked(transaction, *parties)
        if standing is None or not standing.connected:
            raise AccessRequestError(
                Sentence("The application was disconnected at the same moment. Nothing was shared."),
                code="changed_meanwhile",
            )
        event = request_event(
            "request.approved", actor, found.application_id, request_id, customer_id=member.customer_id
        )
        event_id = await insert_audit_event(transaction, event)
        if began:
            await tell_of_beginning(context, transaction, *parties, event_id, language=language)
        elif changed is not None:
            await tell_of_change(context, transaction, *parties, changed, language=language)
        await tell_application_owners(context, transaction, "token_waits", found.application_id, request_id)
    context.changes.note(parties)


async def deny_request(context: Context, actor: Actor, member: Member, request_id: UUID) -> None:
    """Say no. The asker is not told: for them it waits until its time is over, as one to nobody does.

    Raises AccessRequestError as `find_waiting_request` does, and RoleError when the actor may not decide.
    """
    async with context.database.transaction() as transaction:
        found = await _lock_waiting(transaction, actor, member, request_id)
        await mark_request_denied(transaction, request_id, member.customer_id, member.id)
        event = request_event(
            "request.denied", actor, found.application_id, request_id, customer_id=member.customer_id
        )
        await insert_audit_event(transaction, event)


async def _lock_waiting(
    transaction: Transaction, actor: Actor, member: Member, request_id: UUID
) -> AccessRequest:
    found = await _require_waiting(transaction, member, await lock_request(transaction, request_id))
    await require_right(transaction, actor, member.customer_id, "connect")
    return found


async def _require_waiting(
    statements: Statements, member: Member, found: AccessRequest | None
) -> AccessRequest:
    # What was never released is nobody's to see, and who is not asked learns nothing of it.
    if (
        found is None
        or found.judged_at is None
        or found.state == "refused"
        or not await select_is_for_account(statements, member.customer_id, found.id)
    ):
        raise no_such_request()
    if found.state != "released" or found.late:
        raise AccessRequestError(
            _OVER.get(found.state, _LATE),
            code="request_over",
            status=410,
            title=Sentence("This request is over"),
        )
    return found
