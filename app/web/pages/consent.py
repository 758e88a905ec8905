"""The authorization endpoint and the consent page."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from urllib.parse import urlsplit

import structlog
from starlette.requests import Request
from starlette.responses import Response

from app.door.bounds import Bounds
from app.flows.account.sign_in import read_session
from app.flows.approval.authorize import (
    AuthorizationAsked,
    AuthorizationRefused,
    answer_uri,
    check_authorization,
    refusal_uri,
)
from app.flows.approval.browser_flow import ConsentFlow, open_consent, seal_flow
from app.flows.approval.connections import connected_at
from app.flows.approval.decide import AlreadyConnectedError, Decision, decide
from app.oauth.client import Client
from app.oauth.errors import (
    OAuthError,
    PageError,
    access_denied,
    refused_link,
    server_error,
    temporarily_unavailable,
)
from app.oauth.scope import opened_by
from app.oauth.token_string import new_id
from app.policy import Policy
from app.refused import RefusedError
from app.storage.errors import PassingError
from app.storage.people.people import Member
from app.web.error_pages import error_uri
from app.web.pages.browser import browser_of, cookie_of, keep_browser, read_form
from app.web.pages.login import flow_back_to, login_page, logout_hidden
from app.web.pages.render import page, see_other, shown
from app.web.paths import AUTHORIZE, CONNECTIONS, CONSENT, LOGOUT, MACHINES
from app.web.request import address_of, context_of, raw_query, read_body, with_query

LONGEST_LINK = Bounds().target  # else what it goes on to would be refused before anybody could say why

_NOT_ASKED = ["Change anything on your machines", "See your password, or sign in as you"]

_UNITS = (
    ("year", timedelta(days=365)),
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
    ("second", timedelta(seconds=1)),
)

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
        raise refused_link(f"It has more than {LONGEST_LINK:,} characters.", status=413)
    return see_other(link)


async def submit_consent(request: Request) -> Response:
    """The customer's decision; the button says which."""
    form = await read_form(request)
    flow = open_consent(context_of(request), form.get("flow"), browser=cookie_of(request, "browser"))
    decision = _decision(form.get("decision"))
    return await _told_by_redirect(request, flow, lambda: _decide(request, flow, decision))


async def _decide(request: Request, flow: ConsentFlow, decision: Decision) -> Response:
    context = context_of(request)
    member = await read_session(context, cookie_of(request, "session"))
    if member is None or (member.id, member.customer_id) != (flow.member_id, flow.customer_id):
        raise PageError(
            "You are signed in differently now",
            "The account changed after this page was shown, so nothing was approved. Start again from the application.",
            403,
        )
    try:
        code = await decide(context, flow, member, decision, redirect_uri=flow.redirect_uri)
    except AlreadyConnectedError as connected:
        return page(
            request,
            "already_connected.html",
            status=409,
            signed_in=member,
            application=shown(connected.application),
            connections_url=CONNECTIONS,
        )
    if code is None:
        return _refuse(request, flow.redirect_uri, flow.state, access_denied())
    location = answer_uri(context, flow.redirect_uri, flow.state, ("code", code.text))
    return see_other(location, to_application=True)


async def _ask(request: Request, asked: AuthorizationAsked) -> Response:
    context = context_of(request)
    here = with_query(AUTHORIZE, raw_query(request))
    member = await read_session(context, cookie_of(request, "session"))
    if member is None:
        return await login_page(request, flow_back_to(here, asked))
    return await _consent_page(request, asked, member, here)


async def _consent_page(request: Request, asked: AuthorizationAsked, member: Member, here: str) -> Response:
    context = context_of(request)
    browser = browser_of(request)
    flow = ConsentFlow(
        flow_id=new_id(),
        member_id=member.id,
        customer_id=member.customer_id,
        application_id=asked.application.client.id,
        redirect_uri=asked.redirect_uri,
        state=asked.state,
        scope=asked.scope,
        code_challenge=asked.code_challenge,
    )
    response = page(
        request,
        "consent.html",
        signed_in=member,
        to_application=True,
        action=CONSENT,
        hidden=[("flow", seal_flow(context, flow, browser=browser))],
        application={**shown(asked.application), "redirect_host": _redirect_host(asked.redirect_uri)},
        customer={"name": member.name, "email": member.email, "account": member.customer_name},
        scopes=opened_by(asked.scope.split()),
        not_asked=_NOT_ASKED,
        duration=_duration(context.policy, asked.application.client),
        machines_url=f"{context.policy.issuer}{MACHINES}",
        revoke_url=f"{context.policy.issuer}{CONNECTIONS}",
        earlier=await _earlier(request, asked, member),
        switch_action=LOGOUT,
        switch_hidden=logout_hidden(request, here),
    )
    keep_browser(request, response, browser)
    return response


async def _earlier(request: Request, asked: AuthorizationAsked, member: Member) -> str | None:
    """The day of an earlier connection: named on the page, never taken as an answer."""
    since = await connected_at(context_of(request), member.customer_id, asked.application.client.id)
    return f"{since:%-d %B %Y}" if since else None


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
    page_about = error_uri(context.policy.issuer, error.code)
    location = refusal_uri(context, redirect_uri, state, error, error_uri=page_about)
    return see_other(location, to_application=True)


def _duration(policy: Policy, client: Client) -> str:
    """The end of "The connection lasts ..."."""
    lifetimes = policy.lifetimes
    idle, absolute = lifetimes.classic_idle, lifetimes.classic_absolute
    if client.kind == "strict":
        if not client.allows("refresh_token"):
            return _spoken(lifetimes.strict_access)
        idle, absolute = lifetimes.refresh_idle, lifetimes.refresh_absolute
    return (
        f"until you disconnect it; it ends by itself after {_spoken(idle)} without use, "
        f"and after {_spoken(absolute)} at the latest"
    )


def _spoken(span: timedelta) -> str:
    count, unit = next((span // length, unit) for unit, length in _UNITS if not span % length)
    return f"{'an' if unit == 'hour' else 'a'} {unit}" if count == 1 else f"{count} {unit}s"


def _decision(value: str | None) -> Decision:
    if value == "approve":
        return "approve"
    if value == "deny":
        return "deny"
    raise PageError("Nothing was decided", "Please use one of the two buttons of the page.")


def _redirect_host(uri: str) -> str:
    """Where the browser goes next, as a person reads it."""
    parts = urlsplit(uri)
    return parts.netloc or f"the app {parts.scheme}"
