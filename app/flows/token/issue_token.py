"""Issue a token: five phases that every grant goes through, ordered so that a wrong secret burns no code."""

from typing import Any

from app.context import Context
from app.flows.token.authenticate import authenticate_client, stranger_of
from app.flows.token.grants import GRANTS, Grant
from app.flows.token.issued_token import IssuedToken, mint_tokens
from app.oauth.client import Client
from app.oauth.errors import unsupported_grant_type
from app.oauth.grant_type import Asked, check_allowed, name_of_grant, read_asked
from app.oauth.request import TokenRequest
from app.throttling.look_up import redeem_in_turn


async def issue_token(context: Context, request: TokenRequest, address: str) -> IssuedToken:
    """RFC 6749 section 3.2. Answered only after the token is committed; raises OAuthError or StoreUnavailableError."""
    # 1. Who asks, and 2. its proof: before anything the request names is consumed (O-53).
    client = await authenticate_client(context, request.credentials, address)
    return await issue_to(context, client, request, address)


async def issue_to(context: Context, client: Client, request: TokenRequest, address: str) -> IssuedToken:
    """The phases that follow for whoever is proved to act for the application. Raises as `issue_token` does."""
    # 3. May it use this grant?
    grant = _allowed_grant(client, request)
    # 4. What does it ask for? Whoever keeps making up codes waits in a lane, whichever grant it names.
    asked = read_asked(grant, request, served=context.policy.audience, proved=not client.public)
    granting = _give(context, client, grant, asked)
    return await redeem_in_turn(context.failures, stranger_of(client, address), granting)


async def _give(context: Context, client: Client, grant: Grant[Any], asked: Asked) -> IssuedToken:
    """The grant proves whose authority it is, and that becomes tokens."""
    proof = await grant.prove(context, client, asked)
    # 5. Remember: the grant commits what was minted, so nobody hears of a token that is not stored.
    tokens = mint_tokens(client, grant, proof.bucket)
    scope, details = await grant.remember(context, client, proof, tokens)
    life = context.policy.lifetimes.access(tokens.access.token_class)
    refresh_token = tokens.refresh.text if tokens.refresh else None
    return IssuedToken(tokens.access.text, int(life.total_seconds()), scope, refresh_token, details)


def _allowed_grant(client: Client, request: TokenRequest) -> Grant[Any]:
    grant = GRANTS.get(name_of_grant(request, strict=client.kind == "strict"))
    if grant is None:
        raise unsupported_grant_type()
    check_allowed(client, grant)
    return grant
