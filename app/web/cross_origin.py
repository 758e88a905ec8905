"""The answers that scripts of other origins may read: browser applications hold no secret and send no cookie.

The table of addresses says which. The authorization endpoint, the pages and introspection are not among them (RFC 9700
section 2.6).
"""

from starlette.requests import Request
from starlette.responses import Response

from app.web.answer import Headers
from app.web.paths import TELEMETRY
from app.web.table import TABLE

# Nothing at these is decided by what a browser adds by itself, so any origin may ask.
READABLE = frozenset(row.path for row in TABLE if row.cross_origin == "answers")
# The same of the API: a token stands in a header that a script has to add.
READINGS = frozenset(row.path for row in TABLE if row.cross_origin == "readings")

ANY_ORIGIN = (b"access-control-allow-origin", b"*")

_DOCUMENTS = frozenset(row.path for row in TABLE if row.cross_origin == "document")
_LONGEST_S = "7200"  # longer than browsers keep it
_PREFLIGHT = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": _LONGEST_S,
}
_PREFLIGHT_OF_READING = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "Authorization, If-None-Match",
    "Access-Control-Max-Age": _LONGEST_S,
}
_EXPOSED = (
    b"ETag, WWW-Authenticate, Retry-After, RateLimit-Policy, RateLimit, "
    b"X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset"
)
_READING = [
    ANY_ORIGIN,
    (b"access-control-expose-headers", _EXPOSED),
]


def document_headers(path: str) -> dict[str, str]:
    """Headers that let other origins read the document at this path, where the table says so."""
    return {"Access-Control-Allow-Origin": "*"} if path in _DOCUMENTS else {}


def reading_headers(path: str) -> Headers:
    """Headers that let other origins read an answer or an error of the API. Devices that write are no browsers."""
    return [] if path == TELEMETRY else _READING


async def preflight_of_reading(_request: Request) -> Response:
    """A browser asks it before each read with a token."""
    return Response(status_code=204, headers=_PREFLIGHT_OF_READING)


async def preflight(_request: Request) -> Response:
    """For a request that its browser does not take for a plain form. Never with credentials: nobody's cookies count."""
    return Response(status_code=204, headers=_PREFLIGHT)
