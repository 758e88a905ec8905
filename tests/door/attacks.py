"""The connections of each flood: what they do, as bytes and times, and how they must end."""

import re
from dataclasses import dataclass

from tests.support.raw import get, head

_MIB = 1024 * 1024
_PIECE = 64 * 1024
_WHOLE_GET = re.compile(rb"GET (/\S*) HTTP/1\.1\r\n(?:[^\r]+\r\n)*\r\n")
_FORM = b"application/x-www-form-urlencoded"
_DEADLINE_S = 12.5  # ten seconds, a sweep before they count and one after, and a machine with other work


@dataclass(frozen=True, slots=True)
class Attack:
    """One connection sends `begin`, then `piece` again and again, and waits until the server ends it.

    told: the statuses of its answers; empty: none at all. most: bytes of pieces. pause_s: between two pieces.
    reads: whether it takes answers. ends_s: by when the server has ended it. connections: how many are open at once.
    a_second: how many are begun.
    """

    told: frozenset[str]
    begin: bytes = b""
    piece: bytes = b""
    most: int = 0
    pause_s: float = 0.0
    reads: bool = True
    ends_s: float = 5.0
    connections: int = 32
    a_second: int = 10

    @property
    def targets(self) -> frozenset[str]:
        """The addresses of its whole GET requests."""
        return frozenset(each.decode() for each in _WHOLE_GET.findall(self.begin + self.piece))

    @property
    def holds(self) -> bool:
        """It wants connections, and spends neither bytes nor processor."""
        return self.ends_s > 10


def _held(
    told: str, begin: bytes = b"", piece: bytes = b"", *, reads: bool = True, ends_s: float = _DEADLINE_S
) -> Attack:
    """A thousand at once that send a byte a second or nothing, until the server's deadline ends them."""
    pause_s = 1.0 if piece else 0.0
    return Attack(frozenset(told.split()), begin, piece, _MIB, pause_s, reads, ends_s, 1000, 250)


def _endless(told: str, begin: bytes, piece: bytes, *, most_mib: int = 64) -> Attack:
    """Pieces of about 64 KiB, as fast as they are taken, until the server ends it or most_mib are sent."""
    return Attack(frozenset(told.split()), begin, piece * max(1, _PIECE // len(piece)), most_mib * _MIB)


def _posting(*headers: bytes) -> bytes:
    return head(b"POST /app/oauth2/introspect", *headers, content_type=_FORM)


_UPGRADE = (b"Connection: Upgrade", b"Upgrade: h2c")
_CHUNKED = b"Transfer-Encoding: chunked"
_OPEN_HEAD = b"GET /health/alive HTTP/1.1\r\nHost: localhost\r\n"
_PADDING = b"X-Pad: " + b"a" * 1000 + b"\r\n"

_TELEMETRY = head(b"POST /api/v2/telemetry", b"Content-Length: 1000000", content_type=b"application/json")

ATTACKS = {
    # Held: cheap for who sends, a descriptor and some memory for who waits.
    "silent connections": _held(""),
    "header drips": _held("408", _OPEN_HEAD + b"X-Drip: ", b"a"),
    "bodies that never begin": _held("408", _posting(b"Content-Length: 1000")),
    "body drips": _held("408", _posting(b"Content-Length: 100000"), b"a"),
    "large heads, the end dripped": _held("408", _OPEN_HEAD + _PADDING * 30 + b"X-Drip: ", b"a"),
    "large bodies, already refused": _held("401", _TELEMETRY + b"a" * 300_000, b"a"),
    "unread answers": _held("", get(b"/docs") * 8, reads=False, ends_s=35),
    # Without end: counted while it arrives, or held until it is all there.
    "head without end": _endless("431", _OPEN_HEAD, _PADDING),
    "field without end": _endless("431", _OPEN_HEAD + b"X-Pad: ", b"a"),
    "target without end": _endless("414", b"GET /", b"a", most_mib=32),
    "method without end": _endless("400", b"", b"G"),
    "400,000 fields": _endless("431", _OPEN_HEAD, b"Accept: a\r\n", most_mib=5),
    "250,000 members in Accept": _endless("431", _OPEN_HEAD + b"Accept: ", b"a,", most_mib=1),
    "empty lines without end": _endless("400", b"", b"\r\n"),
    "chunk extension without end": _endless("400", _posting(_CHUNKED) + b"5;", b"a"),
    "chunks of one byte": _endless("400 413", _posting(_CHUNKED), b"1\r\na\r\n"),
    "trailers without end": _endless("400", _posting(_CHUNKED) + b"0\r\n", _PADDING),
    "a body of 1 GB": _endless("413", _posting(b"Content-Length: 1000000000"), b"a"),
    "250,000 form fields": Attack(
        frozenset(["413"]), _posting(b"Content-Length: 1000000") + b"a=1&" * 250_000
    ),
    "pipelined GETs": _endless("200", b"", get(b"/health/alive"), most_mib=9),
    "pipelined upgrades": _endless("200", b"", get(b"/health/alive", *_UPGRADE), most_mib=9),
    # Nobody's credentials: so many of them are answered 429 after a while.
    "pipelined POSTs that upgrade": _endless(
        "401 429", b"", _posting(b"Content-Length: 7", *_UPGRADE) + b"token=x", most_mib=9
    ),
}
# Within the bounds, and dear unless what reads it is bounded too.
WHOLE = {
    "8,000 members in Accept": get(b"/api/v2/Fleet/1", b"Accept: " + b"a," * 8000, b"Connection: close"),
    "8,000 members in Accept-Encoding": get(
        b"/api/v2/Fleet/1", b"Accept-Encoding: " + b"a," * 8000, b"Connection: close"
    ),
}


def whole(request: bytes, *told: str) -> Attack:
    """A request that is answered and ends its connection by itself."""
    return Attack(frozenset(told), request, a_second=5)
