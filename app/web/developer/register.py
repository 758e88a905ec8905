"""Sign up as an owner of applications: ask for the address, then for a password where the mailed link leads."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.add_customer import PersonError
from app.flows.account.invite import InvitationError
from app.flows.developer.sign_up import SignUpError, ask_sign_up, find_sign_up, finish_sign_up
from app.flows.mail.links import LinkError
from app.sentence import Sentence
from app.storage.people.people import Person
from app.web.pages.account_form import Fault, refused_at
from app.web.pages.browser import read_form, set_cookie
from app.web.pages.login import note_refusal, visitor_of
from app.web.pages.render import page, see_other
from app.web.pages.signed_in import person_here
from app.web.paths import LOGIN, NEW_APPLICATION, REGISTER, SIGN_UP
from app.web.request import context_of

_FORM = "sign up"
_UNPROCESSABLE = 422


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
        return await _sign_up_page(request)
    except LinkError as refused:
        return _spent_page(request, refused)


async def submit_sign_up(request: Request) -> Response:
    fields = await read_form(request)
    name, password = fields.get("name", ""), fields.get("password", "")
    try:
        signed_in = await finish_sign_up(
            context_of(request), _secret(request), visitor_of(request), name=name, password=password
        )
    except LinkError as refused:
        return _spent_page(request, refused)
    except PersonError as refused:
        field = "password" if refused.what.startswith("password") else "name"
        return await _sign_up_page(request, refused_at(request, _FORM, field, refused, _UNPROCESSABLE), name)
    except (SignUpError, InvitationError) as refused:
        return await _sign_up_page(request, refused_at(request, _FORM, "", refused), name)
    response = see_other(NEW_APPLICATION)
    set_cookie(request, response, "session", signed_in.session)
    set_cookie(request, response, "known", signed_in.known_browser)
    return response


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
    found = await find_sign_up(context_of(request), _secret(request))
    here: Person | None = await person_here(request)
    return page(
        request,
        "developer/sign_up.html",
        status=fault.status if fault else 200,
        reader=here,
        back_to=_here(request),
        action=_here(request),
        fault=fault,
        email=found.email,
        name=name,
        login_url=LOGIN,
    )


def _spent_page(request: Request, refused: LinkError) -> Response:
    note_refusal(request, refused.code, str(refused))
    used = refused.code == "link_used"
    onward = (
        {"url": LOGIN, "text": Sentence("Sign in")}
        if used
        else {"url": REGISTER, "text": Sentence("Sign up again")}
    )
    return page(
        request,
        "message.html",
        status=refused.status,
        back_to=_here(request),
        title=refused.title,
        explanation=refused.what,
        link=onward,
    )


def _secret(request: Request) -> str:
    return str(request.path_params["secret"])


def _here(request: Request) -> str:
    """This page's address, also where its link opens nothing."""
    return SIGN_UP.format(secret=quote(_secret(request), safe=""))
