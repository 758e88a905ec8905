"""uvicorn's protocol on httptools turns bytes into requests, and counts every bound as the bytes arrive.

uvicorn bounds nothing by itself. A message that another parser could frame differently ends the connection.
"""

from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT

from app.door import framing
from app.door.addresses import scheme_of
from app.door.answers import EXTENSIONS, Cycle
from app.door.bounds import SLICE
from app.door.connection import Connection, Part, StoppedError
from app.door.framing import Refusal
from app.door.refusals import note_refusal
from app.door.watch import State

_NOTED = frozenset({b"host", b"transfer-encoding", b"expect"})
_ASGI = {"version": "3.0", "spec_version": "2.3"}
_LEAST_PRINTABLE = 0x21


class Protocol(Connection):
    """A connection whose bytes are requests."""

    def __init__(
        self, config: Config, server_state: State, app_state: dict[str, Any], _loop: Any = None
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._upgrading = False
        self._head_size = self._raw_size = self._blank_size = 0
        self._host: bytes | None = None
        self._hosts = self._codings = 0

    def data_received(self, data: bytes) -> None:
        if len(data) <= SLICE:
            self._feed(data)
            return
        for start in range(0, len(data), SLICE):
            self._feed(data[start : start + SLICE])

    def _feed(self, data: bytes) -> None:
        if self.deaf:
            self._throw_away(len(data))
            return
        if data[0] < _LEAST_PRINTABLE and self._part is Part.NONE and not data.strip(b"\r\n"):
            self._blank_size += len(data)
            if self._blank_size > self.bounds.field:
                self.refuse(framing.BLANK)
            return
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._ignore_upgrade(data[upgrade.args[0] :])
            return
        except httptools.HttpParserError:
            if not self.deaf:
                self.refuse(framing.NOT_HTTP)
        if self._part is not Part.NONE and not self.deaf:
            self._count(len(data))

    def _count(self, size: int) -> None:
        """Bounds on what is not whole yet; a slice may also hold the end of the message before."""
        if self._part is Part.BODY:
            self._raw_size += size
            overhead = self._raw_size - self._body_size
            if overhead > min(self.bounds.overhead, self.bounds.overhead_ahead + self._body_size):
                self.refuse(framing.OVERHEAD)
            return
        self._head_size += size
        if len(self.url) > self.bounds.target:
            self.refuse(framing.LONG_TARGET)
        elif self._head_size > self.bounds.head + SLICE or len(self.headers) > self.bounds.fields:
            self.refuse(framing.LARGE_HEAD)

    def _ignore_upgrade(self, rest: bytes) -> None:
        """The parser takes what follows for another protocol, so a new one reads the message without the offer."""
        method, version = self.parser.get_method(), self.parser.get_http_version()
        head = framing.head_without_upgrade(method, self.url, version, self.headers)
        self.parser = httptools.HttpRequestParser(self)
        self._feed(head + rest)

    def _throw_away(self, size: int) -> None:
        """Bytes behind the last message: to leave them in the socket would cut the answer when it is closed."""
        self._unread_size += size
        if not self.lingering:
            self.flow.pause_reading()
        elif self._unread_size > self.bounds.unread:
            self.transport.abort()

    def on_message_begin(self) -> None:
        if self.deaf:
            raise StoppedError
        self._part = Part.HEAD
        self._head_size = self._body_size = self._raw_size = self._blank_size = 0
        self._host = None
        self._hosts = self._codings = 0
        self._upgrading = self.expect_100_continue = False
        self.url = b""
        self.headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name in _NOTED:
            self._note(name, value)
        self.headers.append((name, value))

    def _note(self, name: bytes, value: bytes) -> None:
        if name == b"host":
            self._host = value
            self._hosts += 1
        elif name == b"transfer-encoding":
            self._codings += 1 if value.strip().lower() == b"chunked" else 2
        elif value.lower() == b"100-continue":
            self.expect_100_continue = True

    def on_headers_complete(self) -> None:
        parser = self.parser
        method, url, version = parser.get_method(), self.url, parser.get_http_version()
        refusal = self._judge_head(method, version)
        if refusal is not None:
            self._stop(refusal)
        if parser.should_upgrade():
            self._upgrading = True
            return
        path, raw_path, query = framing.split_target(url)
        self._part = Part.BODY
        scope: Any = {
            "type": "http",
            "asgi": _ASGI,
            "http_version": version,
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "root_path": self.root_path,
            "headers": self.headers,
            "state": self.app_state.copy(),
            "method": method.decode("ascii"),
            "path": self.root_path + path,
            "raw_path": self.root_path.encode("ascii") + raw_path,
            "query_string": query,
            "extensions": EXTENSIONS,
        }
        if self._trusted is not None:
            scope["client"] = self._trusted.client_of(self.headers) or self.client
            scope["scheme"] = scheme_of(self.headers) or self.scheme
        self.headers = []  # for the trailers, which are no headers of the request (RFC 9110 section 6.5.1)
        self._begin(scope, keep_alive=version == "1.1" and parser.should_keep_alive())

    def _judge_head(self, method: bytes, version: str) -> Refusal | None:
        refusal = None
        if version not in ("1.1", "1.0"):
            refusal = framing.VERSION
        elif not self._has_host(version):
            refusal = framing.HOST
        elif self._codings and (self._codings > 1 or version == "1.0"):
            refusal = framing.CODING
        elif method == b"CONNECT":
            refusal = framing.TUNNEL
        elif b"#" in self.url:
            refusal = framing.FRAGMENT
        elif len(self.headers) > self.bounds.fields:
            refusal = framing.LARGE_HEAD
        elif self._head_size:
            refusal = framing.judge_size(method, self.url, self.headers, self.bounds)
        return refusal

    def _has_host(self, version: str) -> bool:
        """RFC 9112 section 3.2; HTTP/1.0 knows no Host."""
        if self._host is None:
            return version == "1.0"
        return self._hosts == 1 and framing.is_host(self._host)

    def _begin(self, scope: Any, *, keep_alive: bool) -> None:
        """Start to answer, or wait until those before are answered."""
        cycle = Cycle(
            scope,
            self.transport,
            self.flow,
            self.server_state.default_headers,
            self.on_response_complete,
            keep_alive=keep_alive and not self._leaving,
            expect_100_continue=self.expect_100_continue,
        )
        before = self._running
        if before is None or (before.response_complete and not self.pipeline):
            self.cycle = self._running = cycle
            self._answer_soon(cycle)
        elif len(self.pipeline) < self.bounds.pipelined:
            self.cycle = cycle
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))
        else:
            self.cycle.keep_alive = False
            self.deaf = True
            note_refusal(self.client, framing.PIPELINE)
            raise StoppedError

    def on_body(self, body: bytes) -> None:
        self._body_size += len(body)
        if self.cycle.response_complete:
            self._unread_size += len(body)
            if self._unread_size > self.bounds.unread:
                self.transport.close()
            return
        self.cycle.take(body)
        if len(self.cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()

    def on_message_complete(self) -> None:
        if self._upgrading:
            return
        if self.headers:
            refusal = framing.judge_trailers(self.headers)
            if refusal is not None:
                self._stop(refusal)
        self._part = Part.NONE
        self.cycle.more_body = False
        self.deaf = not self.cycle.keep_alive  # RFC 9112 section 9.6: the last request was this one
        if not self.cycle.response_complete:
            self.cycle.message_event.set()
