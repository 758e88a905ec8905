"""The server's HTTP protocol, with answers that leave in one write: head and body each on their own are two system calls."""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class JoinedTransport:
    """A transport that keeps the head of an answer back for its body, which as a rule comes in the same moment."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head: bytes | None = None

    def write(self, data: bytes) -> None:
        if self._head is not None:
            head, self._head = self._head, None
            self._transport.write(head + data)
        elif data.startswith(b"HTTP/1.1 "):
            self._head = data
            self._loop.call_soon(self._let_go)  # a body that takes its time must not hold its head back
        else:
            self._transport.write(data)

    def close(self) -> None:
        self._let_go()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        """Everything else is the transport's own."""
        return getattr(self._transport, name)

    def _let_go(self) -> None:
        if self._head is not None:
            head, self._head = self._head, None
            self._transport.write(head)


class Protocol(HttpToolsProtocol):
    """uvicorn's, on a joined transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own signature
        super().connection_made(cast("asyncio.Transport", JoinedTransport(transport, self.loop)))
