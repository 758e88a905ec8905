"""Where the mailed link to a token leads: a button for an owner of the application, and the token, once."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.change_application import ApplicationError
from app.flows.account.rights import OwnerError
from app.flows.approval.browser_flow import SignInFlow
from app.flows.developer.own_applications import find_own_application
from app.flows.mail.links import LinkError
from app.flows.manual.collect import CollectedToken, collect_token, find_pick_up
from app.flows.manual.standing import AccessRequestError
from app.oauth.parameters import has_parameter, parse_query
from app.refused import ToldError
from app.sentence import Sentence
from app.storage.people.people import Person
from app.web.developer.frame import address_below, owner_actor
from app.web.pages.account import account_page
from app.web.pages.account_form import posted_form, sealed_form
from app.web.pages.browser import read_form
from app.web.pages.login import login_page, logout_hidden, note_refusal
from app.web.pages.render import page, see_other, shown
from app.web.pages.signed_in import person_here
from app.web.paths import DEVELOPER, FIRST_PAGE, LOGOUT, OWN_CONNECTIONS, PICK_UP
from app.web.request import context_of, raw_query

_FORM = "pick up"
_ON = {"url": DEVELOPER, "text": Sentence("See your applications")}


async def pick_up(request: Request) -> Response:
    """Nothing is changed yet, so that whoever scans mails may follow the link."""
    query = raw_query(request)
    link = parse_query(query).values.get("link", "") if has_parameter(query, "link") else ""
    person = await person_here(request)
    try:
        found = await find_pick_up(context_of(request), link)
    except LinkError as refused:
        return _spent_page(request, refused)
    if person is None:
        return await login_page(request, SignInFlow(_address(link)))
    try:
        application = await find_own_application(context_of(request), person, found.application_id)
    except ApplicationError as refused:
        note_refusal(request, "not_owner", str(refused))
        return _somebody_else(request, person, link)
    return account_page(
        request,
        person,
        DEVELOPER,
        "developer/pick_up.html",
        back_to=_address(link),
        application=shown(application),
        email=found.customer_email,
        until=found.ends_at,
        action=_address(link),
        hidden=[*sealed_form(request, _FORM, link), ("link", link)],
    )


async def submit_pick_up(request: Request) -> Response:
    async def fields(_: Request) -> dict[str, str]:
        return sent

    sent = dict(await read_form(request))
    posted = await posted_form(request, _FORM, fields)
    if posted is None:
        link = sent.get("link", "")
        try:
            await find_pick_up(context_of(request), link)
        except LinkError as refused:
            return _spent_page(request, refused)
        return see_other(_address(link))
    try:
        token = await collect_token(context_of(request), owner_actor(posted.person), posted.subject)
    except OwnerError as refused:
        note_refusal(request, refused.code, str(refused))
        return _somebody_else(request, posted.person, posted.subject)
    except (LinkError, AccessRequestError) as refused:
        return _spent_page(request, refused)
    return await _token_page(request, posted.person, token)


async def _token_page(request: Request, person: Person, token: CollectedToken) -> Response:
    """The token is on this page alone."""
    context = context_of(request)
    application = await find_own_application(context, person, token.application_id)
    read = (
        f"curl {context.policy.issuer}{FIRST_PAGE} \\\n"
        f'  -H "Accept: application/json" \\\n  -H "Authorization: Bearer {token.text}"'
    )
    return account_page(
        request,
        person,
        DEVELOPER,
        "developer/picked_up.html",
        application=shown(application),
        token=token,
        read=read,
        connections_url=address_below(OWN_CONNECTIONS, token.application_id),
    )


def _somebody_else(request: Request, person: Person, link: str) -> Response:
    """Nothing is told of the application, and the way to use another account is here."""
    return account_page(
        request,
        person,
        DEVELOPER,
        "developer/pick_up_elsewhere.html",
        status=403,
        back_to=_address(link),
        switch=(LOGOUT, logout_hidden(request, _address(link))),
    )


def _spent_page(request: Request, refused: ToldError) -> Response:
    note_refusal(request, refused.code, str(refused))
    return page(
        request,
        "message.html",
        status=refused.status,
        title=refused.title,
        explanation=refused.what,
        link=_ON,
    )


def _address(link: str) -> str:
    return f"{PICK_UP}?{urlencode({'link': link})}"
