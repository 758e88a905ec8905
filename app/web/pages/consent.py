"""The authorization endpoint and the consent page."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from urllib.parse import urlencode

import structlog
from starlette.requests import Request
from starlette.responses import Response

from app.context import Context
from app.door.bounds import Bounds
from app.flows.account.prove import FieldError
from app.flows.account.rights import RoleError
from app.flows.approval.authorize import (
    AuthorizationAsked,
    AuthorizationRefused,
    answer_uri,
    check_authorization,
    refusal_uri,
)
from app.flows.approval.browser_flow import ConsentFlow, open_consent, seal_flow
from app.flows.approval.connections import find_connection
from app.flows.approval.decide import AlreadyConnectedError, Decision, decide
from app.flows.approval.terms import Terms
from app.oauth.errors import (
    OAuthError,
    PageError,
    access_denied,
    refused_link,
    server_error,
    temporarily_unavailable,
)
from app.oauth.fleet_details import PARAMETER, FleetDetails, parse_details
from app.oauth.member_role import may
from app.oauth.scope import opened_by
from app.oauth.token_string import new_id
from app.refused import RefusedError
from app.sentence import Sentence
from app.storage.errors import PassingError
from app.storage.people.members import Member
from app.web.error_pages import error_uri
from app.web.pages.asked_terms import begin_terms
from app.web.pages.browser import browser_of, cookie_of
from app.web.pages.consent_known import known_values
from app.web.pages.consent_role import redirect_host, role_page
from app.web.pages.duration import spoken_duration
from app.web.pages.language import language_of
from app.web.pages.login import flow_back_to, login_page, logout_hidden, note_refusal
from app.web.pages.render import page, see_other, shown
from app.web.pages.signed_in import approver_here
from app.web.pages.terms_form import (
    TermsFault,
    TypedTerms,
    fault_at,
    judge_terms,
    read_terms_form,
    terms_fields,
    typed_terms,
)
from app.web.paths import AUTHORIZE, CONNECTIONS, CONSENT, LOGOUT, MACHINES
from app.web.request import address_of, context_of, raw_query, read_body, with_query

LONGEST_LINK = Bounds().target  # else what it goes on to would be refused before anybody could say why

NOT_ASKED = [
    Sentence("Change anything on your machines"),
    Sentence("See your password, or sign in as you"),
]

_log = structlog.get_logger()


async def authorize(request: Request) -> Response:
    """GET: who is not signed in signs in first; who is, is asked. RFC 6749 section 3.1."""
    context = context_of(request)
    try:
        asked = await check_authorization(context, raw_query(request), address_of(request.scope))
    except AuthorizationRefused as refused:
        return _refuse(request, refused.redirect_uri, refused.state, refused.error)
    return await _told_by_redirect(request, asked, lambda: _ask(request, asked))


async def authorize_by_post(request: Request) -> Response:
    """POST: the same request; it goes on as GET, so that signing in can come back to it.

    Raises PageError when no address can hold it.
    """
    link = with_query(AUTHORIZE, await read_body(request.receive))
    if len(link) > LONGEST_LINK:
        raise refused_link(
            Sentence("It has more than %(longest)s characters.", longest=LONGEST_LINK), status=413
        )
    return see_other(link)


async def submit_consent(request: Request) -> Response:
    """The customer's decision; the button says which."""
    form = await read_terms_form(request)
    flow = open_consent(context_of(request), form.get("flow"), browser=cookie_of(request, "browser"))
    request.scope["asking"] = flow.application_id  # whose request it was, if it is refused
    decision = _decision(form.get("decision"))
    typed = typed_terms(form)
    return await _told_by_redirect(request, flow, lambda: _decide(request, flow, decision, typed))


async def _decide(request: Request, flow: ConsentFlow, decision: Decision, typed: TypedTerms) -> Response:
    context = context_of(request)
    application = await context.gathered.applications.find(flow.application_id)
    member = await approver_here(request, application.client) if application else None
    if member is None or (member.id, member.customer_id) != (flow.member_id, flow.customer_id):
        raise PageError(
            Sentence("You are signed in differently now"),
            Sentence(
                "The account changed after this page was shown, so nothing was approved. Start again from the application."
            ),
            403,
        )
    try:
        code = await decide(
            context,
            member.actor,
            flow,
            decision,
            redirect_uri=flow.redirect_uri,
            terms=await _terms(context, flow, member, typed) if decision == "approve" else None,
            language=language_of(request, member).code,
        )
    except FieldError as error:
        return await _asked_again(request, flow, member, error, typed)
    except RoleError:
        if application is None:
            raise
        return await role_page(
            request, application, flow, member, then=CONNECTIONS, browser=browser_of(request)
        )
    except AlreadyConnectedError as connected:
        return page(
            request,
            "already_connected.html",
            back_to=CONNECTIONS,
            status=409,
            signed_in=member,
            application=shown(connected.application),
            connections_url=CONNECTIONS,
        )
    if code is None:
        return _refuse(request, flow.redirect_uri, flow.state, access_denied())
    location = answer_uri(context, flow.redirect_uri, flow.state, ("code", code.text))
    return see_other(location, to_application=True)


async def _terms(context: Context, flow: ConsentFlow, member: Member, typed: TypedTerms) -> Terms:
    begun = await begin_terms(context, member, flow.application_id, _details_of(flow))
    return await judge_terms(context, member, typed, begun.terms)


