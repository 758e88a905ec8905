"""Introspect a token for the party that asks (RFC 7662): its own, or for a resource server those of its audience."""

from app.context import Context
from app.flows.check_token import AccessToken, use_token
from app.flows.issue_token import authenticate_client
from app.oauth.client import Client
from app.oauth.errors import invalid_client
from app.oauth.request import TokenQuery


async def introspect_token(context: Context, query: TokenQuery) -> AccessToken | None:
    """The token if it is active and the caller may know of it, else None; raises OAuthError for the caller's own faults."""
    client = await authenticate_client(context, query.credentials)
    if client.public:
        raise invalid_client("public applications may not introspect")
    token = await use_token(context, query.token)
    return token if token is not None and _may_see(client, token) else None


def _may_see(client: Client, token: AccessToken) -> bool:
    return token.application_id == client.id or (
        client.audience is not None and client.audience == token.audience
    )
