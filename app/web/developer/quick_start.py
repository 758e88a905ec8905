"""The first page of an application: its own requests, ready to paste, and a walk through the whole flow."""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.rights import OwnerError
from app.flows.approval.browser_flow import FormFlow, seal_flow
from app.flows.developer.act_alone import (
    ActAloneError,
    acts_alone,
    connect_test_customer,
    read_acts_for,
)
from app.flows.developer.test_customer import InTestModeError
from app.oauth.client import Client
from app.oauth.parameters import parse_query
from app.sentence import Sentence
from app.web.developer.frame import OwnerHere, address_below, application_page, owner_here, posting_owner
from app.web.pages.account_form import Fault, refused_at, sealed_form
from app.web.pages.browser import cookie_of
from app.web.pages.render import see_other
from app.web.paths import AUTHORIZE, CONNECT_TEST_CUSTOMER, FIRST_PAGE, OWN_APPLICATION, TOKEN
from app.web.request import context_of, raw_query

TRY_FLOW = "try application"
_CONNECT = "connect test customer"
_DONE = {
    "connected": Sentence(
        "Your test customer is connected. The application's own tokens act for it from now on."
    ),
    "already": Sentence("Your test customer was connected already. Nothing was changed."),
}


async def quick_start(request: Request) -> Response:
    owner = await owner_here(request, OWN_APPLICATION)
    return owner if isinstance(owner, Response) else await _page(request, owner)


async def submit_test_customer(request: Request) -> Response:
    """It acts for the owner's own test customer from now on: the form names none."""
    found = await posting_owner(request, OWN_APPLICATION, _CONNECT)
    if isinstance(found, Response):
        return found
    owner, _ = found
    client_id = owner.application.client.id
    try:
        changed = await connect_test_customer(context_of(request), owner.actor, owner.person, client_id)
    except (OwnerError, InTestModeError, ActAloneError) as refused:
        return await _page(request, owner, refused_at(request, _CONNECT, "", refused))
    done = "connected" if changed else "already"
    return see_other(f"{address_below(OWN_APPLICATION, client_id)}?done={done}")


async def _page(request: Request, owner: OwnerHere, fault: Fault | None = None) -> Response:
    context, client = context_of(request), owner.application.client
    alone = acts_alone(client)
    return application_page(
        request,
        owner,
        OWN_APPLICATION,
        "developer/quick_start.html",
        status=fault.status if fault else 200,
        fault=fault,
        notice=_DONE.get(parse_query(raw_query(request)).values.get("done", "")) if fault is None else None,
        redirect_uris=client.redirect_uris,
        examples=examples(context.policy.issuer, client),
        try_url=try_url(request, client) if client.test else None,
        acts_for=await read_acts_for(context, owner.person, client) if alone else None,
        may_connect=client.test and client.active,
        connect=(
            address_below(CONNECT_TEST_CUSTOMER, client.id),
            sealed_form(request, _CONNECT, str(client.id)),
        ),
        alone_example=example_alone(context.policy.issuer, client) if alone else None,
    )


def try_url(request: Request, client: Client) -> str:
    """The authorization request of the test walk. Its state is sealed to this session, and carries the verifier."""
    context, verifier = context_of(request), secrets.token_urlsafe(32)
    challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    flow = FormFlow(TRY_FLOW, f"{client.id} {verifier}")
    query = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": context.policy.trial_uri(client.id),
        "state": seal_flow(context, flow, browser=cookie_of(request, "session") or ""),
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return f"{AUTHORIZE}?{urlencode(query)}"


def example_alone(issuer: str, client: Client) -> str:
    """The token request of an application that acts by itself, and a request with the token."""
    assertion = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    proof = (
        f'  -d client_assertion_type={assertion} \\\n  -d client_assertion="$CLIENT_ASSERTION"'
        if client.jwks
        else f'  -d client_id={client.client_id} \\\n  -d client_secret="$CLIENT_SECRET"'
    )
    return (
        f"curl -X POST {issuer}{TOKEN} \\\n  -d grant_type=client_credentials \\\n{proof}\n"
        f'curl {issuer}{FIRST_PAGE} \\\n  -H "Accept: application/json" -H "Authorization: Bearer $ACCESS_TOKEN"'
    )


def examples(issuer: str, client: Client) -> list[tuple[str, str]]:
    """The documented requests with the application's own ids: a heading and what to paste, in three languages."""
    uri = client.redirect_uris[0] if client.redirect_uris else "https://your-server.example/callback"
    consent = f"{issuer}{AUTHORIZE}?" + urlencode(
        {"client_id": client.client_id, "redirect_uri": uri, "state": "made-up-by-you"}
    )
    curl = (
        f"# Send the customer's browser to\n# {consent}\n"
        f"curl -X POST {issuer}{TOKEN} \\\n  -d client_id={client.client_id} \\\n"
        f'  -d client_secret="$CLIENT_SECRET" \\\n  -d code="$CODE"\n'
        f'curl {issuer}{FIRST_PAGE} \\\n  -H "Accept: application/json" -H "Authorization: Bearer $ACCESS_TOKEN"'
    )
    python = (
        "import os, httpx\n\n"
        f'answer = httpx.post("{issuer}{TOKEN}", data={{\n'
        f'    "client_id": "{client.client_id}",\n'
        '    "client_secret": os.environ["CLIENT_SECRET"],\n    "code": code,\n})\n'
        'token = answer.raise_for_status().json()["access_token"]\n'
        f'fleet = httpx.get("{issuer}{FIRST_PAGE}", headers={{\n'
        '    "Accept": "application/json", "Authorization": f"Bearer {token}",\n}).json()'
    )
    javascript = (
        f'const answer = await fetch("{issuer}{TOKEN}", {{\n  method: "POST",\n'
        "  body: new URLSearchParams({\n"
        f'    client_id: "{client.client_id}",\n'
        "    client_secret: process.env.CLIENT_SECRET,\n    code,\n  }),\n});\n"
        "const { access_token } = await answer.json();\n"
        f'const fleet = await (await fetch("{issuer}{FIRST_PAGE}", {{\n'
        '  headers: { Accept: "application/json", Authorization: `Bearer ${access_token}` },\n})).json();'
    )
    return [("curl", curl), ("Python", python), ("JavaScript", javascript)]
