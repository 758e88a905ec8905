"""The customers of an application, and the requests that ask others by the manual route."""

from collections.abc import Awaitable
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.add_customer import PersonError
from app.flows.account.prove import FieldError
from app.flows.account.rights import OwnerError
from app.flows.mail.mailed_token import waits_for_mail
from app.flows.manual.ask import (
    MOST_OWN_REQUESTS,
    ask_customer,
    list_requests_of,
    resend_pick_up,
    withdraw_request,
)
from app.flows.manual.standing import AccessRequestError
from app.oauth.parameters import parse_query
from app.sentence import Sentence
from app.storage.people.access_requests import AccessRequest, RequestState
from app.storage.token.connection_lists import select_connected_customers
from app.web.developer.frame import OwnerHere, address_below, application_page, owner_here
from app.web.pages.account_form import Fault, Posted, posted_form, refused_at, sealed_form
from app.web.pages.language import language_of
from app.web.pages.render import see_other
from app.web.paths import ASK_CUSTOMER, LOGIN, OWN_CONNECTIONS, RESEND_PICK_UP, WITHDRAW_REQUEST
from app.web.request import context_of, raw_query

_ASK, _WITHDRAW, _RESEND = "ask customer", "withdraw request", "resend pick-up"
_UPON_ALL = "page"  # of a fault that belongs to no form
_UNPROCESSABLE = 422
_DONE = {
    "asked": Sentence(
        "RoviTracker looks at the request next. If somebody signs in with this address, they are asked then."
    ),
    "withdrawn": Sentence("The request was withdrawn."),
    "resent": Sentence("The mail with the link is on its way to you."),
}
_WAITS = Sentence("Waits for the customer")
_SILENT = Sentence("Over: nobody said yes")
_LEFT = Sentence("Over: nobody picked the token up")
# As the asker may know it: whether there is such a customer, and whether they said no, is not told.
_STATES: dict[RequestState, Sentence] = {
    "asked": Sentence("Waits for RoviTracker"),
    "released": _WAITS,
    "refused": Sentence("RoviTracker did not let it through"),
    "approved": Sentence("The customer said yes"),
    "collected": Sentence("The token was picked up"),
    "expired": _SILENT,
    "withdrawn": Sentence("Withdrawn"),
}


async def connections(request: Request) -> Response:
    owner = await owner_here(request, OWN_CONNECTIONS)
    return owner if isinstance(owner, Response) else await _page(request, owner)


async def submit_ask(request: Request) -> Response:
    owner, posted = await _posted(request, _ASK)
    if owner is None or posted is None:
        return see_other(LOGIN)
    email, reason = posted.field("email"), posted.field("reason")
    try:
        await ask_customer(
            context_of(request), owner.actor, owner.application.client.id, email=email, reason=reason
        )
    except (PersonError, FieldError, AccessRequestError, OwnerError) as refused:
        return await _page(request, owner, _fault(request, refused), posted)
    return _back(owner, "asked")


async def submit_withdraw(request: Request) -> Response:
    owner, posted = await _posted(request, _WITHDRAW)
    if owner is None or posted is None:
        return see_other(LOGIN)
    work = withdraw_request(
        context_of(request), owner.actor, owner.application.client.id, UUID(posted.subject)
    )
    return await _done(request, owner, work, "withdrawn")


async def submit_resend(request: Request) -> Response:
    owner, posted = await _posted(request, _RESEND)
    if owner is None or posted is None:
        return see_other(LOGIN)
    work = resend_pick_up(
        context_of(request),
        owner.actor,
        owner.application.client.id,
        UUID(posted.subject),
        language=language_of(request, owner.person).code,
    )
    return await _done(request, owner, work, "resent")


async def _posted(request: Request, form: str) -> tuple[OwnerHere | None, Posted | None]:
    owner = await owner_here(request, OWN_CONNECTIONS)
    return (None, None) if isinstance(owner, Response) else (owner, await posted_form(request, form))


async def _done(request: Request, owner: OwnerHere, work: Awaitable[None], done: str) -> Response:
    try:
        await work
    except (AccessRequestError, OwnerError) as refused:
        return await _page(request, owner, refused_at(request, _UPON_ALL, "", refused))
    return _back(owner, done)


def _back(owner: OwnerHere, done: str) -> Response:
    return see_other(f"{address_below(OWN_CONNECTIONS, owner.application.client.id)}?done={done}")


def _fault(request: Request, refused: PersonError | FieldError | AccessRequestError | OwnerError) -> Fault:
    if isinstance(refused, FieldError):
        return refused_at(request, _ASK, refused.field, refused)
    if isinstance(refused, PersonError):
        return refused_at(request, _ASK, "email", refused, _UNPROCESSABLE)
    return refused_at(request, _ASK, "email" if refused.code == "asked_already" else "", refused)


async def _page(
    request: Request, owner: OwnerHere, fault: Fault | None = None, posted: Posted | None = None
) -> Response:
    context, client = context_of(request), owner.application.client
    customers = await select_connected_customers(context.database, client.id, MOST_OWN_REQUESTS)
    asked = await list_requests_of(context, client.id)
    done = parse_query(raw_query(request)).values.get("done", "") if fault is None else ""
    return application_page(
        request,
        owner,
        OWN_CONNECTIONS,
        "developer/connections.html",
        status=fault.status if fault else 200,
        fault=fault,
        notice=_DONE.get(done),
        customers=customers,
        most=MOST_OWN_REQUESTS,
        requests=[_shown(request, client.id, each) for each in asked],
        may_ask=client.active and not client.test,
        test=client.test,
        ask=(address_below(ASK_CUSTOMER, client.id), sealed_form(request, _ASK)),
        typed={name: posted.field(name) if posted else "" for name in ("email", "reason")},
    )


def _told(asked: AccessRequest) -> Sentence:
    if asked.state == "denied":
        return _WAITS if asked.open else _SILENT
    return _LEFT if asked.state == "expired" and asked.decided_at else _STATES[asked.state]


def _shown(request: Request, application_id: UUID, asked: AccessRequest) -> dict[str, Any]:
    subject = str(asked.id)
    return {
        "email": asked.customer_email,
        "reason": asked.reason,
        "asked_at": asked.asked_at,
        "asker": asked.asker,
        "ends_at": asked.ends_at,
        "state": _told(asked),
        "open": asked.open,
        "waits": asked.state == "approved",
        "mailed": asked.mailed_at is not None and waits_for_mail(context_of(request), asked),
        "refusal": asked.judged_reason if asked.state == "refused" else None,
        "confirmed_by": asked.decider if asked.state in ("approved", "collected") else None,
        "released_at": asked.judged_at if asked.state in ("approved", "collected") else None,
        "withdraw": (
            address_below(WITHDRAW_REQUEST, application_id),
            sealed_form(request, _WITHDRAW, subject),
        ),
        "resend": (address_below(RESEND_PICK_UP, application_id), sealed_form(request, _RESEND, subject)),
    }
