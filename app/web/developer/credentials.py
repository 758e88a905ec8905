"""How an application proves itself: its secrets or its keys, and their rotation."""

from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.change_application import ApplicationError, retire_secret
from app.flows.account.prove import FieldError
from app.flows.account.rights import OwnerError
from app.flows.developer.credential_uses import list_keys
from app.flows.developer.own_credentials import replace_own_keys, rotate_own_secret
from app.oauth.parameters import parse_query
from app.oauth.registration import RegistrationError
from app.refused import RefusedError
from app.sentence import Sentence, quoted
from app.storage.people.application_changes import select_live_secrets
from app.throttling.guesses import TooManyGuessesError
from app.web.developer.frame import OwnerHere, address_below, application_page, owner_here, posting_owner
from app.web.pages.account_form import Fault, fault_of, sealed_form
from app.web.pages.login import note_refusal, visitor_of
from app.web.pages.passkey_proof import asked_proof, proof_of
from app.web.pages.render import see_other
from app.web.paths import CREDENTIALS, REPLACE_KEYS, RETIRE_SECRET, ROTATE_SECRET
from app.web.request import context_of, raw_query

_ROTATE, _RETIRE, _KEYS = "rotate secret", "retire secret", "replace keys"
_OVERLAPS = {
    "0": (timedelta(0), Sentence("Ends at once")),
    "1": (timedelta(days=1), Sentence("Works for another day")),
    "7": (timedelta(days=7), Sentence("Works for another 7 days")),
}
_USUAL = "7"
_DONE = {
    "retired": Sentence("The former secret was ended."),
    "keys": Sentence("The application proves itself by the new keys from now on."),
}
_UNPROCESSABLE = 422


async def credentials(request: Request) -> Response:
    owner = await owner_here(request, CREDENTIALS)
    return owner if isinstance(owner, Response) else await _page(request, owner)


async def submit_rotation(request: Request) -> Response:
    found = await posting_owner(request, CREDENTIALS, _ROTATE)
    if isinstance(found, Response):
        return found
    owner, posted = found
    overlap = posted.field("overlap") if posted.field("overlap") in _OVERLAPS else _USUAL
    try:
        secret = await rotate_own_secret(
            context_of(request),
            owner.actor,
            owner.person,
            visitor_of(request),
            await proof_of(request, posted),
            client=owner.application.client,
            overlap=_OVERLAPS[overlap][0],
        )
    except (FieldError, TooManyGuessesError) as error:
        return await _page(request, owner, fault_of(request, _ROTATE, error), overlap=overlap)
    except (ApplicationError, OwnerError) as refused:
        return await _page(request, owner, _fault(request, _ROTATE, refused, refused.status), overlap=overlap)
    return await _page(request, owner, secret=secret)


async def submit_retirement(request: Request) -> Response:
    found = await posting_owner(request, CREDENTIALS, _RETIRE)
    if isinstance(found, Response):
        return found
    owner, _ = found
    client = owner.application.client
    try:
        await retire_secret(context_of(request), owner.actor, client.client_id)
    except (ApplicationError, OwnerError) as refused:
        return await _page(request, owner, _fault(request, _RETIRE, refused, refused.status))
    return see_other(f"{address_below(CREDENTIALS, client.id)}?done=retired")


async def submit_keys(request: Request) -> Response:
    found = await posting_owner(request, CREDENTIALS, _KEYS)
    if isinstance(found, Response):
        return found
    owner, posted = found
    client, typed = owner.application.client, posted.field("jwks")
    try:
        await replace_own_keys(
            context_of(request),
            owner.actor,
            owner.person,
            visitor_of(request),
            await proof_of(request, posted),
            client=client,
            jwks=typed.encode(),
        )
    except (FieldError, TooManyGuessesError) as error:
        return await _page(request, owner, fault_of(request, _KEYS, error), typed=typed)
    except RegistrationError as refused:
        fault = _fault(request, _KEYS, refused, _UNPROCESSABLE, field="jwks")
        return await _page(request, owner, fault, typed=typed)
    except (ApplicationError, OwnerError) as refused:
        return await _page(request, owner, _fault(request, _KEYS, refused, refused.status), typed=typed)
    return see_other(f"{address_below(CREDENTIALS, client.id)}?done=keys")


def _fault(request: Request, form: str, refused: RefusedError, status: int, *, field: str = "") -> Fault:
    note_refusal(request, refused.code, str(refused))
    said = (
        refused.what
        if isinstance(refused.what, Sentence)
        else quoted(refused.what, "This cannot be changed like this. Please look again.")
    )
    return Fault(form, field, said, status)


async def _page(
    request: Request,
    owner: OwnerHere,
    fault: Fault | None = None,
    *,
    overlap: str = _USUAL,
    typed: str = "",
    secret: str | None = None,
) -> Response:
    """secret: a new one, which is on this page alone."""
    context, client = context_of(request), owner.application.client
    subject = str(client.id)

    def target(path: str, action: str) -> tuple[str, Any]:
        return address_below(path, client.id), sealed_form(request, action, subject)

    asked = await asked_proof(request, owner.person)
    secrets = await select_live_secrets(context.database, client.id)
    return application_page(
        request,
        owner,
        CREDENTIALS,
        "developer/credentials.html",
        status=fault.status if fault else 200,
        scripted=asked.passkey is not None,
        fault=fault,
        asked=asked,
        notice=_DONE.get(parse_query(raw_query(request)).values.get("done", "")),
        secret=secret,
        secrets=secrets,
        leaving=any(each.expires_at is not None for each in secrets),
        public=client.public,
        strict=client.kind == "strict" and not client.public,
        has_keys=client.jwks is not None,
        listed_keys=await list_keys(context, client),
        overlaps=[(value, said) for value, (_, said) in _OVERLAPS.items()],
        overlap=overlap,
        typed=typed,
        rotate=target(ROTATE_SECRET, _ROTATE),
        retire=target(RETIRE_SECRET, _RETIRE),
        keys=target(REPLACE_KEYS, _KEYS),
    )
