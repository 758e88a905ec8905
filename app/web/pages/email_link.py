"""Where the links lead that are mailed for a change of address: confirm it, or stop it."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.change_email import (
    OpenedLink,
    Outcome,
    confirm_new_email,
    open_email_link,
    stop_new_email,
)
from app.flows.mail.links import LinkError
from app.oauth.errors import PageError
from app.oauth.parameters import has_parameter, parse_query
from app.sentence import Sentence
from app.storage.people.people import Person
from app.web.pages.browser import read_form
from app.web.pages.language import language_of
from app.web.pages.render import page
from app.web.pages.signed_in import person_here
from app.web.paths import EMAIL_LINK, LOGIN, PASSWORD_FORGOTTEN, PROFILE
from app.web.request import context_of, raw_query

_SIGN_IN = {"url": LOGIN, "text": Sentence("Sign in")}
_NEW_PASSWORD = {"url": PASSWORD_FORGOTTEN, "text": Sentence("Set a new password")}
_TO_PROFILE = {"url": PROFILE, "text": Sentence("Go to your profile")}
_SAID: dict[Outcome, tuple[Sentence, Sentence, dict[str, str]]] = {
    "waits for the other": (
        Sentence("This address has confirmed the change"),
        Sentence("It holds once the other address has confirmed it too. A mail went there."),
        _TO_PROFILE,
    ),
    "changed": (
        Sentence("The address was changed"),
        Sentence("Sign in with the new address from now on."),
        _SIGN_IN,
    ),
    "stopped": (
        Sentence("The change was stopped"),
        Sentence(
            "Your address stays as it is, and everybody was signed out. If you did not ask for the change, set a new password."
        ),
        _NEW_PASSWORD,
    ),
    "taken back": (
        Sentence("The change was taken back"),
        Sentence(
            "You sign in with this address again, and everybody was signed out. Set a new password now."
        ),
        _NEW_PASSWORD,
    ),
}


async def email_link(request: Request) -> Response:
    """Nothing is changed yet, so that whoever scans mails may follow the link."""
    query = raw_query(request)
    link = parse_query(query).values.get("link", "") if has_parameter(query, "link") else ""
    try:
        opened = await open_email_link(context_of(request), link)
    except LinkError as refused:
        return _spent_page(request, refused)
    return _choice_page(request, link, opened, await person_here(request))


async def submit_email_link(request: Request) -> Response:
    form = await read_form(request)
    link, decision = form.get("link", ""), form.get("decision", "")
    try:
        await open_email_link(context_of(request), link)
        outcome = await _decide(request, decision, link)
    except LinkError as refused:
        return _spent_page(request, refused)
    title, explanation, way_on = _SAID[outcome]
    return page(request, "message.html", title=title, explanation=explanation, link=way_on)


async def _decide(request: Request, decision: str, link: str) -> Outcome:
    if decision == "confirm":
        return await confirm_new_email(context_of(request), link, language_of(request).code)
    if decision == "stop":
        return await stop_new_email(context_of(request), link)
    raise PageError(Sentence("Nothing was decided"), Sentence("Please use one of the buttons of the page."))


def _choice_page(request: Request, link: str, opened: OpenedLink, reader: Person | None) -> Response:
    change = opened.change
    return page(
        request,
        "email_link.html",
        reader=reader,
        back_to=f"{EMAIL_LINK}?{urlencode({'link': link})}",
        action=EMAIL_LINK,
        hidden=[("link", link)],
        side=opened.side,
        changed=change.changed,
        old_email=change.old_email,
        new_email=change.new_email,
        until=change.ends_at,
    )


def _spent_page(request: Request, refused: LinkError) -> Response:
    return page(
        request,
        "message.html",
        status=refused.status,
        title=refused.title,
        explanation=refused.what,
        link=_TO_PROFILE,
    )
