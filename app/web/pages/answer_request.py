"""The requests that wait for a customer's yes or no, and the page of one."""

from dataclasses import replace
from typing import Any, cast
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.prove import FieldError
from app.flows.approval.browser_flow import SignInFlow
from app.flows.approval.terms import Terms, find_terms
from app.flows.manual.answer import (
    approve_request,
    deny_request,
    find_waiting_request,
    list_waiting_requests,
)
from app.oauth.errors import PageError
from app.oauth.member_role import may
from app.oauth.parameters import parse_query
from app.oauth.scope import opened_by
from app.sentence import Sentence
from app.storage.people.access_requests import AccessRequest
from app.storage.people.applications import Application, select_applications
from app.storage.people.members import Member
from app.web.pages.account import account_page
from app.web.pages.account_form import posted_form, sealed_form
from app.web.pages.consent import NOT_ASKED
from app.web.pages.duration import spoken_duration
from app.web.pages.language import language_of
from app.web.pages.login import login_page, note_refusal
from app.web.pages.render import see_other, shown
from app.web.pages.signed_in import member_here, require_member
from app.web.pages.terms_form import (
    TermsFault,
    TypedTerms,
    fault_at,
    judge_terms,
    read_terms_form,
    terms_fields,
    typed_terms,
)
from app.web.paths import CONNECTIONS, MACHINES, PEOPLE, REQUEST, REQUESTS
from app.web.request import context_of, raw_query

_DONE = {
    "approve": Sentence(
        "You said yes. The application's makers can pick up their key to your machines now. You can disconnect it at any time."
    ),
    "deny": Sentence(
        "You said no. Nothing was shared, and the application's makers are not told that you refused."
    ),
}


async def requests(request: Request) -> Response:
    member = await member_here(request)
    if member is None:
        return await login_page(request, SignInFlow(REQUESTS))
    context = context_of(request)
    waiting = await list_waiting_requests(context, member.customer_id)
    applications = await select_applications(context.database, [each.application_id for each in waiting])
    return account_page(
        request,
        member,
        REQUESTS,
        "requests.html",
        notice=_DONE.get(parse_query(raw_query(request)).values.get("done", "")),
        requests=[_shown(each, applications[each.application_id]) for each in waiting],
        connections_url=CONNECTIONS,
    )


async def request_page(request: Request) -> Response:
    """Nothing is changed by looking, so that whoever scans mails may follow the link."""
    request_id = _request_id(request)
    member = await member_here(request)
    if member is None:
        return await login_page(request, SignInFlow(_address(request_id)))
    return await _page(request, member, await find_waiting_request(context_of(request), member, request_id))


async def submit_answer(request: Request) -> Response:
    request_id = _request_id(request)
    posted = await posted_form(request, _form_of(request_id), read_terms_form)
    if posted is None:
        return see_other(_address(request_id))
    member, context = require_member(posted.person), context_of(request)
    typed, decision = typed_terms(posted.fields), posted.field("decision")
    asked = await find_waiting_request(context, member, request_id)
    if decision == "deny":
        await deny_request(context, member.actor, member, request_id)
    elif decision == "approve":
        try:
            standing = await find_terms(context, member.customer_id, asked.application_id)
            terms = await judge_terms(context, member, typed, standing[0] if standing else Terms())
            await approve_request(
                context,
                member.actor,
                member,
                request_id,
                terms,
                language=language_of(request, member).code,
            )
        except FieldError as error:
            note_refusal(request, error.code, str(error))
            return await _page(request, member, asked, fault_at(error), typed)
    else:
        raise PageError(
            Sentence("Nothing was decided"), Sentence("Please use one of the two buttons of the page.")
        )
    return see_other(f"{REQUESTS}?done={decision}")


async def _page(
    request: Request,
    member: Member,
    asked: AccessRequest,
    fault: TermsFault | None = None,
    typed: TypedTerms | None = None,
) -> Response:
    context, address = context_of(request), _address(asked.id)
    [application] = (await select_applications(context.database, [asked.application_id])).values()
    standing = await find_terms(context, member.customer_id, asked.application_id)
    terms = standing[0] if standing else Terms()
    return account_page(
        request,
        member,
        REQUESTS,
        "request.html",
        status=fault.status if fault else 200,
        back_to=address,
        fault=fault,
        asked=_shown(asked, application),
        scopes=opened_by(asked.scope.split()),
        not_asked=NOT_ASKED,
        shared=None if terms.machines is None else len(terms.machines),
        fields=await terms_fields(request, member, terms, typed),
        # By this route every application gets a token that lasts.
        duration=spoken_duration(context.policy, replace(application.client, kind="classic")),
        may_connect=may(member.role, "connect"),
        action=address,
        hidden=sealed_form(request, _form_of(asked.id)),
        requests_url=REQUESTS,
        machines_url=MACHINES,
        revoke_url=CONNECTIONS,
        people_url=PEOPLE,
    )


def _shown(asked: AccessRequest, application: Application) -> dict[str, Any]:
    return {
        "application": shown(application),
        "reason": asked.reason,
        "email": asked.customer_email,
        "asker": asked.asker,
        "asked_at": asked.asked_at,
        "ends_at": asked.ends_at,
        "url": _address(asked.id),
    }


def _form_of(request_id: UUID) -> str:
    """The name of the form, which another request's page does not have."""
    return f"answer request {request_id}"


def _request_id(request: Request) -> UUID:
    return cast("UUID", request.path_params["request"])


def _address(request_id: UUID) -> str:
    return REQUEST.replace("{request:uuid}", str(request_id))
