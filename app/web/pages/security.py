"""A page on how the person signs in: password, second factor, and the browsers that are signed in."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.change_password import change_password
from app.flows.account.passkeys import LONGEST_NAME, list_passkeys
from app.flows.account.prove import FieldError
from app.flows.account.second_factor import read_recovery_codes_left
from app.flows.account.sessions import ListedSession, end_other_sessions, end_session, list_sessions
from app.flows.approval.browser_flow import SignInFlow
from app.oauth.parameters import parse_query
from app.sentence import Sentence
from app.storage.people.people import Person
from app.throttling.guesses import TooManyGuessesError
from app.web.pages.account import account_page
from app.web.pages.account_form import Fault, fault_of, posted_form, sealed_form
from app.web.pages.browser import cookie_of, set_cookie
from app.web.pages.browser_kind import spoken_kind
from app.web.pages.login import login_page, visitor_of
from app.web.pages.passkey_proof import asked_proof, proof_of, shown_passkey
from app.web.pages.render import see_other
from app.web.pages.sign_ins import shown_history
from app.web.pages.signed_in import person_here
from app.web.paths import (
    AUTHENTICATOR,
    AUTHENTICATOR_OFF,
    CHANGE_PASSWORD,
    END_OTHER_SESSIONS,
    END_SESSION,
    LOGIN,
    PASSKEY_ADD,
    RECOVERY_CODES,
    SECURITY,
)
from app.web.request import context_of, raw_query

PASSWORD_FORM, OFF_FORM, RENEWAL_FORM = "change password", "turn off", "renew recovery codes"
ADD_PASSKEY_FORM = "add passkey"
_END, _END_OTHERS = "end session", "end other sessions"
_DONE = {
    "password": Sentence("Your password was changed. Every other browser was signed out."),
    "session": Sentence("The browser was signed out."),
    "others": Sentence("Every other browser was signed out."),
    "off": Sentence("The authenticator app was turned off. Your password alone signs you in now."),
    "passkey": Sentence("The passkey was added. From now on it signs you in."),
    "renamed": Sentence("The passkey has its new name."),
    "removed": Sentence("The passkey was removed. Every other browser was signed out."),
}


async def security(request: Request) -> Response:
    person = await person_here(request)
    if person is None:
        return await login_page(request, SignInFlow(SECURITY))
    return await security_page(request, person)


async def submit_password(request: Request) -> Response:
    posted = await posted_form(request, PASSWORD_FORM)
    if posted is None:
        return see_other(LOGIN)
    try:
        cookie = await change_password(
            context_of(request),
            posted.person,
            visitor_of(request),
            await proof_of(request, posted),
            new_password=posted.field("new_password"),
        )
    except (FieldError, TooManyGuessesError) as error:
        return await security_page(request, posted.person, fault_of(request, PASSWORD_FORM, error))
    response = see_other(f"{SECURITY}?done=password")
    set_cookie(request, response, "session", cookie)
    return response


async def submit_end_session(request: Request) -> Response:
    posted = await posted_form(request, _END)
    if posted is None:
        return see_other(LOGIN)
    await end_session(context_of(request), posted.actor, posted.person, bytes.fromhex(posted.subject))
    return see_other(f"{SECURITY}?done=session")


async def submit_end_others(request: Request) -> Response:
    posted = await posted_form(request, _END_OTHERS)
    if posted is None:
        return see_other(LOGIN)
    await end_other_sessions(context_of(request), posted.actor, posted.person, posted.session)
    return see_other(f"{SECURITY}?done=others")


async def security_page(
    request: Request, person: Person, fault: Fault | None = None, *, typed_name: str = ""
) -> Response:
    """The page, with what is wrong with one of its forms where it was posted. typed_name: of a passkey, not accepted."""
    context = context_of(request)
    passkeys, offered = await list_passkeys(context, person), context.policy.relying_party is not None
    listed = await list_sessions(context, person, cookie_of(request, "session") or "")
    response = account_page(
        request,
        person,
        SECURITY,
        "security.html",
        status=fault.status if fault else 200,
        fault=fault,
        notice=_DONE.get(parse_query(raw_query(request)).values.get("done", "")),
        codes_left=await read_recovery_codes_left(context, person),
        forms=_forms(request),
        set_up_url=AUTHENTICATOR,
        scripted=offered,
        passkeys=[shown_passkey(request, each) for each in passkeys],
        asked=await asked_proof(request, person),
        passkey_form=(PASSKEY_ADD, sealed_form(request, ADD_PASSKEY_FORM)) if offered else None,
        typed_name=typed_name,
        longest_name=LONGEST_NAME,
        sessions=[_session(request, each) for each in listed],
        **await shown_history(request, person),
    )
    if fault and fault.retry_after_s:
        response.headers["Retry-After"] = str(fault.retry_after_s)
    return response


def _forms(request: Request) -> dict[str, Any]:
    return {
        "password": (CHANGE_PASSWORD, sealed_form(request, PASSWORD_FORM)),
        "off": (AUTHENTICATOR_OFF, sealed_form(request, OFF_FORM)),
        "renewal": (RECOVERY_CODES, sealed_form(request, RENEWAL_FORM)),
        "others": (END_OTHER_SESSIONS, sealed_form(request, _END_OTHERS)),
    }


def _session(request: Request, listed: ListedSession) -> dict[str, Any]:
    session = listed.session
    return {
        "browser": spoken_kind(session.browser or ""),
        "address": session.address or Sentence("unknown"),
        "began": session.created_at,
        "last_seen": session.last_seen_at,
        "here": listed.here,
        "action": END_SESSION,
        "hidden": [] if listed.here else sealed_form(request, _END, session.id_digest.hex()),
    }
