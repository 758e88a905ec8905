"""The answers that scripts of other origins may read: browser applications hold no secret and send no cookie.

The authorization endpoint, the pages and introspection are not among it (RFC 9700 section 2.6).
"""

from starlette.requests import Request
from starlette.responses import Response

# Nothing at these is decided by what a browser adds by itself, so any origin may ask.
READABLE = frozenset({"/app/oauth2/token", "/app/oauth2/revoke"})

ANY_ORIGIN = (b"access-control-allow-origin", b"*")

_PREFLIGHT = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "7200",  # longer than browsers keep it
}


async def preflight(_request: Request) -> Response:
    """For a request that its browser does not take for a plain form. Never with credentials: nobody's cookies count."""
    return Response(status_code=204, headers=_PREFLIGHT)
