"""The first page of an application: its own requests, ready to paste, and a walk through the whole flow."""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from app.flows.approval.browser_flow import FormFlow, seal_flow
from app.oauth.client import Client
from app.web.developer.frame import application_page, owner_here
from app.web.pages.browser import cookie_of
from app.web.paths import AUTHORIZE, FIRST_PAGE, OWN_APPLICATION, TOKEN
from app.web.request import context_of

TRY_FLOW = "try application"


async def quick_start(request: Request) -> Response:
    owner = await owner_here(request, OWN_APPLICATION)
    if isinstance(owner, Response):
        return owner
    client = owner.application.client
    return application_page(
        request,
        owner,
        OWN_APPLICATION,
        "developer/quick_start.html",
        redirect_uris=client.redirect_uris,
        examples=examples(context_of(request).policy.issuer, client),
        try_url=try_url(request, client) if client.test else None,
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
