"""A page on who the person is: the name, and the e-mail address that signs in."""

from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.change_email import ask_new_email, withdraw_new_email
from app.flows.account.change_name import change_name
from app.flows.account.choose_time_zone import choose_time_zone
from app.flows.account.close import close, leave, read_last_owner
from app.flows.account.export_own_data import export_own_data
from app.flows.account.prove import FieldError
from app.flows.approval.browser_flow import SignInFlow
from app.language.zones import read_common_zones
from app.oauth.parameters import parse_query
from app.sentence import Sentence
from app.storage.people.email_changes import EmailChange, select_pending_email_change
from app.storage.people.members import member_of
from app.storage.people.people import Person
from app.throttling.guesses import TooManyGuessesError
from app.web.pages.account import account_page
from app.web.pages.account_form import Fault, Posted, fault_of, posted_form, sealed_form
from app.web.pages.account_notices import notices_shown
from app.web.pages.browser import drop_cookie
from app.web.pages.login import login_page, visitor_of
from app.web.pages.passkey_proof import asked_proof, proof_of
from app.web.pages.render import page, see_other
from app.web.pages.signed_in import person_here
from app.web.paths import (
    CHANGE_EMAIL,
    CHANGE_NAME,
    CHANGE_TIME_ZONE,
    CLOSE_ACCOUNT,
    HOME,
    LEAVE,
    LOGIN,
    OWN_DATA,
    PROFILE,
    WITHDRAW_EMAIL,
)
from app.web.request import NO_STORE, context_of, raw_query

_NAME, _EMAIL, _WITHDRAW = "change name", "change e-mail", "withdraw e-mail"
_TIME_ZONE = "choose time zone"
_COMMON_ZONES = read_common_zones()
_AREAS = {
    "Africa": Sentence("Africa"),
    "America": Sentence("America"),
    "Antarctica": Sentence("Antarctica"),
    "Arctic": Sentence("The Arctic"),
    "Asia": Sentence("Asia"),
    "Atlantic": Sentence("The Atlantic"),
    "Australia": Sentence("Australia"),
    "Europe": Sentence("Europe"),
    "Indian": Sentence("The Indian Ocean"),
    "Pacific": Sentence("The Pacific"),
}
_LEAVE, _CLOSE, _OWN_DATA = "leave", "close account", "own data"
_DONE = {
    "name": Sentence("Your name was changed."),
    "time-zone": Sentence("From now on, pages and mails tell you the time in this zone."),
    "notices": Sentence("Your choice was saved."),
    "email": Sentence("Two mails are on their way. Nothing changes before both addresses have confirmed it."),
    "withdrawn": Sentence("The change was withdrawn. Your address stays as it is."),
}


async def profile(request: Request) -> Response:
    person = await person_here(request)
    if person is None:
        return await login_page(request, SignInFlow(PROFILE))
    return await _profile_page(request, person)


async def submit_name(request: Request) -> Response:
    posted = await posted_form(request, _NAME)
    if posted is None:
        return see_other(LOGIN)
    try:
        await change_name(context_of(request), posted.actor, posted.person, posted.field("name"))
    except FieldError as error:
        return await _refused_page(request, posted, fault_of(request, _NAME, error))
    return see_other(f"{PROFILE}?done=name")


async def submit_time_zone(request: Request) -> Response:
    posted = await posted_form(request, _TIME_ZONE)
    if posted is None:
        return see_other(LOGIN)
    try:
        await choose_time_zone(context_of(request), posted.actor, posted.person, posted.field("time_zone"))
    except FieldError as error:
        return await _refused_page(request, posted, fault_of(request, _TIME_ZONE, error))
    return see_other(f"{PROFILE}?done=time-zone")


async def submit_email(request: Request) -> Response:
    posted = await posted_form(request, _EMAIL)
    if posted is None:
        return see_other(LOGIN)
    try:
        await ask_new_email(
            context_of(request),
            posted.person,
            visitor_of(request),
            await proof_of(request, posted),
            email=posted.field("email"),
        )
    except (FieldError, TooManyGuessesError) as error:
        return await _refused_page(request, posted, fault_of(request, _EMAIL, error))
    return see_other(f"{PROFILE}?done=email")


async def submit_withdrawal(request: Request) -> Response:
    posted = await posted_form(request, _WITHDRAW)
    if posted is None:
        return see_other(LOGIN)
    await withdraw_new_email(context_of(request), posted.actor, posted.person)
    return see_other(f"{PROFILE}?done=withdrawn")


