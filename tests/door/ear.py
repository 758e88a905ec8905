"""The service's protocol, telling how much of a client's bytes it has read: so a second segment surely comes later."""

import asyncio
from collections import defaultdict
from contextlib import suppress
from typing import Any

from app.door.protocol import Protocol

_PATIENCE_S = 0.05  # a server that has stopped reading never reads the rest
_ALL = 2**62


class Progress:
    """The progress of each client, by its port."""

    def __init__(self) -> None:
        self._read: dict[int, int] = defaultdict(int)
        self._moved: dict[int, asyncio.Event] = defaultdict(asyncio.Event)

    def note(self, port: int, read: int) -> None:
        """So many bytes were read of the client at this port, since it connected."""
        self._read[port] = read
        self._moved[port].set()

    def add(self, port: int, read: int) -> None:
        self.note(port, self._read[port] + read)

    async def until(self, port: int, sent: int) -> None:
        """Wait until the server has read what this client has sent so far, or reads no more."""
        moved = self._moved[port]
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                while self._read[port] < sent:
                    moved.clear()
                    await moved.wait()


PROGRESS = Progress()


class Ear(asyncio.Protocol):
    """Each connection notes what it has read. It has the service's protocol, and may not derive from it once that is compiled."""

    def __init__(self, *given: Any, **named: Any) -> None:
        self._protocol = Protocol(*given, **named)
        self.pause_writing, self.resume_writing = self._protocol.pause_writing, self._protocol.resume_writing  # type: ignore[method-assign]
        self.eof_received = self._protocol.eof_received  # type: ignore[method-assign]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own signature
        self._protocol.connection_made(transport)
        PROGRESS.note(self._port(), 0)

    def data_received(self, data: bytes) -> None:
        self._protocol.data_received(data)
        PROGRESS.add(self._port(), len(data))

    def connection_lost(self, exc: Exception | None) -> None:
        PROGRESS.note(self._port(), _ALL)
        self._protocol.connection_lost(exc)

    def _port(self) -> int:
        assert self._protocol.client is not None
        return self._protocol.client[1]
