"""Forms in which a person proves again who they are: by password and code, or by a passkey."""

import hashlib
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.passkey_answer import ask_for_one_of, check_proof, works_here
from app.flows.account.passkeys import list_passkeys
from app.flows.account.prove import IdentityProof
from app.flows.account.second_factor import read_recovery_codes_left
from app.flows.account.sign_in import read_session
from app.flows.approval.browser_flow import open_challenge
from app.oauth.errors import PageError
from app.sentence import Sentence
from app.storage.people.passkeys import Passkey
from app.storage.people.people import Person
from app.web.pages.account_form import Posted, sealed_form
from app.web.pages.browser import cookie_of, read_form
from app.web.pages.login import visitor_of
from app.web.pages.passkey_login import asked_answer
from app.web.paths import PASSKEY_ASKED, PASSKEY_REMOVE, PASSKEY_RENAME
from app.web.request import context_of

RENAME_FORM, REMOVE_FORM = "rename passkey", "remove passkey"


@dataclass(frozen=True, slots=True)
class AskedProof:
    """What the forms of a page ask for. has_app: whether a code is asked. passkey: where a challenge comes from, or None."""

    email: str
    has_app: bool
    passkey: str | None


async def asked_proof(request: Request, person: Person) -> AskedProof:
    context = context_of(request)
    passkeys = await list_passkeys(context, person)
    return AskedProof(
        person.email,
        await read_recovery_codes_left(context, person) is not None,
        PASSKEY_ASKED if any(works_here(context, each) for each in passkeys) else None,
    )


async def ask(request: Request) -> Response:
    """A fresh challenge for one of the person's passkeys, bound to the session and the form. Nothing is stored."""
    context = context_of(request)
    fields = await read_form(request)
    session = cookie_of(request, "session")
    person = await read_session(context, session)
    if person is None or session is None:
        raise PageError(Sentence("You are signed out"), Sentence("Sign in again. Nothing was changed."), 403)
    asked = ask_for_one_of(context, await list_passkeys(context, person))
    return asked_answer(request, asked, _purpose(fields.get("form", "")), browser=session)


async def proof_of(request: Request, posted: Posted) -> IdentityProof:
    """What was typed, or the passkey that answered for this very form.

    Raises FieldError when the answer proves nothing, and TooManyGuessesError when a limit is used up.
    """
    answer = posted.field("answer")
    if not answer:
        return IdentityProof(posted.field("password"), posted.field("code"))
    context, visitor = context_of(request), visitor_of(request)
    challenge = open_challenge(
        context,
        posted.field("challenge"),
        browser=posted.session,
        purpose=_purpose(posted.field("form")),
    )
    passkey = await check_proof(context, posted.person, visitor, challenge=challenge, answer=answer)
    return IdentityProof(passkey=passkey)


def _purpose(form: str) -> str:
    """The form that an answer is for, whose seal names the action and what it is about."""
    return f"prove {hashlib.sha256(form.encode()).hexdigest()}"


def shown_passkey(request: Request, passkey: Passkey) -> dict[str, Any]:
    """A passkey as the page on security names it, with its forms. key: tells its forms from the others'."""
    key = passkey.credential_id.hex()
    return {
        "key": key,
        "name": passkey.name,
        "added": passkey.created_at,
        "used": passkey.last_used_at,
        "elsewhere": None if works_here(context_of(request), passkey) else passkey.rp_id,
        "rename": (PASSKEY_RENAME, sealed_form(request, RENAME_FORM, key)),
        "remove": (PASSKEY_REMOVE, sealed_form(request, REMOVE_FORM, key)),
    }
