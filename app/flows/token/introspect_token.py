"""Introspect a token for its own application, or for the resource server it is meant for (RFC 7662)."""

from app.context import Context
from app.flows.token.authenticate import asker_of, authenticate_client
from app.flows.token.check_token import (
    AccessToken,
    RefreshToken,
    check_refresh_token,
    check_token,
    keep_alive,
)
from app.oauth.client import Client
from app.oauth.errors import invalid_client
from app.oauth.request import TokenQuery
from app.oauth.token_string import TokenString


async def introspect_token(
    context: Context, query: TokenQuery, address: str
) -> AccessToken | RefreshToken | None:
    """The token if it is active and the caller may know of it, else None. Raises OAuthError when the caller is at fault."""
    client = await authenticate_client(context, query.credentials, address)
    if client.public:
        raise invalid_client("public applications may not introspect")
    asker = asker_of(client, query.credentials, address)
    if query.token is not None and query.token.kind == "rt":
        return await _introspect_refresh_token(context, client, query.token, asker)
    token = await check_token(context, query.token, asker)
    if token is None or not _may_see(client, token):
        return None
    keep_alive(context, token)
    return token


async def _introspect_refresh_token(
    context: Context, client: Client, token: TokenString, asker: str
) -> RefreshToken | None:
    """Its own alone: no resource server is ever sent one, so none need know of it."""
    refresh_token = await check_refresh_token(context, token, asker)
    if refresh_token is None or refresh_token.application_id != client.id:
        return None
    return refresh_token


def _may_see(client: Client, token: AccessToken) -> bool:
    """A suspended resource server can still prove who it is, and is told of nobody's tokens any more."""
    serves = client.active and client.audience is not None and client.audience == token.audience
    return serves or token.application_id == client.id
