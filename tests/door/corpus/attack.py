"""An entry of the corpus, and how its bytes are put together."""

from dataclasses import dataclass

FORM_TYPE = b"Content-Type: application/x-www-form-urlencoded"
HOST = b"Host: localhost"
# Nobody has these credentials: 401 says that the body was read, 400 that it was not.
FORM = b"client_id=a&client_secret=b&code=c"
READ = 401
TOKEN = b"/app/oauth2/token"
ALIVE = b"/health/alive"
SMUGGLED = b"smuggled-request"
# A whole request, and a form with credentials that nobody has.
HIDDEN = b"GET " + ALIVE + b" HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: " + SMUGGLED + b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Attack:
    """answers: the statuses that come back, in order. closes: the connection is over after the last of them."""

    name: str
    sent: bytes
    answers: tuple[int, ...]
    closes: bool = False


def refused(name: str, sent: bytes, status: int = 400) -> Attack:
    """It is answered once, and nothing behind it is read."""
    return Attack(name, sent, (status,), closes=True)


def head(start: bytes, *fields: bytes) -> bytes:
    return b"\r\n".join([start, *fields, b"", b""])


def get(*fields: bytes, target: bytes = ALIVE, version: bytes = b"HTTP/1.1") -> bytes:
    return head(b"GET " + target + b" " + version, HOST, *fields)


def post(*fields: bytes, body: bytes = FORM, version: bytes = b"HTTP/1.1") -> bytes:
    """A token request with a Content-Length."""
    return framed(b"Content-Length: %d" % len(body), *fields, body=body, version=version)


def framed(*fields: bytes, body: bytes = FORM, version: bytes = b"HTTP/1.1") -> bytes:
    """A token request whose fields alone say where it ends."""
    return head(b"POST " + TOKEN + b" " + version, HOST, FORM_TYPE, *fields) + body


def chunked(
    *fields: bytes, chunks: tuple[bytes, ...] = (FORM,), trailers: bytes = b"", version: bytes = b"HTTP/1.1"
) -> bytes:
    coded = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    body = coded + b"0\r\n" + trailers + b"\r\n"
    return framed(b"Transfer-Encoding: chunked", *fields, body=body, version=version)
