"""The cookies of a request: only ours are left for anybody to read, and none that is longer than ours."""

from starlette.types import Scope

OWN = ("browser", "session", "known", "language")
# The prefix makes a browser refuse the cookie from a subdomain or over http; http itself cannot carry it.
PLAIN, SECURE = "rovi_", "__Host-rovi_"

_NAMES = frozenset(f"{prefix}{name}".encode() for prefix in (PLAIN, SECURE) for name in OWN)
_LONGEST = 64  # bytes of a value; ours have 43


def keep_own_cookies(scope: Scope) -> None:
    """Take the others out of a request, before the framework reads them all.

    Before Python 3.11.10 the standard library takes a time for a quoted cookie that grows with the square of its length.
    """
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    if any(name == b"cookie" for name, _ in headers):
        scope["headers"] = [(name, _own(value) if name == b"cookie" else value) for name, value in headers]


def _own(line: bytes) -> bytes:
    return b"; ".join(pair for pair in line.split(b";") if _is_own(pair))


def _is_own(pair: bytes) -> bool:
    name, _, value = pair.partition(b"=")
    return name.strip() in _NAMES and len(value.strip()) <= _LONGEST