def _details_of(flow: ConsentFlow) -> FleetDetails | None:
    return parse_details(flow.details) if flow.details is not None else None


async def _asked_again(
    request: Request, flow: ConsentFlow, member: Member, error: FieldError, typed: TypedTerms
) -> Response:
    """The page of the same request, with what was typed."""
    application = await context_of(request).gathered.applications.find(flow.application_id)
    if application is None:
        raise error
    note_refusal(request, error.code, str(error))
    asked = AuthorizationAsked(
        application, flow.redirect_uri, flow.state, flow.scope, flow.code_challenge, _details_of(flow)
    )
    return await _consent_page(request, asked, member, _link(asked), flow, fault_at(error), typed)


def _link(asked: AuthorizationAsked) -> str:
    """The address of the authorization request."""
    query = {
        "response_type": "code",
        "client_id": asked.application.client.client_id,
        "redirect_uri": asked.redirect_uri,
        "scope": asked.scope,
        "state": asked.state,
        "code_challenge": asked.code_challenge,
        "code_challenge_method": asked.code_challenge and "S256",
        PARAMETER: asked.details and asked.details.text,
    }
    return f"{AUTHORIZE}?{urlencode({name: value for name, value in query.items() if value is not None})}"


async def _ask(request: Request, asked: AuthorizationAsked) -> Response:
    here = with_query(AUTHORIZE, raw_query(request))
    member = await approver_here(request, asked.application.client)
    if member is None:
        return await login_page(request, flow_back_to(here, asked))
    return await _consent_page(request, asked, member, here, _flow(asked, member))


async def _consent_page(  # noqa: PLR0917  # each is a part of what is asked, or of what came back
    request: Request,
    asked: AuthorizationAsked,
    member: Member,
    here: str,
    flow: ConsentFlow,
    fault: TermsFault | None = None,
    typed: TypedTerms | None = None,
) -> Response:
    """here: the address of the request. fault, typed: what is wrong with the choice, and what was typed."""
    context = context_of(request)
    browser = browser_of(request)
    if not may(member.role, "connect"):
        return await role_page(request, asked.application, flow, member, then=here, browser=browser)
    begun = await begin_terms(context, member, flow.application_id, asked.details)
    return page(
        request,
        "consent.html",
        status=fault.status if fault else 200,
        signed_in=member,
        back_to=here,
        to_application=True,
        action=CONSENT,
        hidden=[("flow", seal_flow(context, flow, browser=browser))],
        application={**shown(asked.application), "redirect_host": redirect_host(asked.redirect_uri)},
        **await known_values(context, asked.application),
        customer={"name": member.name, "email": member.email, "account": member.customer_name},
        scopes=opened_by(asked.scope.split()),
        fault=fault,
        **begun.shown,
        fields=await terms_fields(request, member, begun.terms, typed),
        not_asked=NOT_ASKED,
        duration=spoken_duration(context.policy, asked.application.client),
        machines_url=f"{context.policy.issuer}{MACHINES}",
        revoke_url=f"{context.policy.issuer}{CONNECTIONS}",
        earlier=await _earlier(request, asked, member),
        switch_action=LOGOUT,
        switch_hidden=logout_hidden(request, here),
    )


def _flow(asked: AuthorizationAsked, member: Member) -> ConsentFlow:
    return ConsentFlow(
        flow_id=new_id(),
        member_id=member.id,
        customer_id=member.customer_id,
        application_id=asked.application.client.id,
        redirect_uri=asked.redirect_uri,
        state=asked.state,
        scope=asked.scope,
        code_challenge=asked.code_challenge,
        details=asked.details.text if asked.details else None,
    )


async def _earlier(request: Request, asked: AuthorizationAsked, member: Member) -> datetime | None:
    """The day of an earlier connection: named on the page, never taken as an answer."""
    context, application_id = context_of(request), asked.application.client.id
    found = await find_connection(context, member.customer_id, application_id)
    return found.connection.connected_at if found else None


async def _told_by_redirect(
    request: Request, asked: AuthorizationAsked | ConsentFlow, work: Callable[[], Awaitable[Response]]
) -> Response:
    """Once the redirect URI is proved, a fault of ours is the application's to know (O-21, O-22)."""
    try:
        return await work()
    except PassingError as passing:
        _log.warning("authorize: store unavailable", detail=str(passing))
        error = temporarily_unavailable()
    except RefusedError:  # told to the person, as everywhere
        raise
    except Exception:  # noqa: BLE001  # RFC 6749 section 4.1.2.1 wants server_error by redirect, whatever it was
        _log.exception("authorize failed")
        error = server_error()
    return _refuse(request, asked.redirect_uri, asked.state, error)


def _refuse(request: Request, redirect_uri: str, state: str | None, error: OAuthError) -> Response:
    context = context_of(request)
    note_refusal(request, error.code, str(error))
    page_about = error_uri(context.policy.issuer, error.code)
    location = refusal_uri(context, redirect_uri, state, error, error_uri=page_about)
    return see_other(location, to_application=True)


def _decision(value: str | None) -> Decision:
    if value == "approve":
        return "approve"
    if value == "deny":
        return "deny"
    raise PageError(
        Sentence("Nothing was decided"), Sentence("Please use one of the two buttons of the page.")
    )
