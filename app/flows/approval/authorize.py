"""The authorization request (RFC 6749 section 4.1.1): who asks for what, and where the answer may go."""

from dataclasses import dataclass

from app.context import Context
from app.flows.token.authenticate import read_application
from app.oauth.client import Client
from app.oauth.errors import OAuthError, PageError, invalid_request, unauthorized_client
from app.oauth.fleet_details import FleetDetails, check_asked, parse_details
from app.oauth.grant_type import check_resource
from app.oauth.pkce import check_challenge
from app.oauth.redirect_uri import append, match
from app.oauth.request import AuthorizationRequest, check
from app.oauth.scope import Scope, narrow
from app.refused import RefusedError
from app.sentence import Sentence
from app.storage.people.applications import Application


@dataclass(frozen=True, slots=True)
class AuthorizationAsked:
    """A request that may be put before the customer. details: authorization details; None where it sent none."""

    application: Application
    redirect_uri: str
    state: str | None
    scope: str
    code_challenge: str | None
    details: FleetDetails | None = None


class AuthorizationRefused(RefusedError):  # noqa: N818  # the RFC's refusal, answered by redirect
    """A refusal that the application is told, at a redirect URI that is proved to be its own."""

    def __init__(self, error: OAuthError, redirect_uri: str, state: str | None) -> None:
        super().__init__(error.what, code=error.code, status=error.status, detail=str(error))
        self.error = error
        self.redirect_uri = redirect_uri
        self.state = state


async def check_authorization(context: Context, raw_query: bytes, address: str) -> AuthorizationAsked:
    """Judge an authorization request.

    Raises PageError until application and redirect URI are proved (O-6, O-7), and AuthorizationRefused after that.
    Raises OAuthError 429 when the address made up too many applications.
    """
    request = AuthorizationRequest.parse(raw_query)
    application = await read_application(context, request.client_id, address)
    if application is None or application.client.status in ("deleted", "pending"):
        raise PageError(
            Sentence("This application is not known here"),
            Sentence(
                "The address that brought you here names an application that is not registered with RoviTracker, "
                "or not approved yet. Nothing was shared. Please tell the application's makers."
            ),
        )
    client = application.client
    if not client.active:
        # RFC 6749 section 4.1.2.1: its address may be why it was suspended, so nobody is sent there.
        raise PageError(
            Sentence("This application is not available"),
            Sentence(
                "It is suspended, so it cannot be connected. Nothing was shared. Please tell the application's makers."
            ),
        )
    redirect_uri = prove_redirect_uri(context, client, request.redirect_uri)
    try:
        return _read_asked(context, request, application, redirect_uri)
    except OAuthError as error:
        raise AuthorizationRefused(error, redirect_uri, request.state) from error


def prove_redirect_uri(context: Context, client: Client, requested: str | None) -> str:
    """The address that the answer goes to. Raises PageError when it is not the application's.

    Whoever runs the service finds the application of a refused link in the log, which nobody else can tell them.
    """
    if client.test and requested == context.policy.trial_uri(client.id):
        return requested
    try:
        return match(requested, client.redirect_uris, public=client.public)
    except PageError as refused:
        detail = f"application {client.client_id}: {refused.detail}"
        raise PageError(refused.title, refused.what, refused.status, detail=detail) from refused


def _read_asked(
    context: Context, request: AuthorizationRequest, application: Application, redirect_uri: str
) -> AuthorizationAsked:
    client = application.client
    check(request, strict=client.kind == "strict")
    if not client.allows("authorization_code"):
        raise unauthorized_client()
    check_resource(request.resource, served=context.policy.audience)
    scope = narrow(request.scope, client.scope)
    return AuthorizationAsked(
        application,
        redirect_uri,
        request.state,
        scope=" ".join(scope),
        code_challenge=_challenge(request, required=client.kind == "strict"),
        details=_details(context, request.authorization_details, scope),
    )


def _details(context: Context, unverified: str | None, scope: Scope) -> FleetDetails | None:
    if unverified is None:
        return None
    details = parse_details(unverified)
    check_asked(details, scope, now=context.now())
    return details


def answer_uri(context: Context, redirect_uri: str, state: str | None, *parameters: tuple[str, str]) -> str:
    """The address the browser returns to, with the answer, the state as it came, and our issuer (RFC 9207)."""
    echoed = [("state", state)] if state is not None else []
    return append(redirect_uri, [*parameters, *echoed, ("iss", context.policy.issuer)])


def refusal_uri(
    context: Context, redirect_uri: str, state: str | None, error: OAuthError, *, error_uri: str | None
) -> str:
    """The address the browser returns to with an error (RFC 6749 section 4.1.2.1). error_uri: of the page about it."""
    told = (("error", error.code), ("error_description", error.what), ("error_uri", error_uri))
    return answer_uri(context, redirect_uri, state, *((name, value) for name, value in told if value))


def _challenge(request: AuthorizationRequest, *, required: bool) -> str | None:
    challenge = check_challenge(request.code_challenge, request.code_challenge_method)
    if challenge is None and required:
        raise invalid_request("code_challenge is missing")
    return challenge
