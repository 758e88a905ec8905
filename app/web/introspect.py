"""POST /app/oauth2/introspect (RFC 7662)."""

from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response

from app.context import Context
from app.flows.check_token import AccessToken, RefreshToken
from app.flows.introspect_token import introspect_token
from app.oauth.answer import INACTIVE, introspection_answer
from app.oauth.request import ReadBefore, TokenQuery
from app.storage.refresh_tokens import StoredRefreshToken
from app.web.wire import Answer, Call, respond

_QUERIES = ReadBefore(TokenQuery.parse)


async def answer_introspection(context: Context, call: Call) -> Answer:
    """200 with the token's state; every reason not to tell is the same inactive answer (O-102)."""
    query = _QUERIES.read(call.content_type, call.body, call.authorization)
    token = await introspect_token(context, query, call.address)
    if token is None:
        return Answer(200, INACTIVE)
    describe = _describe if isinstance(token, StoredRefreshToken) else _describe_remembered
    return Answer(200, describe(token, context.policy.issuer))


async def introspect(request: Request) -> Response:
    return await respond(answer_introspection, request)


def _describe(token: AccessToken | RefreshToken, issuer: str) -> bytes:
    """token_type says how a token is presented to a resource, which a refresh token never is."""
    return introspection_answer(
        issuer=issuer,
        audience=token.audience,
        client_id=token.application_id,
        customer_id=token.customer_id,
        token_id=token.id,
        token_type=None if isinstance(token, StoredRefreshToken) else "Bearer",
        scope=token.scope,
        issued_at=token.issued_at,
        expires_at=token.expires_at,
    )


_describe_remembered = lru_cache(maxsize=20_000)(_describe)  # of a remembered token, written once
