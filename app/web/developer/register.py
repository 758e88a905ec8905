"""Sign up as an owner of applications: ask for the address, then for a password where the mailed link leads."""

from typing import Literal
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.add_customer import PersonError
from app.flows.account.invite import InvitationError
from app.flows.account.rights import OwnerError
from app.flows.approval.browser_flow import SignInFlow, open_form
from app.flows.developer.own_people import accept_as_owner
from app.flows.developer.sign_up import SignUpError, ask_sign_up, finish_sign_up
from app.flows.mail.links import LinkError, check_sign_up_link
from app.oauth.parameters import has_parameter
from app.sentence import Sentence
from app.storage.people.people import Person, select_person
from app.storage.people.sign_ups import SignUp
from app.web.developer.frame import address_below
from app.web.pages.account_form import Fault, refused_at, sealed_form
from app.web.pages.browser import cookie_of, read_form, set_cookie
from app.web.pages.invitation import spent_page
from app.web.pages.login import login_page, logout_hidden, note_refusal, visitor_of
from app.web.pages.render import page, see_other
from app.web.pages.signed_in import person_here
from app.web.paths import DEVELOPER, LOGIN, LOGOUT, NEW_APPLICATION, OWN_APPLICATION, REGISTER, SIGN_UP
from app.web.request import context_of, raw_query

_FORM, _ACCEPT = "sign up", "own application"
_SIGN_IN = "sign-in"  # in the query
_UNPROCESSABLE = 422

Standing = Literal["new", "known", "invited", "somebody else"]


async def register(request: Request) -> Response:
    """Who is signed in has an account, and goes on to the form of a new application."""
    if await person_here(request) is not None:
        return see_other(NEW_APPLICATION)
    return _asking_page(request)


async def submit_register(request: Request) -> Response:
    """Everybody gets one answer, whether or not somebody signs in with the address (R-54)."""
    email = (await read_form(request)).get("email", "")
    try:
        queued = await ask_sign_up(context_of(request), email, visitor_of(request))
    except PersonError as refused:
        return _asking_page(request, refused_at(request, _FORM, "email", refused, _UNPROCESSABLE), email)
    if not queued:
        note_refusal(request, "too_many_mails", "a limit of mails a day is used up")
    return page(request, "developer/asked.html", back_to=REGISTER, email=email.strip())


async def sign_up(request: Request) -> Response:
    """Where the link leads. Nothing is changed yet, so that whoever scans mails may follow it."""
    try:
        if has_parameter(raw_query(request), _SIGN_IN):
            found = await check_sign_up_link(context_of(request).database, _secret(request))
            return await login_page(request, SignInFlow(_here(request)), email=found.email)
        return await _sign_up_page(request)
    except LinkError as refused:
        return _spent_page(request, refused)


async def submit_sign_up(request: Request) -> Response:
    fields = await read_form(request)
    try:
        if "form" in fields:
            return await _accept(request, fields["form"])
        return await _finish(request, fields.get("name", ""), fields.get("password", ""))
    except LinkError as refused:
        return _spent_page(request, refused)


async def _finish(request: Request, name: str, password: str) -> Response:
    try:
        signed_in = await finish_sign_up(
            context_of(request), _secret(request), visitor_of(request), name=name, password=password
        )
    except PersonError as refused:
        field = "password" if refused.what.startswith("password") else "name"
        return await _sign_up_page(request, refused_at(request, _FORM, field, refused, _UNPROCESSABLE), name)
    except (SignUpError, InvitationError) as refused:
        return await _sign_up_page(request, refused_at(request, _FORM, "", refused), name)
    response = see_other(DEVELOPER)
    set_cookie(request, response, "session", signed_in.session)
    set_cookie(request, response, "known", signed_in.known_browser)
    return response


async def _accept(request: Request, form: str) -> Response:
    """An invitation, by the person who signs in with its address."""
    context, person = context_of(request), await person_here(request)
    if person is None:
        return await _sign_up_page(request)
    open_form(context, form, browser=cookie_of(request, "session"), action=_ACCEPT)
    try:
        application_id = await accept_as_owner(context, person, _secret(request))
    except OwnerError as refused:
        return await _sign_up_page(request, refused_at(request, _ACCEPT, "", refused))
    return see_other(address_below(OWN_APPLICATION, application_id))


def _asking_page(request: Request, fault: Fault | None = None, email: str = "") -> Response:
    return page(
        request,
        "developer/register.html",
        status=fault.status if fault else 200,
        back_to=REGISTER,
        action=REGISTER,
        fault=fault,
        email=email,
        login_url=LOGIN,
    )


async def _sign_up_page(request: Request, fault: Fault | None = None, name: str = "") -> Response:
    here = _here(request)
    found = await check_sign_up_link(context_of(request).database, _secret(request))
    person = await person_here(request)
    return page(
        request,
        "developer/sign_up.html",
        status=fault.status if fault else 200,
        reader=person,
        back_to=here,
        action=here,
        fault=fault,
        email=found.email,
        application=found.application,
        inviter=found.inviter,
        standing=await _standing(request, found, person),
        person=person,
        name=name,
        hidden=sealed_form(request, _ACCEPT) if person else [],
        login_url=f"{here}?{_SIGN_IN}" if found.application_id else LOGIN,
        switch_action=LOGOUT,
        switch_hidden=logout_hidden(request, here) if person else [],
    )


async def _standing(request: Request, found: SignUp, person: Person | None) -> Standing:
    """How the visitor stands to it. Who signs up by themself is told by mail that they have an account already."""
    if found.application_id is None:
        return "new"
    if person is None:
        return "known" if await select_person(context_of(request).database, found.email) else "new"
    return "invited" if person.email == found.email else "somebody else"


def _spent_page(request: Request, refused: LinkError) -> Response:
    return spent_page(request, refused, _here(request), REGISTER, Sentence("Sign up again"))


def _secret(request: Request) -> str:
    return str(request.path_params["secret"])


def _here(request: Request) -> str:
    """This page's address, also where its link opens nothing."""
    return SIGN_UP.format(secret=quote(_secret(request), safe=""))
