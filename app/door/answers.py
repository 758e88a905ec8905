"""Answers leave with head and body in one write, and whole answers in one message."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

# An ASGI extension that our server has: one message with status, headers and the whole body.
WHOLE = "http.response.whole"
# Members of a scope. The application says that the time for its answer is bounded; the door says that it is up.
BOUNDED, OVERDUE = "bounded", "overdue"
# The application refuses something: whether that was since the caller failed too often, and nothing was looked up.
TURNED_AWAY = "turned away"
EXTENSIONS: dict[str, dict[object, object]] = {WHOLE: {}}

# The one answer that ends its connection by its own headers: what was sent to it stays unread.
_TOO_LARGE = 413
# A longer body leaves beside its head instead of in one piece with it: a thousand who do not read share one document.
_SHORT = 16 * 1024


class _NobodyWaits:
    """Stands where a request has no event: most are whole when they are asked for."""

    def set(self) -> None:
        pass


_NOBODY_WAITS: Any = _NobodyWaits()


class Cycle(RequestResponseCycle):
    """A request and its answer. A whole answer is trusted: to look into each header takes longer than the rest."""

    # Most requests change none of these; what is the same of all is written for none of them.
    logger = logging.getLogger("uvicorn.error")
    access_log = False
    message_event = _NOBODY_WAITS
    disconnected = response_started = response_complete = False
    chunked_encoding: bool | None = None
    expected_content_length = 0
    body: bytes | bytearray = b""  # type: ignore[assignment]  # uvicorn's is always a bytearray
    more_body = True
    task: asyncio.Task[None] | None = None  # of an answer that had to wait for something
    _is_told = False  # whether the application has all of the request

    def __init__(  # uvicorn's own writes all of the above once more
        self,
        scope: Any,
        transport: Any,
        flow: FlowControl,
        default_headers: list[tuple[bytes, bytes]],
        on_response: Callable[[], None],
        *,
        keep_alive: bool,
        expect_100_continue: bool = False,
    ) -> None:
        self.scope = scope
        self.transport = transport
        self.flow = flow
        self.default_headers = default_headers
        self.on_response = on_response
        self.keep_alive = keep_alive
        self.waiting_for_100_continue = expect_100_continue

    def hurry(self) -> None:
        """Call an answer off, once, whose time its application bounded. What it answers then is its own matter."""
        scope: Any = self.scope
        unanswered = not (self.more_body or self.response_started or self.response_complete)
        if unanswered and self.task is not None and scope.get(BOUNDED) and OVERDUE not in scope:
            scope[OVERDUE] = True
            self.task.cancel()

    def take(self, part: bytes) -> None:
        """Take a part of the body. Most bodies are one, which is never copied."""
        if not self.body:
            self.body = part
        else:
            if isinstance(self.body, bytes):
                self.body = bytearray(self.body)
            self.body += part
        self.message_event.set()

    async def receive(self) -> Any:
        """Hand on what has come of the body.

        It waits when that is nothing, or when there is only the end to hear of.
        """
        if self.waiting_for_100_continue and not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.waiting_for_100_continue = False
        if not (self.disconnected or self.response_complete):
            if self.flow.read_paused:
                self.flow.resume_reading()
            if self._is_told or (self.more_body and not self.body):
                await self._something_new()
        if self.disconnected or self.response_complete:
            return {"type": "http.disconnect"}
        body, self.body = self.body, b""
        self._is_told = not self.more_body
        return {"type": "http.request", "body": bytes(body), "more_body": self.more_body}

    async def _something_new(self) -> None:
        if self.message_event is _NOBODY_WAITS:
            self.message_event = asyncio.Event()
        await self.message_event.wait()
        self.message_event = _NOBODY_WAITS

    async def send(self, message: Any) -> None:
        if self.waiting_for_100_continue and self.more_body:
            # RFC 9110 section 10.1.1: whether the body still comes is the client's choice, so nobody could tell it
            # from the next request.
            self.keep_alive = False
        if message["type"] != WHOLE:
            await super().send(message)
            return
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        # It is kept back like a head: the answers of a turn of the loop then leave together, and wake their readers once.
        # Sent at once they made an introspection from memory a fifth dearer.
        body = message["body"]
        if len(body) > _SHORT:
            self.transport.write(self._spell(message, b""))
        else:
            body = self._spell(message, body)
        self.transport.write(body)
        self.response_started = self.response_complete = True
        self.message_event.set()
        if not self.keep_alive or message["status"] == _TOO_LARGE:
            self.transport.close()
        self.on_response()

    def _spell(self, message: Mapping[str, Any], body: bytes) -> bytes:
        lines = [*map(b": ".join, self.default_headers), *map(b": ".join, message["headers"])]
        if not self.keep_alive and message["status"] != _TOO_LARGE:
            lines.append(b"connection: close")
        return STATUS_LINE[message["status"]] + b"\r\n".join([*lines, b"", body])


def _always() -> bool:
    return True


class JoinedTransport:
    """A transport that keeps an answer's head back for its body, which mostly comes in the same moment."""

    def __init__(
        self,
        transport: asyncio.Transport,
        soon: Callable[[Callable[[], object]], object],
        *,
        may_close: Callable[[], bool] = _always,
    ) -> None:
        """soon: calls in the next turn of the loop. may_close: asked at each `close`; at a no, it closes in its own way."""
        self._transport = transport
        self._may_close = may_close
        self._soon = soon
        self._head: bytes | None = None
        self.is_closing = transport.is_closing  # asked at each answer, which is too often for __getattr__

    def write(self, data: bytes) -> None:
        if self._head is not None:
            head, self._head = self._head, None
            if len(data) > _SHORT:
                self._transport.writelines((head, data))
            else:
                self._transport.write(head + data)
        elif data.startswith(b"HTTP/1.1 "):
            self._head = data
            self._soon(self._let_go)  # a body that takes its time must not hold its head back
        else:
            self._transport.write(data)

    def write_eof(self) -> None:
        self._let_go()
        self._transport.write_eof()

    def close(self) -> None:
        self._let_go()
        if self._may_close():
            self._transport.close()

    def __getattr__(self, name: str) -> Any:
        """Everything else is the transport's own."""
        return getattr(self._transport, name)

    def close_freely(self) -> None:
        """Close from now on without asking."""
        self._may_close = _always

    def _let_go(self) -> None:
        if self._head is not None:
            head, self._head = self._head, None
            self._transport.write(head)
