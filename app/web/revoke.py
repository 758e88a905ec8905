"""POST /app/oauth2/revoke (RFC 7009)."""

from starlette.requests import Request
from starlette.responses import Response

from app.flows.revoke_token import revoke_token
from app.oauth.request import TokenQuery
from app.web.request import NO_STORE, context_of, read_form


async def revoke(request: Request) -> Response:
    """200 for a token that is revoked now, was before, or never was ours to revoke."""
    query = TokenQuery.parse(*await read_form(request))
    await revoke_token(context_of(request), query)
    return Response(status_code=200, headers=NO_STORE)
