"""`rovitracker flow`: walks a whole flow against a running service, as an application would."""

import secrets
import webbrowser
from base64 import urlsafe_b64encode
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from app.cli.flow_page import LocalPage, serve_page
from app.cli.output import Json, errors, fail
from app.cli.secret import read_secret
from app.cli.walk import Walk
from app.settings import load_settings
from app.web.paths import FIRST_PAGE, SERVER_METADATA

cli = typer.Typer(
    help="Run a whole flow against a running service, and print each step.", no_args_is_help=True
)

_PORT = 8400
_PATIENCE_S = 600

ClientId = Annotated[
    str, typer.Option(help="The application's client_id. Its secret is read from stdin or asked for.")
]
Url = Annotated[
    str | None, typer.Option(help="The service's address.", show_default="ROVITRACKER_PUBLIC_URL in force")
]
Scope = Annotated[str | None, typer.Option(help="The scope to ask for.", show_default="aemp:read")]


@cli.command(
    epilog="Example: rovitracker flow client --client-id 0192f0c1-7b1e-7c3a-9d7e-0c6f5a4b3c2d < secret.txt"
)
def client(client_id: ClientId, url: Url = None, scope: Scope = None, as_json: Json = False) -> None:
    """Get a token by client credentials (RFC 6749 section 4.4), introspect it, and read the machines it opens."""
    credentials = {"client_id": client_id, "client_secret": read_secret("Client secret")}
    with Walk(_service(url), as_json=as_json) as walk:
        endpoints = _discover(walk)
        fields = {"grant_type": "client_credentials", **({"scope": scope} if scope else {}), **credentials}
        token = walk.post("The application asks for a token", _path(endpoints, "token"), fields)[
            "access_token"
        ]
        described = walk.post(
            "What the token is worth", _path(endpoints, "introspection"), {**credentials, "token": token}
        )
        if "account" in described:  # else it acts for no customer, and there are no machines to see
            walk.get("The customer's machines", FIRST_PAGE, token=token)


@cli.command(
    epilog="Example: rovitracker flow code --client-id 0192f0c1-7b1e-7c3a-9d7e-0c6f5a4b3c2d --no-open < secret.txt"
)
def code(
    client_id: ClientId,
    url: Url = None,
    scope: Scope = None,
    port: Annotated[
        int,
        typer.Option(
            min=0,
            max=65_535,
            help="The local page's port; http://127.0.0.1:PORT/callback must be registered. 0 takes any free port.",
        ),
    ] = _PORT,
    public: Annotated[
        bool, typer.Option("--public", help="The application is public, and has no secret to read.")
    ] = False,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open a browser.")] = False,
    as_json: Json = False,
) -> None:
    """Get a token by an authorization code (RFC 6749 section 4.1). A local page sends you to sign in, and takes the answer.

    A strict application's token is refreshed once.
    """
    secret = {} if public else {"client_secret": read_secret("Client secret")}
    credentials = {"client_id": client_id, **secret}
    verifier = secrets.token_urlsafe(48)
    with (
        Walk(_service(url), as_json=as_json) as walk,
        serve_page(port, secrets.token_urlsafe(16)) as page,
    ):
        endpoints = _discover(walk)
        asked = _authorization_request(client_id, page, verifier, scope)
        page.begin_at = f"{endpoints['authorization_endpoint']}?{urlencode(asked)}"
        _check_registered(walk, page, client_id)
        answer = _send_customer(walk, page, open_browser=not no_open)
        if answer.get("iss") != endpoints["issuer"]:
            fail(f"the answer came from {answer.get('iss')}, not from {endpoints['issuer']}")
        fields = {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": page.redirect_uri,
            "code_verifier": verifier,
            **credentials,
        }
        issued = walk.post("The application exchanges the code", _path(endpoints, "token"), fields)
        if "refresh_token" in issued:
            fields = {"grant_type": "refresh_token", "refresh_token": issued["refresh_token"], **credentials}
            issued = walk.post("The application refreshes the token", _path(endpoints, "token"), fields)
        walk.get("The customer's machines", FIRST_PAGE, token=issued["access_token"])


def _service(url: str | None) -> str:
    return url.rstrip("/") if url else load_settings().issuer


def _discover(walk: Walk) -> dict[str, Any]:
    """Believe no service that names another issuer than the address it was asked at (RFC 8414 section 3.3)."""
    found = walk.get("Where the endpoints are", SERVER_METADATA)
    if not isinstance(found, dict) or "issuer" not in found:
        fail(f"what answers at {walk.url} is no authorization server: name one with --url")
    endpoints: dict[str, Any] = found
    if endpoints["issuer"] != walk.url:
        fail(f"the service at {walk.url} says that it is {endpoints['issuer']}: name that with --url")
    return endpoints


def _path(endpoints: dict[str, Any], name: str) -> str:
    return str(endpoints[f"{name}_endpoint"])


def _authorization_request(
    client_id: str, page: LocalPage, verifier: str, scope: str | None
) -> dict[str, str]:
    challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    request = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": page.redirect_uri,
        "state": page.state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return request | ({"scope": scope} if scope else {})


def _check_registered(walk: Walk, page: LocalPage, client_id: str) -> None:
    """The service shows an error page of its own, which nobody at this terminal would see."""
    status = walk.probe(page.begin_at)
    if status == HTTPStatus.BAD_REQUEST:
        fail(
            f"the service does not know client_id {client_id}, or {page.redirect_uri} is not registered for it. "
            f"In development `rovitracker app update {client_id} --redirect-uri {page.redirect_uri}` registers it, "
            "in place of those it has: name these too if they shall stay"
        )
    if status > HTTPStatus.BAD_REQUEST:
        fail(f"the service answers {status} where the customer would be sent")


def _send_customer(walk: Walk, page: LocalPage, *, open_browser: bool) -> dict[str, str]:
    """Send the customer to a browser, and return what it brought back. stderr says where: stdout may be a program's."""
    errors.print(f"Open {page.origin}/ and sign in as a customer; waiting for the answer ...", soft_wrap=True)
    if open_browser:
        webbrowser.open(f"{page.origin}/")
    answer = page.wait(_PATIENCE_S)
    if answer is None:
        fail(f"no answer came to {page.redirect_uri} in {_PATIENCE_S // 60} minutes")
    shown = {name: value for name, value in answer.items() if name != "state"}
    walk.note("The customer decided, and the browser came back", f"GET {page.redirect_uri}", 200, shown)
    if "code" not in answer:
        fail(
            f"{answer.get('error', 'no code')}: {answer.get('error_description', 'the answer holds no code')}"
        )
    return answer
