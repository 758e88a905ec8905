"""The language of a page, and the form at its foot that chooses another."""

from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.flows.account.choose_language import choose_own_language
from app.flows.approval.browser_flow import FormFlow, open_form, seal_flow
from app.language.languages import LANGUAGES, Language, choose_language
from app.oauth.errors import PageError
from app.sentence import Sentence
from app.storage.people.people import Person
from app.web.pages.browser import browser_of, cookie_of, read_form, set_cookie
from app.web.pages.signed_in import person_here
from app.web.paths import HOME, LANGUAGE
from app.web.request import NO_STORE, context_of, field_value, raw_query, with_query

_CHOICE = "choose language"


def language_of(request: Request, person: Person | None = None) -> Language:
    """The language that the person chose, else the one that was chosen in the browser, or that it asks for."""
    return choose_language(
        person.language if person else None,
        cookie_of(request, "language"),
        accepted=field_value(request, b"accept-language"),
    )


def language_form(request: Request, back_to: str | None) -> dict[str, Any]:
    """The choice leads to the page's own address, or to back_to where no address shows the page."""
    sealed = seal_flow(
        context_of(request),
        FormFlow(_CHOICE, _address(request) or back_to or HOME),
        browser=browser_of(request),
    )
    return {
        "action": LANGUAGE,
        "hidden": [("form", sealed)],
        "offered": tuple(LANGUAGES.values()),
    }


def keep_language(request: Request, response: Response, person: Person | None) -> None:
    """A person's own language goes with the browser, so that pages that know nobody come in it too."""
    if person and person.language and cookie_of(request, "language") != person.language:
        set_cookie(request, response, "language", person.language)


async def submit_language(request: Request) -> Response:
    """For whoever is signed in it is kept with the person, for all others in the browser alone."""
    context = context_of(request)
    form = await read_form(request)
    flow = open_form(context, form.get("form"), browser=cookie_of(request, "browser"), action=_CHOICE)
    language = LANGUAGES.get(form.get("language", ""))
    if language is None:
        raise PageError(
            Sentence("There is no such language"),
            Sentence("Choose one of those at the foot of a page."),
            HTTPStatus.UNPROCESSABLE_ENTITY,
        )
    person = await person_here(request)
    if person:
        await choose_own_language(context, person.actor, person, language.code)
    headers = {**NO_STORE, "Referrer-Policy": "same-origin"}
    response = RedirectResponse(flow.subject, HTTPStatus.SEE_OTHER, headers)
    set_cookie(request, response, "language", language.code)
    return response


def _address(request: Request) -> str | None:
    """The address that shows the page again. A browser takes what follows two slashes for another site."""
    path = quote(request.scope["path"])
    if request.method != "GET" or path.startswith("//"):
        return None
    return with_query(path, raw_query(request)) if raw_query(request) else path