async def submit_own_data(request: Request) -> Response:
    """A file, and never a page: nothing of it is shown, kept by the browser, or read by a script."""
    posted = await posted_form(request, _OWN_DATA)
    if posted is None:
        return see_other(LOGIN)
    document = await export_own_data(context_of(request), posted.actor, posted.person)
    headers = {**NO_STORE, "Content-Disposition": 'attachment; filename="rovitracker-own-data.json"'}
    return Response(document, media_type="application/json", headers=headers)


async def submit_leave(request: Request) -> Response:
    posted = await posted_form(request, _LEAVE)
    if posted is None:
        return see_other(LOGIN)
    try:
        await leave(
            context_of(request),
            posted.person,
            visitor_of(request),
            await proof_of(request, posted),
        )
    except (FieldError, TooManyGuessesError) as error:
        return await _refused_page(request, posted, fault_of(request, _LEAVE, error))
    return _gone_page(
        request,
        Sentence("You were erased here"),
        Sentence("Your name, e-mail address and password are gone. Nobody signs in as you any more."),
    )


async def submit_close(request: Request) -> Response:
    posted = await posted_form(request, _CLOSE)
    member = member_of(posted.person) if posted else None
    if posted is None or member is None:
        return see_other(LOGIN)
    try:
        await close(
            context_of(request),
            member,
            visitor_of(request),
            await proof_of(request, posted),
        )
    except (FieldError, TooManyGuessesError) as error:
        return await _refused_page(request, posted, fault_of(request, _CLOSE, error))
    return _gone_page(
        request,
        Sentence("The account is closed"),
        Sentence(
            "Every application was disconnected. In 30 days everything is erased; until then RoviTracker can open the account again."
        ),
    )


def _gone_page(request: Request, title: Sentence, explanation: Sentence) -> Response:
    home = {"url": HOME, "text": Sentence("Go to the front page")}
    response = page(request, "message.html", title=title, explanation=explanation, link=home)
    drop_cookie(request, response, "session")
    drop_cookie(request, response, "known")
    return response


async def _refused_page(request: Request, posted: Posted, fault: Fault) -> Response:
    """The page with what was typed, but for what is secret."""
    typed = {"name": posted.fields.get("name", posted.person.name), "email": posted.field("email")}
    response = await _profile_page(request, posted.person, fault, typed)
    if fault.retry_after_s:
        response.headers["Retry-After"] = str(fault.retry_after_s)
    return response


async def _profile_page(
    request: Request, person: Person, fault: Fault | None = None, typed: dict[str, str] | None = None
) -> Response:
    context = context_of(request)
    asked = await asked_proof(request, person)
    pending = await select_pending_email_change(context.database, person.id)
    return account_page(
        request,
        person,
        PROFILE,
        "profile.html",
        status=fault.status if fault else 200,
        fault=fault,
        typed=typed or {"name": person.name, "email": ""},
        notice=_DONE.get(parse_query(raw_query(request)).values.get("done", "")),
        scripted=asked.passkey is not None,
        asked=asked,
        last_owner=await read_last_owner(context, person),
        pending=pending and _pending(pending),
        time_zone=person.time_zone,
        zones=_offered_zones(person.time_zone),
        notices=await notices_shown(request, person),
        forms={
            "name": (CHANGE_NAME, sealed_form(request, _NAME)),
            "time_zone": (CHANGE_TIME_ZONE, sealed_form(request, _TIME_ZONE)),
            "email": (CHANGE_EMAIL, sealed_form(request, _EMAIL)),
            "own_data": (OWN_DATA, sealed_form(request, _OWN_DATA)),
            "leave": (LEAVE, sealed_form(request, _LEAVE)),
            "close": (CLOSE_ACCOUNT, sealed_form(request, _CLOSE)),
            "withdraw": (WITHDRAW_EMAIL, sealed_form(request, _WITHDRAW)),
        },
    )


def _offered_zones(chosen: str) -> list[tuple[Sentence | None, list[tuple[str, str]]]]:
    """Groups of names and what is read of them; the one that the person has, wherever it was chosen, is among them."""
    common = {"UTC", *(name for names in _COMMON_ZONES.values() for name in names)}
    first = ["UTC"] if chosen in common else ["UTC", chosen]
    groups: list[tuple[Sentence | None, list[tuple[str, str]]]] = [(None, [(name, name) for name in first])]
    for area, names in _COMMON_ZONES.items():
        cities = [(name, name.partition("/")[2].replace("_", " ")) for name in names]
        groups.append((_AREAS[area], cities))
    return groups


def _pending(change: EmailChange) -> dict[str, str | bool | datetime]:
    return {
        "new_email": change.new_email,
        "old_confirmed": change.old_confirmed,
        "new_confirmed": change.new_confirmed,
        "until": change.ends_at,
    }
