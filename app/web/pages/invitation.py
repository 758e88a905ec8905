"""Where a mailed invitation leads: what it offers, and accepting it as somebody new or as who one is already."""

from typing import Literal
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.accept_invitation import accept_as, accept_as_new, find_invitation, find_invited
from app.flows.account.add_customer import PersonError
from app.flows.account.invite import InvitationError
from app.flows.approval.browser_flow import SignInFlow, open_form
from app.flows.mail.links import LinkError
from app.oauth.parameters import has_parameter
from app.sentence import Sentence
from app.storage.people.invitations import Invitation
from app.storage.people.people import Person
from app.web.pages.account_form import Fault, refused_at, sealed_form
from app.web.pages.browser import cookie_of, read_form, set_cookie
from app.web.pages.language import language_of
from app.web.pages.login import login_page, logout_hidden, note_refusal, visitor_of
from app.web.pages.render import page, see_other
from app.web.pages.signed_in import person_here
from app.web.paths import ACCOUNT, HOME, INVITATION, LOGIN, LOGOUT
from app.web.request import context_of, raw_query

_ACCEPT = "accept invitation"
_SIGN_IN = "sign-in"  # in the query

# How the visitor stands to the invitation.
Standing = Literal["new", "known", "invited", "member", "elsewhere", "somebody else"]


async def invitation(request: Request) -> Response:
    """Nothing is changed yet, so that whoever scans mails may follow the link."""
    try:
        found = await find_invitation(context_of(request), _secret(request))
    except LinkError as refused:
        return _spent_page(request, refused)
    if has_parameter(raw_query(request), _SIGN_IN):
        return await login_page(request, SignInFlow(_here(request)), email=found.email)
    return await _invitation_page(request, found)


async def submit_invitation(request: Request) -> Response:
    fields = await read_form(request)
    person = await person_here(request)
    try:
        if person is None:
            return await _accept_as_new(request, fields.get("name", ""), fields.get("password", ""))
        return await _accept_as(request, person, fields.get("form"))
    except LinkError as refused:
        return _spent_page(request, refused)


async def _accept_as_new(request: Request, name: str, password: str) -> Response:
    context, secret = context_of(request), _secret(request)
    try:
        signed_in = await accept_as_new(context, secret, visitor_of(request), name=name, password=password)
    except PersonError as refused:
        field = "password" if refused.what.startswith("password") else "name"
        fault = refused_at(request, _ACCEPT, field, refused, 422)
        return await _invitation_page(request, await find_invitation(context, secret), fault, name=name)
    except InvitationError as refused:
        fault = refused_at(request, _ACCEPT, "", refused)
        return await _invitation_page(request, await find_invitation(context, secret), fault)
    response = see_other(f"{ACCOUNT}?joined")
    set_cookie(request, response, "session", signed_in.session)
    set_cookie(request, response, "known", signed_in.known_browser)
    return response


async def _accept_as(request: Request, person: Person, form: str | None) -> Response:
    context, secret = context_of(request), _secret(request)
    found = await find_invitation(context, secret)
    if form is None:  # the form for somebody new, filled in before this browser signed in elsewhere
        return await _invitation_page(request, found, status=409)
    open_form(context, form, browser=cookie_of(request, "session"), action=_ACCEPT)
    try:
        await accept_as(context, person, secret, language=language_of(request, person).code)
    except InvitationError as refused:
        return await _invitation_page(request, found, refused_at(request, _ACCEPT, "", refused))
    return see_other(f"{ACCOUNT}?joined")


async def _invitation_page(
    request: Request, found: Invitation, fault: Fault | None = None, *, name: str = "", status: int = 200
) -> Response:
    person = await person_here(request)
    here = _here(request)
    return page(
        request,
        "invitation.html",
        reader=person,
        status=fault.status if fault else status,
        back_to=here,
        standing=await _standing(request, found, person),
        invitation=found,
        expires=found.expires_at,
        person=person,
        fault=fault,
        name=name,
        action=here,
        hidden=sealed_form(request, _ACCEPT) if person else [],
        sign_in_url=f"{here}?{_SIGN_IN}",
        switch_action=LOGOUT,
        switch_hidden=logout_hidden(request, here) if person else [],
        account_url=ACCOUNT,
    )


async def _standing(request: Request, found: Invitation, person: Person | None) -> Standing:
    if person is None:
        return "known" if await find_invited(context_of(request), found) else "new"
    if person.email != found.email:
        return "somebody else"
    if person.customer_id is None:
        return "invited"
    return "member" if person.customer_id == found.customer_id else "elsewhere"


def _spent_page(request: Request, refused: LinkError) -> Response:
    return spent_page(request, refused, _here(request), HOME, Sentence("Go to the start page"))


def spent_page(request: Request, refused: LinkError, here: str, way_on: str, said: Sentence) -> Response:
    """What a mailed link says that opens nothing any more.

    here: the page's address. way_on, said: where it leads; whoever used the link before signs in.
    """
    note_refusal(request, refused.code, str(refused))
    used = refused.code in ("invitation_accepted", "link_used")
    return page(
        request,
        "message.html",
        status=refused.status,
        back_to=here,
        title=refused.title,
        explanation=refused.what,
        link={"url": LOGIN, "text": Sentence("Sign in")} if used else {"url": way_on, "text": said},
    )


def _secret(request: Request) -> str:
    return str(request.path_params["secret"])


def _here(request: Request) -> str:
    """This page's address, also where its link opens nothing."""
    return INVITATION.format(secret=quote(_secret(request), safe=""))
