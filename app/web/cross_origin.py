"""The answers that scripts of other origins may read: browser applications hold no secret and send no cookie.

The table of addresses says which. The authorization endpoint, the pages and introspection are not among them (RFC 9700
section 2.6).
"""

from starlette.requests import Request
from starlette.responses import Response

from app.web.paths import TABLE

# Nothing at these is decided by what a browser adds by itself, so any origin may ask.
READABLE = frozenset(row.path for row in TABLE if row.cross_origin == "answers")

ANY_ORIGIN = (b"access-control-allow-origin", b"*")

_DOCUMENTS = frozenset(row.path for row in TABLE if row.cross_origin == "document")
_PREFLIGHT = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "7200",  # longer than browsers keep it
}


def document_headers(path: str) -> dict[str, str]:
    """Headers that let other origins read the document at this path, where the table says so."""
    return {"Access-Control-Allow-Origin": "*"} if path in _DOCUMENTS else {}


async def preflight(_request: Request) -> Response:
    """For a request that its browser does not take for a plain form. Never with credentials: nobody's cookies count."""
    return Response(status_code=204, headers=_PREFLIGHT)
