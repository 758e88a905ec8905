"""A forgotten password: the page that asks for the address, and the one that the mailed link leads to."""

from datetime import timedelta
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.add_customer import PersonError
from app.flows.account.reset_password import ask_new_password, find_person_of_link, set_new_password
from app.flows.mail.links import LIVES, LinkError
from app.oauth.member_role import may
from app.oauth.parameters import has_parameter, parse_query
from app.sentence import Sentence, counted
from app.web.pages.browser import read_form
from app.web.pages.language import language_of
from app.web.pages.login import note_refusal, visitor_of
from app.web.pages.render import page
from app.web.paths import LOGIN, PASSWORD_FORGOTTEN, PASSWORD_NEW
from app.web.request import context_of, raw_query

_UNPROCESSABLE = 422
_AGAIN = {"url": PASSWORD_FORGOTTEN, "text": Sentence("Ask for a new link")}


async def forgotten(request: Request) -> Response:
    return _forgotten_page(request)


async def submit_forgotten(request: Request) -> Response:
    """Everybody gets one answer, whether or not somebody signs in with the address (R-54)."""
    email = (await read_form(request)).get("email", "")
    visitor = visitor_of(request)
    try:
        queued = await ask_new_password(context_of(request), email, visitor)
    except PersonError as refused:
        return _forgotten_page(request, email=email, error=refused.what)
    if not queued:
        note_refusal(request, "too_many_mails", "a limit of mails a day is used up")
    return page(
        request,
        "password_asked.html",
        back_to=PASSWORD_FORGOTTEN,
        email=email.strip(),
        life=_hours(LIVES["new password"]),
    )


async def new_password(request: Request) -> Response:
    """Where the link leads. Nothing is changed yet, so that whoever scans mails may follow it."""
    query = raw_query(request)
    link = parse_query(query).values.get("link", "") if has_parameter(query, "link") else ""
    try:
        return await _new_page(request, link)
    except LinkError as refused:
        return _spent_page(request, refused)


async def submit_new_password(request: Request) -> Response:
    form = await read_form(request)
    link, password = form.get("link", ""), form.get("password", "")
    try:
        await set_new_password(
            context_of(request),
            link,
            password,
            language=language_of(request).code,
            cut_applications="cut" in form,
        )
    except LinkError as refused:
        return _spent_page(request, refused)
    except PersonError as refused:
        return await _new_page(request, link, error=refused.what, cut="cut" in form)
    return page(
        request,
        "message.html",
        title=Sentence("Your new password is set"),
        explanation=Sentence("Everybody was signed out. Sign in with the new password."),
        link={"url": LOGIN, "text": Sentence("Sign in")},
    )


def _forgotten_page(request: Request, *, email: str = "", error: Sentence | None = None) -> Response:
    return page(
        request,
        "password_forgotten.html",
        back_to=PASSWORD_FORGOTTEN,
        status=_UNPROCESSABLE if error else 200,
        action=PASSWORD_FORGOTTEN,
        email=email,
        error=error,
        login_url=LOGIN,
    )


async def _new_page(
    request: Request, link: str, *, error: Sentence | None = None, cut: bool = False
) -> Response:
    person = await find_person_of_link(context_of(request), link)
    return page(
        request,
        "password_new.html",
        back_to=f"{PASSWORD_NEW}?{urlencode({'link': link})}",
        status=_UNPROCESSABLE if error else 200,
        action=PASSWORD_NEW,
        hidden=[("link", link)],
        email=person.email,
        error=error,
        cut=cut,
        may_cut=may(person.role, "connect"),
    )


def _spent_page(request: Request, refused: LinkError) -> Response:
    return page(
        request,
        "message.html",
        status=refused.status,
        title=refused.title,
        explanation=refused.what,
        link=_AGAIN,
    )


def _hours(life: timedelta) -> Sentence:
    return counted("an hour", "%(count)s hours", int(life / timedelta(hours=1)))
