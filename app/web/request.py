"""A handler reads from a request: the context, a bounded body, the address parts that are safe to trust."""

from collections.abc import Mapping, Sequence
from string import punctuation
from typing import cast
from urllib.parse import quote

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope

from app.context import Context
from app.door.addresses import network_of
from app.oauth.errors import body_too_large

_FIELDS = "fields"  # where they are kept in the scope

MOST_BODY_BYTES = 16 * 1024

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def context_of(request: Request) -> Context:
    return cast("Context", request.scope["context"])


async def read_body(receive: Receive, *, most: int = MOST_BODY_BYTES) -> bytes:
    """The whole body, refused as soon as it passes the limit, whatever Content-Length promised (R-75)."""
    # Joined once: added to a body one by one, many small parts would each copy all of it.
    parts: list[bytes] = []
    length = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part: bytes = message.get("body", b"")
        length += len(part)
        if length > most:
            raise body_too_large(most)
        if not message.get("more_body", False):
            return b"".join((*parts, part)) if parts else part
        parts.append(part)


def address_of(scope: Scope) -> str:
    """The address that a request's failures count for: its IPv4 address, or the /64 of an IPv6 one."""
    client = scope.get("client")
    return network_of(client[0]) if client else ""


def client_of(scope: Scope) -> str:
    """The address of the client, as the log has it; empty where the server knows none."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def fields_of(request: Request) -> Mapping[bytes, bytes]:
    """The header fields by their names, all lines of one joined (RFC 9110 section 5.2), once for each request."""
    fields: Mapping[bytes, bytes] | None = request.scope.get(_FIELDS)
    if fields is None:
        fields = request.scope[_FIELDS] = _joined(request.scope["headers"])
    return fields


def _joined(headers: Sequence[tuple[bytes, bytes]]) -> Mapping[bytes, bytes]:
    fields = dict(headers)
    if len(fields) == len(headers):
        return fields
    lines: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        lines.setdefault(name, []).append(value)
    return {name: b", ".join(values) for name, values in lines.items()}


def field_value(request: Request, name: bytes) -> str:
    """All lines of a header that is a list, joined; empty when there is none."""
    return fields_of(request).get(name, b"").decode("latin-1")


def raw_query(request: Request) -> bytes:
    """The query as it came: decoded and encoded again it would not be the same bytes."""
    return cast("bytes", request.scope["query_string"])


def with_query(path: str, raw: bytes) -> str:
    """An address with the query or form body as it came; only bytes that no address may hold are encoded."""
    return f"{path}?{quote(raw, safe=punctuation)}"
