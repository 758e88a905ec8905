"""Heads that are refused because another parser could read them differently, and the texts of the refusals."""

import re
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote

from httptools import parse_url
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from app.door.bounds import Bounds

Headers = list[tuple[bytes, bytes]]


class Refusal(NamedTuple):
    """A refusal that ends a connection. reason: one sentence, for the client and for the log."""

    status: int
    reason: str


_BOUNDS = Bounds()

NOT_HTTP = Refusal(400, "This is not a valid HTTP/1.1 request.")
CUT_SHORT = Refusal(400, "The request ended before it was whole.")
BLANK = Refusal(400, "Too many empty lines came before the request.")
TUNNEL = Refusal(400, "This server opens no tunnels.")
VERSION = Refusal(400, "This server speaks HTTP/1.1 and HTTP/1.0.")
HOST = Refusal(400, "An HTTP/1.1 request has exactly one valid Host field.")
CODING = Refusal(400, "The only transfer coding of a request is chunked, once, in HTTP/1.1.")
FRAGMENT = Refusal(400, "A request target has no fragment.")
TRAILER = Refusal(400, "A trailer cannot change how the message is framed.")
OVERHEAD = Refusal(400, "The chunks of the body carry too much besides data.")
TOO_LATE = Refusal(408, "The rest of the request did not arrive in time.")
LONG_TARGET = Refusal(414, f"The request target is longer than {_BOUNDS.target} bytes.")
LARGE_HEAD = Refusal(
    431,
    f"The header is too large: it may have {_BOUNDS.fields} fields, {_BOUNDS.field} bytes in one and {_BOUNDS.head} in all.",
)
PIPELINE = Refusal(429, f"More than {_BOUNDS.pipelined} requests wait on one connection.")
CROWDED_ADDRESS = Refusal(429, "Too many connections are open from this address.")
CROWDED = Refusal(503, "Too many connections are open.")

# RFC 9112 section 6.3: fields that decide where a message ends, or to which server it goes, are not for trailers.
_FRAMING = frozenset({b"connection", b"content-length", b"host", b"transfer-encoding", b"upgrade"})

_LONGEST_HOST = 300
# RFC 3986 section 3.2: a registered name or IPv4 address, or an address in brackets; then perhaps a port.
_HOST = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=%-]{0,255}|\[[0-9A-Za-z:.%]{2,64}\])(?::[0-9]{0,5})?")


@lru_cache(256)
def is_host(value: bytes) -> bool:
    """Whether a Host field can be one. The same few come again and again, so they are remembered."""
    return len(value) <= _LONGEST_HOST and _HOST.fullmatch(value.strip(b" \t")) is not None


def judge_size(method: bytes, url: bytes, headers: Headers, bounds: Bounds) -> Refusal | None:
    """Judge a head that came in several slices; within one it is below every bound but the number of fields."""
    if len(url) > bounds.target:
        return LONG_TARGET
    sizes = [len(name) + len(value) + 4 for name, value in headers]
    line = len(method) + len(url) + len("  HTTP/1.1\r\n\r\n")
    if line + sum(sizes) > bounds.head or max(sizes, default=0) > bounds.field + 4:
        return LARGE_HEAD
    return None


def judge_trailers(trailers: Headers) -> Refusal | None:
    return TRAILER if any(name in _FRAMING for name, _ in trailers) else None


def split_target(url: bytes) -> tuple[str, bytes, bytes]:
    """Path, path as it came, and query of a request target (RFC 9112 section 3.2), which has no fragment.

    Raises HttpParserInvalidURLError when the absolute form is none.
    """
    if url.startswith(b"/"):
        raw, _, query = url.partition(b"?")
    elif url == b"*":
        raw, query = url, b""
    else:
        parsed: Any = parse_url(url)  # its path may be None, which its types do not say
        raw, query = parsed.path or b"/", parsed.query or b""
    path = raw.decode("ascii")
    return (unquote(path) if "%" in path else path), raw, query


def head_without_upgrade(method: bytes, url: bytes, version: str, headers: Headers) -> bytes:
    """The same head for another parser, as if nothing but HTTP had been offered (RFC 9110 section 7.8)."""
    lines = [b"%b %b HTTP/%b" % (method, url, version.encode())]
    lines += (b"%b: %b" % field for field in headers if field[0] != b"upgrade")
    return b"\r\n".join([*lines, b"", b""])


def spell(refusal: Refusal, default_headers: Headers) -> bytes:
    """The answer that ends a connection."""
    body = refusal.reason.encode() + b"\n"
    headers = [
        *default_headers,
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"connection", b"close"),
    ]
    lines = b"".join(b"%b: %b\r\n" % field for field in headers)
    return STATUS_LINE[refusal.status] + lines + b"\r\n" + body
