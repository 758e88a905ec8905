"""The operators' page on the manual route: what waits, and what became of the rest."""

from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.add_customer import PersonError
from app.flows.account.add_operator import OperatorError
from app.flows.account.change_application import ApplicationError, find_application
from app.flows.account.prove import FieldError
from app.flows.manual.ask import ask_customer
from app.flows.manual.judge import list_requests, refuse_request, release_request
from app.flows.manual.standing import AccessRequestError
from app.oauth.actor import Actor
from app.oauth.errors import PageError
from app.oauth.parameters import parse_query
from app.sentence import Sentence, quoted
from app.storage.people.access_requests import AccessRequest, RequestState
from app.storage.people.applications import Application, select_applications
from app.storage.people.people import Person
from app.web.pages.account import account_page
from app.web.pages.account_form import Fault, Posted, posted_form, refused_at, sealed_form
from app.web.pages.login import note_refusal
from app.web.pages.operator_here import operator_here
from app.web.pages.render import see_other, shown
from app.web.paths import ENTER_REQUEST, JUDGE_REQUEST, LOGIN, REQUEST_QUEUE
from app.web.request import context_of, raw_query

_JUDGE, _ENTER, _UPON_ALL = "judge request", "enter request", "page"
_UNPROCESSABLE = 422
_MOST_PAST = 50
_DONE = {
    "release": Sentence(
        "The request was let through. If the address is a customer's, the mail is on its way."
    ),
    "refuse": Sentence("The request was refused. The application's owners are told by mail."),
    "entered": Sentence("The request was entered. It waits here like every other."),
}
_NO_APPLICATION = Sentence("No application has this client_id.")
_STATES: dict[RequestState, Sentence] = {
    "asked": Sentence("Waits for RoviTracker"),
    "released": Sentence("Waits for the customer"),
    "refused": Sentence("Refused by RoviTracker"),
    "approved": Sentence("The customer said yes"),
    "denied": Sentence("The customer said no"),
    "collected": Sentence("The token was picked up"),
    "expired": Sentence("Its time was over"),
    "withdrawn": Sentence("Withdrawn"),
}
_REVIEWERS = ("reviewer", "admin")


async def queue(request: Request) -> Response:
    person = await operator_here(request, REQUEST_QUEUE)
    return person if isinstance(person, Response) else await _page(request, person)


async def submit_judgement(request: Request) -> Response:
    person = await operator_here(request, REQUEST_QUEUE, lately=True)
    if isinstance(person, Response):
        return person
    posted = await posted_form(request, _JUDGE)
    if posted is None:
        return see_other(LOGIN)
    decision = posted.field("decision")
    if decision not in ("release", "refuse"):
        raise PageError(
            Sentence("Nothing was decided"), Sentence("Please use one of the two buttons of the page.")
        )
    judge = release_request if decision == "release" else refuse_request
    try:
        await judge(context_of(request), _actor(person), UUID(posted.subject), reason=posted.field("reason"))
    except FieldError as refused:
        fault = refused_at(request, f"{_JUDGE} {posted.subject}", "reason", refused)
        return await _page(request, person, fault, posted)
    except AccessRequestError as refused:
        return await _page(request, person, refused_at(request, _UPON_ALL, "", refused), posted)
    except OperatorError as refused:
        return await _page(request, person, _told(request, refused), posted)
    return see_other(f"{REQUEST_QUEUE}?done={decision}")


async def submit_entry(request: Request) -> Response:
    """A request that came by mail, entered for the application that sent it."""
    person = await operator_here(request, REQUEST_QUEUE, lately=True)
    if isinstance(person, Response):
        return person
    posted = await posted_form(request, _ENTER)
    if posted is None:
        return see_other(LOGIN)
    context = context_of(request)
    try:
        client = (await find_application(context, posted.field("client_id").strip())).client
        await ask_customer(
            context,
            _actor(person),
            client.id,
            email=posted.field("email"),
            reason=posted.field("reason"),
        )
    except ApplicationError as refused:
        note_refusal(request, refused.code, str(refused))
        fault = Fault(_ENTER, "client_id", _NO_APPLICATION, _UNPROCESSABLE)
        return await _page(request, person, fault, posted)
    except (PersonError, FieldError, AccessRequestError) as refused:
        return await _page(request, person, _entry_fault(request, refused), posted)
    except OperatorError as refused:
        return await _page(request, person, _told(request, refused), posted)
    return see_other(f"{REQUEST_QUEUE}?done=entered")


def _actor(person: Person) -> Actor:
    """What somebody does here they do as an operator, whatever else they are."""
    return Actor("operator", person.id)


def _entry_fault(request: Request, refused: PersonError | FieldError | AccessRequestError) -> Fault:
    if isinstance(refused, FieldError):
        return refused_at(request, _ENTER, refused.field, refused)
    if isinstance(refused, PersonError):
        return refused_at(request, _ENTER, "email", refused, _UNPROCESSABLE)
    return refused_at(request, _ENTER, "email" if refused.code == "asked_already" else "client_id", refused)


def _told(request: Request, refused: OperatorError) -> Fault:
    note_refusal(request, refused.code, str(refused))
    what = (
        refused.what if isinstance(refused.what, Sentence) else quoted(refused.what, Sentence("Not allowed."))
    )
    return Fault(_UPON_ALL, "", what, refused.status)


async def _page(
    request: Request, person: Person, fault: Fault | None = None, posted: Posted | None = None
) -> Response:
    context = context_of(request)
    waiting = (await list_requests(context, "asked"))[::-1]
    past = [each for each in await list_requests(context) if each.state != "asked"][:_MOST_PAST]
    ids = [each.application_id for each in (*waiting, *past)]
    applications = await select_applications(context.database, ids)
    done = parse_query(raw_query(request)).values.get("done", "") if fault is None else ""
    entry = {name: posted.field(name) if posted else "" for name in ("client_id", "email", "reason")}
    return account_page(
        request,
        person,
        REQUEST_QUEUE,
        "request_queue.html",
        status=fault.status if fault else 200,
        fault=fault,
        notice=_DONE.get(done),
        judges=person.operator_role in _REVIEWERS,
        waiting=[_shown(request, each, applications[each.application_id]) for each in waiting],
        past=[_shown(request, each, applications[each.application_id]) for each in past],
        enter=(ENTER_REQUEST, sealed_form(request, _ENTER)),
        typed=entry,
    )


def _shown(request: Request, asked: AccessRequest, application: Application) -> dict[str, Any]:
    return {
        "id": str(asked.id),
        "application": shown(application),
        "email": asked.customer_email,
        "reason": asked.reason,
        "asker": asked.asker,
        "asked_at": asked.asked_at,
        "ends_at": asked.ends_at,
        "state": _STATES[asked.state],
        "judge": asked.judge,
        "judged_reason": asked.judged_reason,
        "form": f"{_JUDGE} {asked.id}",
        "judging": (JUDGE_REQUEST, sealed_form(request, _JUDGE, str(asked.id))),
    }
