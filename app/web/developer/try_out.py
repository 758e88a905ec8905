"""The page where a test walk comes back, with a button for the token and one for the machines."""

from typing import Any
from uuid import UUID

import httpx2
import orjson
from starlette.requests import Request
from starlette.responses import Response

from app.flows.approval.browser_flow import FlowLostError, open_form
from app.flows.developer.try_out import redeem_as_owner
from app.flows.token.issued_token import IssuedToken
from app.oauth.errors import OAuthError
from app.oauth.parameters import parse_form
from app.web.developer.frame import OwnerHere, application_page, owner_here
from app.web.developer.quick_start import TRY_FLOW, try_url
from app.web.pages.account_form import posted_form, sealed_form
from app.web.pages.browser import cookie_of
from app.web.pages.demo import machines_of
from app.web.pages.login import note_refusal
from app.web.pages.render import see_other
from app.web.paths import FIRST_PAGE, LOGIN, OWN_APPLICATION, TOKEN, TRY, TRY_FLEET, TRY_TOKEN
from app.web.request import address_of, context_of, raw_query

_TOKEN_FORM, _FLEET_FORM = "try token", "try fleet"


async def callback(request: Request) -> Response:
    """Where the browser comes back to, with `code` and `state` or with `error`."""
    owner = await owner_here(request, TRY)
    if isinstance(owner, Response):
        return owner
    answer = parse_form(raw_query(request))
    verifier = _verifier(request, answer.get("state"), owner.application.client.id)
    if "error" in answer or "code" not in answer:
        return _page(
            request, owner, step="error", error=answer.get("error"), told=answer.get("error_description")
        )
    return _code_page(request, owner, answer["code"], verifier)


async def fetch_token(request: Request) -> Response:
    """The first button: the token request, for which the owner's session stands instead of the secret."""
    owner = await owner_here(request, TRY)
    posted = await posted_form(request, _TOKEN_FORM)
    if isinstance(owner, Response) or posted is None:
        return see_other(LOGIN)
    code, verifier = posted.subject.split(" ")
    context, client = context_of(request), owner.application.client
    try:
        issued = await redeem_as_owner(
            context,
            owner.person,
            client.id,
            code=code,
            code_verifier=verifier,
            address=address_of(request.scope),
        )
    except OAuthError as refused:
        note_refusal(request, refused.code, str(refused))
        return _page(
            request, owner, step="error", error=refused.code, told=refused.what, status=refused.status
        )
    return _page(
        request,
        owner,
        step="token",
        token_curl=_token_curl(context.policy.issuer, client.client_id, code, verifier),
        token_answer=_pretty(_answer_of(issued)),
        fleet_curl=_fleet_curl(context.policy.issuer, issued.text),
        fleet_hidden=sealed_form(request, _FLEET_FORM, issued.text),
    )


def _answer_of(issued: IssuedToken) -> dict[str, object]:
    return {
        "access_token": issued.text,
        "token_type": "Bearer",
        "type": "Bearer",
        "expires_in": issued.expires_in_s,
        "scope": issued.scope,
    }


async def read_fleet(request: Request) -> Response:
    """The second button: the AEMP request with the token, through the service's whole HTTP front."""
    owner = await owner_here(request, TRY)
    posted = await posted_form(request, _FLEET_FORM)
    if isinstance(owner, Response) or posted is None:
        return see_other(LOGIN)
    token, issuer = posted.subject, context_of(request).policy.issuer
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    transport = httpx2.ASGITransport(app=request.app)
    async with httpx2.AsyncClient(transport=transport, base_url=issuer) as http:
        answer = await http.get(FIRST_PAGE, headers=headers)
    return _page(
        request,
        owner,
        step="fleet",
        fleet_curl=_fleet_curl(issuer, token),
        fleet_answer=_pretty(answer.json()),
        machines=machines_of(answer.json()) if answer.is_success else None,
    )


def _code_page(request: Request, owner: OwnerHere, code: str, verifier: str) -> Response:
    issuer, client = context_of(request).policy.issuer, owner.application.client
    return _page(
        request,
        owner,
        step="code",
        code=code,
        token_curl=_token_curl(issuer, client.client_id, code, verifier),
        token_hidden=sealed_form(request, _TOKEN_FORM, f"{code} {verifier}"),
    )


def _page(request: Request, owner: OwnerHere, *, step: str, status: int = 200, **values: Any) -> Response:
    client = owner.application.client
    absent = dict.fromkeys(
        ("code", "error", "told", "token_curl", "token_answer", "fleet_curl", "fleet_answer", "machines")
    )
    defaults: dict[str, Any] = {**absent, "token_hidden": [], "fleet_hidden": []}
    return application_page(
        request,
        owner,
        OWN_APPLICATION,
        "developer/try.html",
        status=status,
        step=step,
        token_action=TRY_TOKEN.replace("{application:uuid}", str(client.id)),
        fleet_action=TRY_FLEET.replace("{application:uuid}", str(client.id)),
        again_url=try_url(request, client) if client.test else None,
        **{**defaults, **values},
    )


def _verifier(request: Request, state: str | None, application_id: UUID) -> str:
    """Out of the state of this session's own walk. Raises FlowLostError for any other, which may be an attacker's code."""
    flow = open_form(context_of(request), state, browser=cookie_of(request, "session"), action=TRY_FLOW)
    meant, _, verifier = flow.subject.partition(" ")
    if meant != str(application_id):
        raise FlowLostError("the walk was begun for another application")
    return verifier


def _token_curl(issuer: str, client_id: str, code: str, verifier: str) -> str:
    return (
        f"curl -X POST {issuer}{TOKEN} \\\n  -d client_id={client_id} \\\n"
        f'  -d client_secret="$CLIENT_SECRET" \\\n  -d code={code} \\\n  -d code_verifier={verifier}'
    )


def _fleet_curl(issuer: str, token: str) -> str:
    return f"curl {issuer}{FIRST_PAGE} \\\n  -H 'Accept: application/json' \\\n  -H 'Authorization: Bearer {token}'"


def _pretty(answer: Any) -> str:
    return orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode()
