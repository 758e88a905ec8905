"""A person's passkeys, on the page on security: one is added, renamed, removed."""

import orjson
from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.passkey_answer import ask_for_new
from app.flows.account.passkeys import (
    LONGEST_NAME,
    add_passkey,
    prove_for_new,
    remove_passkey,
    rename_passkey,
)
from app.flows.account.prove import FieldError
from app.flows.approval.browser_flow import open_challenge
from app.throttling.guesses import TooManyGuessesError
from app.web.pages.account import account_page
from app.web.pages.account_form import Fault, Posted, fault_of, posted_form, sealed_form
from app.web.pages.browser_kind import spoken_kind
from app.web.pages.language import language_of
from app.web.pages.login import visitor_of
from app.web.pages.passkey_login import sealed_challenge
from app.web.pages.passkey_proof import REMOVE_FORM, RENAME_FORM, proof_of
from app.web.pages.render import see_other
from app.web.pages.security import ADD_PASSKEY_FORM, security_page
from app.web.paths import LOGIN, PASSKEY_NEW, SECURITY
from app.web.request import context_of

_NEW = "make passkey"


async def submit_begin(request: Request) -> Response:
    """The person proved who they are; the page that comes asks the browser for a passkey, within 5 minutes."""
    posted = await posted_form(request, ADD_PASSKEY_FORM)
    if posted is None:
        return see_other(LOGIN)
    context = context_of(request)
    try:
        await prove_for_new(
            context,
            posted.person,
            visitor_of(request),
            await proof_of(request, posted),
        )
    except (FieldError, TooManyGuessesError) as error:
        return await security_page(request, posted.person, fault_of(request, ADD_PASSKEY_FORM, error))
    asked = await ask_for_new(context, posted.person)
    return _new_page(
        request,
        posted,
        challenge=sealed_challenge(request, asked, _NEW, browser=posted.session),
        options=orjson.dumps(asked.options).decode(),
        name=spoken_kind(visitor_of(request).browser),
    )


async def submit_new(request: Request) -> Response:
    """What the browser made. Where only its name is wrong, the answer waits in the page that comes back."""
    posted = await posted_form(request, _NEW)
    if posted is None:
        return see_other(LOGIN)
    context = context_of(request)
    challenge = open_challenge(context, posted.field("challenge"), browser=posted.session, purpose=_NEW)
    name, answer = posted.field("name"), posted.field("answer")
    try:
        await add_passkey(
            context,
            posted.actor,
            posted.person,
            challenge=challenge,
            answer=answer,
            name=name,
            language=language_of(request, posted.person).code,
        )
    except FieldError as error:
        if error.field != "name":
            return await security_page(request, posted.person, fault_of(request, ADD_PASSKEY_FORM, error))
        return _new_page(
            request,
            posted,
            challenge=posted.field("challenge"),
            answer=answer,
            name=name,
            fault=fault_of(request, _NEW, error),
        )
    return see_other(f"{SECURITY}?done=passkey")


async def submit_rename(request: Request) -> Response:
    posted = await posted_form(request, RENAME_FORM)
    if posted is None:
        return see_other(LOGIN)
    name, key = posted.field("name"), posted.subject
    try:
        await rename_passkey(context_of(request), posted.actor, posted.person, bytes.fromhex(key), name)
    except FieldError as error:
        fault = fault_of(request, f"{RENAME_FORM} {key}", error)
        return await security_page(request, posted.person, fault, typed_name=name)
    return see_other(f"{SECURITY}?done=renamed")


async def submit_remove(request: Request) -> Response:
    posted = await posted_form(request, REMOVE_FORM)
    if posted is None:
        return see_other(LOGIN)
    try:
        await remove_passkey(
            context_of(request),
            posted.actor,
            posted.person,
            visitor_of(request),
            await proof_of(request, posted),
            credential_id=bytes.fromhex(posted.subject),
            session=posted.session,
        )
    except (FieldError, TooManyGuessesError) as error:
        fault = fault_of(request, f"{REMOVE_FORM} {posted.subject}", error)
        return await security_page(request, posted.person, fault)
    return see_other(f"{SECURITY}?done=removed")


def _new_page(
    request: Request,
    posted: Posted,
    *,
    challenge: str,
    name: str,
    options: str = "{}",
    answer: str = "",
    fault: Fault | None = None,
) -> Response:
    """options: JSON for the browser; none where it has answered already."""
    return account_page(
        request,
        posted.person,
        SECURITY,
        "passkey_new.html",
        status=fault.status if fault else 200,
        scripted=True,
        fault=fault,
        action=PASSKEY_NEW,
        hidden=[*sealed_form(request, _NEW), ("challenge", challenge), ("answer", answer)],
        options=options,
        name=name,
        longest_name=LONGEST_NAME,
        security_url=SECURITY,
    )
