"""POST /app/oauth2/introspect (RFC 7662)."""

from starlette.requests import Request
from starlette.responses import Response

from app.flows.check_token import AccessToken
from app.flows.introspect_token import introspect_token
from app.oauth.answer import INACTIVE, introspection_answer
from app.oauth.request import TokenQuery
from app.web.request import NO_STORE, context_of, read_form


async def introspect(request: Request) -> Response:
    """200 with the token's state; every reason not to tell is the same inactive answer (O-102)."""
    query = TokenQuery.parse(*await read_form(request))
    context = context_of(request)
    token = await introspect_token(context, query)
    answer = INACTIVE if token is None else _describe(token, context.policy.issuer)
    return Response(answer, media_type="application/json", headers=NO_STORE)


def _describe(token: AccessToken, issuer: str) -> bytes:
    return introspection_answer(
        issuer=issuer,
        audience=token.audience,
        client_id=token.application_id,
        customer_id=token.customer_id,
        token_id=token.id,
        token_type="Bearer",
        scope=" ".join(token.scope),
        issued_at=token.issued_at,
        expires_at=token.expires_at,
    )
