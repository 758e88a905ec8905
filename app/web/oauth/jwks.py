"""GET /app/oauth2/jwks: the keys that our signatures are verified with (RFC 7517)."""

from starlette.requests import Request
from starlette.responses import Response

from app.flows.upkeep.signing_keys import read_key_set
from app.web.cross_origin import document_headers
from app.web.paths import JWKS
from app.web.request import context_of

_MEDIA_TYPE = "application/jwk-set+json"


async def jwks(request: Request) -> Response:
    """Kept by verifiers for less time than a new key waits before it signs, so that they never miss one."""
    context = context_of(request)
    max_age_s = int(context.policy.key_set_age.total_seconds())
    headers = {"Cache-Control": f"public, max-age={max_age_s}", **document_headers(JWKS)}
    return Response(await read_key_set(context), media_type=_MEDIA_TYPE, headers=headers)
