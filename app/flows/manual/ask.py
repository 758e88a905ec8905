"""Ask a customer for their machines, and take the question back.

Nobody is looked up by the address: the answer is the same whoever it is, or is nobody's (R-54).
"""

from datetime import timedelta
from uuid import UUID

from app.context import Context
from app.flows.account.add_customer import check_email
from app.flows.account.rights import OwnerError, require_ownership
from app.flows.mail.mailed_token import waits_for_mail
from app.flows.mail.queue_mail import queue_mail
from app.flows.manual.standing import (
    AccessRequestError,
    lock_request,
    no_such_request,
    require_asking,
    require_reviewer,
)
from app.flows.manual.words import check_asking
from app.oauth.actor import Actor
from app.oauth.errors import OAuthError
from app.oauth.scope import narrow
from app.oauth.token_string import new_id
from app.sentence import Sentence
from app.storage.people.access_request_changes import (
    AskingApplication,
    NewRequest,
    insert_access_request,
    mark_request_withdrawn,
)
from app.storage.people.access_requests import AccessRequest, select_requests_of
from app.storage.people.application_owners import select_application_owners
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.postgres.database import Transaction

REQUEST_LIFE = timedelta(days=14)
MOST_OPEN = 50  # requests of an application that wait
MOST_A_DAY = 20
MOST_OWN_REQUESTS = 100


async def ask_customer(
    context: Context, actor: Actor, application_id: UUID, *, email: str, reason: str
) -> UUID:
    """Make a request, which RoviTracker releases or refuses first; its id.

    Raises PersonError when it is no address, FieldError when the reason is not accepted, OwnerError or OperatorError
    when the actor may not ask, and AccessRequestError when the application may not, or not yet again.
    """
    email, words, request_id = check_email(email), check_asking(reason), new_id()
    asked_by = actor.id if actor.kind == "application owner" else None
    async with context.database.transaction() as transaction:
        await _require_asker(transaction, actor, application_id)
        application = await require_asking(transaction, application_id)
        _require_room(application)
        if not await select_application_owners(transaction, application_id):
            raise AccessRequestError(
                Sentence("The application has no owner who could pick a token up."), code="nobody_picks_up"
            )
        new = NewRequest(request_id, application_id, asked_by, email, words, _scope_of(application))
        if not await insert_access_request(transaction, new, REQUEST_LIFE):
            raise AccessRequestError(
                Sentence("A request to this address is open. Withdraw it first if it was wrong."),
                code="asked_already",
            )
        await insert_audit_event(
            transaction, request_event("request.asked", actor, application_id, request_id)
        )
    return request_id


async def withdraw_request(context: Context, actor: Actor, application_id: UUID, request_id: UUID) -> None:
    """Take a request back. From now on nobody can answer it or pick it up.

    Raises OwnerError when the actor does not own the application, and AccessRequestError when it is over already.
    """
    async with context.database.transaction() as transaction:
        found = await _lock_own(transaction, actor, application_id, request_id)
        if not found.open:
            raise AccessRequestError(Sentence("It is over already."), code="changed_meanwhile")
        await mark_request_withdrawn(transaction, request_id)
        event = request_event("request.withdrawn", actor, application_id, request_id)
        await insert_audit_event(transaction, event)


async def resend_pick_up(
    context: Context, actor: Actor, application_id: UUID, request_id: UUID, *, language: str | None = None
) -> None:
    """Mail whoever asks, an owner, another link to the token that waits.

    Raises OwnerError when the actor does not own the application, and AccessRequestError when no token waits or a limit
    of mails is used up.
    """
    async with context.database.transaction() as transaction:
        found = await _lock_own(transaction, actor, application_id, request_id)
        if (found.state != "approved" or found.late) and not waits_for_mail(context, found):
            raise AccessRequestError(Sentence("No token waits here."), code="nothing_waits")
        owners = await select_application_owners(transaction, application_id)
        to = next((owner for owner in owners if owner.person_id == actor.id), None)
        if to is None:
            raise _not_owner()
        about = {"request": request_id, "person": to.person_id, "again": request_id}
        if not await queue_mail(
            context, transaction, "token_waits", to=to.email, about=about, language=language
        ):
            raise AccessRequestError(
                Sentence("Too many of these mails went to your address today. Please try again tomorrow."),
                code="too_many_mails",
                status=429,
            )


async def list_requests_of(context: Context, application_id: UUID) -> tuple[AccessRequest, ...]:
    """The newest of an application, open or not."""
    return await select_requests_of(context.database, application_id, MOST_OWN_REQUESTS)


def request_event(  # what a step of a request says of itself
    event: str,
    actor: Actor,
    application_id: UUID,
    request_id: UUID,
    *,
    customer_id: UUID | None = None,
    grant_id: UUID | None = None,
    reason: str | None = None,
) -> AuditEvent:
    """It names the address by the request's id alone, since the trail is never erased."""
    detail: dict[str, str | int | None] = {"request": str(request_id)}
    if reason is not None:
        detail["reason"] = reason
    return AuditEvent(event, actor, application_id, customer_id, grant_id, detail)


async def _require_asker(transaction: Transaction, actor: Actor, application_id: UUID) -> None:
    """An owner of the application, or RoviTracker for one: an operator who decides, or the host."""
    if actor.kind == "operator":
        await require_reviewer(transaction, actor)
    elif actor.kind == "application owner":
        await require_ownership(transaction, actor, application_id)
    elif actor.kind in ("customer", "application", "service"):
        raise _not_owner()


def _not_owner() -> OwnerError:
    return OwnerError(Sentence("Only the owners of the application do that."))


async def _lock_own(
    transaction: Transaction, actor: Actor, application_id: UUID, request_id: UUID
) -> AccessRequest:
    await _require_asker(transaction, actor, application_id)
    found = await lock_request(transaction, request_id)
    if found.application_id != application_id:
        raise no_such_request()
    return found


def _require_room(application: AskingApplication) -> None:
    if application.open_requests >= MOST_OPEN:
        raise AccessRequestError(
            Sentence("%(most)s requests of this application wait, which is the most.", most=MOST_OPEN),
            code="too_many_requests",
            status=429,
        )
    if application.asked_today >= MOST_A_DAY:
        raise AccessRequestError(
            Sentence(
                "An application asks %(most)s customers a day at most. Try again tomorrow.", most=MOST_A_DAY
            ),
            code="too_many_requests",
            status=429,
        )


def _scope_of(application: AskingApplication) -> str:
    try:
        return " ".join(narrow(None, application.scope.split()))
    except OAuthError as refused:
        raise AccessRequestError(
            Sentence("The application is not registered to read machines."),
            code="scope_lacking",
            detail=str(refused),
        ) from None
