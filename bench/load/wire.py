"""One keep-alive connection of the load generator, and as much HTTP/1.1 as it takes to find where an answer ends."""

import asyncio
from time import perf_counter
from typing import NamedTuple, Protocol, cast

_END_OF_HEAD = b"\r\n\r\n"
_WITHOUT_BODY = (204, 304)


class WireError(Exception):
    """The bytes that came are no answer to the request."""


class Received(NamedTuple):
    """A whole answer. keep: the connection may be used again. later: it says when to come again (Retry-After)."""

    status: int
    body: bytes
    keep: bool
    later: bool


def read_answer(data: bytes, *, ended: bool = False) -> Received | None:
    """All that came so far of one answer; None while more must follow. ended: the server closed its side."""
    end = data.find(_END_OF_HEAD)
    if end < 0:
        return None
    if not data.startswith(b"HTTP/1."):
        raise WireError("not an HTTP/1 answer")
    status, start = int(data[9:12]), end + len(_END_OF_HEAD)
    head = data[:end].lower()
    keep = b"\r\nconnection: close" not in head and (
        data.startswith(b"1.1", 5) or b"\r\nconnection: keep-alive" in head
    )
    later = b"\r\nretry-after:" in head
    if status in _WITHOUT_BODY:
        return Received(status, b"", keep, later)
    at = head.find(b"\r\ncontent-length:")
    if at >= 0:
        stop = head.find(b"\r\n", at + 17)
        length = int(head[at + 17 : stop if stop >= 0 else end])
        if len(data) < start + length:
            return None
        if len(data) > start + length:
            raise WireError("more than one answer came")
        return Received(status, data[start:], keep, later)
    if b"\r\ntransfer-encoding: chunked" in head:
        body = _unchunk(data, start)
        return None if body is None else Received(status, body, keep, later)
    return Received(status, data[start:], keep=False, later=later) if ended else None


def _unchunk(data: bytes, start: int) -> bytes | None:
    parts: list[bytes] = []
    while (stop := data.find(b"\r\n", start)) >= 0:
        length = int(data[start:stop].partition(b";")[0], 16)
        start = stop + 2
        if len(data) < start + length + 2:
            return None
        if length == 0:
            return b"".join(parts)
        parts.append(data[start : start + length])
        start += length + 2
    return None


class Owner(Protocol):
    """The owner of a connection, which is told what becomes of its requests."""

    def answered(self, connection: "Connection", answer: Received, now: float) -> None: ...
    def failed(self, connection: "Connection", reason: str) -> None: ...
    def lost(self, connection: "Connection") -> None: ...


class Connection(asyncio.Protocol):
    """One request in flight. index: its place in the file; since: when its latency began; None between two."""

    __slots__ = ("_data", "_owner", "_reason", "_transport", "index", "since")

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._data = b""
        self._reason = ""
        self._transport: asyncio.Transport | None = None
        self.index = -1
        self.since: float | None = None

    def send(self, index: int, request: bytes, since: float) -> None:
        assert self._transport is not None  # noqa: S101  # the owner hears of a connection once it is made
        self.index = index
        self.since = since
        self._transport.write(request)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def abort(self, reason: str) -> None:
        """Give up the request in flight."""
        self._reason = reason
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        now = perf_counter()
        if self._data:
            data = self._data + data
        try:
            answer = read_answer(data)
            if answer is not None and self.since is None:
                raise WireError("nothing was asked")  # noqa: TRY301  # beside what it is like
        except (WireError, ValueError) as error:
            self.abort(f"{error}")
            return
        if answer is None:
            self._data = data
            return
        self._data = b""
        self._finish(answer, now)

    def eof_received(self) -> None:
        """An answer without a length ends here; returning None closes our side as well."""
        if self._data and self.since is not None:
            try:
                answer = read_answer(self._data, ended=True)
            except (WireError, ValueError) as error:
                self._reason = f"{error}"
            else:
                self._data = b""
                if answer is not None:
                    self._finish(answer, perf_counter())

    def connection_lost(self, exc: Exception | None) -> None:
        if self.since is not None:
            self.since = None
            self._owner.failed(self, self._reason or (type(exc).__name__ if exc else "closed"))
        self._owner.lost(self)

    def _finish(self, answer: Received, now: float) -> None:
        if not answer.keep:
            self.close()
        self._owner.answered(self, answer, now)
