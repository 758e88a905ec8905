"""What a handler reads off a request: the context, a bounded body, the address parts that are safe to trust."""

from string import punctuation
from typing import cast
from urllib.parse import quote

from starlette.requests import Request

from app.context import Context
from app.oauth.errors import invalid_request

MOST_BODY_BYTES = 16 * 1024

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def context_of(request: Request) -> Context:
    return cast("Context", request.app.state.context)


async def read_body(request: Request, *, most: int = MOST_BODY_BYTES) -> bytes:
    """The whole body, refused as soon as it passes the limit, whatever Content-Length promised (R-75)."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise invalid_request(f"the body is larger than {most} bytes", status=413)
    return bytes(body)


async def read_form(request: Request) -> tuple[str | None, bytes, str | None]:
    """What a token request and a token query are parsed from: content type, body, Authorization header."""
    # Of two headers a proxy may have judged one and we the other.
    if len(request.headers.getlist("authorization")) > 1:
        raise invalid_request("there is more than one Authorization header")
    return request.headers.get("content-type"), await read_body(request), request.headers.get("authorization")


def raw_query(request: Request) -> bytes:
    """The query as it came: decoded and encoded again it would not be the same bytes."""
    return cast("bytes", request.scope["query_string"])


def with_query(path: str, raw: bytes) -> str:
    """An address that asks what a query or form body asked, to the byte; only what no address may hold is encoded."""
    return f"{path}?{quote(raw, safe=punctuation)}"
