"""A small real HTTP server whose answers are its requests' bodies, slow or odd where a test asks for it."""

import socketserver
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.threads import answering


class Server(socketserver.ThreadingTCPServer):
    """An answer's body is the request's, `delay_s` later."""

    daemon_threads = False
    block_on_close = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.port = self.server_address[1]
        self.delay_s = 0.0
        self.framing = "length"  # or chunked, until_close, close, drop, garbage
        self.stalls: dict[bytes, float] = {}  # how long the whole server stands still for a body
        self.seen: Counter[bytes] = Counter()
        self.refused: set[bytes] = set()  # bodies that are answered 400
        self.deferred: set[bytes] = set()  # bodies that are answered 503, to be sent again later
        self.peers: list[str] = []
        self.turn = threading.Lock()

    @property
    def connections(self) -> int:
        return len(self.peers)

    def handle_error(self, request: object, client_address: object) -> None:
        """A generator that gave up is no news."""


class Handler(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        self.server.peers.append(self.client_address[0])
        while self._exchange():
            pass

    def _exchange(self) -> bool:
        length = 0
        while (line := self.rfile.readline()) not in (b"\r\n", b""):
            if line.lower().startswith(b"content-length: "):
                length = int(line[16:])
        body = self.rfile.read(length)
        if not body:
            return False
        with self.server.turn:
            self.server.seen[body] += 1
            time.sleep(self.server.stalls.pop(body, 0))
        time.sleep(self.server.delay_s)
        self.wfile.write(self._answer(body))
        return self.server.framing in {"length", "chunked", "garbage"}

    def _answer(self, body: bytes) -> bytes:
        match self.server.framing:
            case "chunked":
                half = len(body) // 2
                parts = b"".join(
                    b"%x;a=b\r\n%b\r\n" % (len(part), part) for part in (body[:half], body[half:])
                )
                return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + parts + b"0\r\n\r\n"
            case "until_close":
                return b"HTTP/1.0 200 OK\r\n\r\n" + body
            case "close":
                return b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (
                    len(body),
                    body,
                )
            case "drop":
                return b""
            case "garbage":
                return b"SMTP ready\r\n\r\n"
        status = b"400 Bad Request" if body in self.server.refused else b"200 OK"
        if body in self.server.deferred:
            status = b"503 Service Unavailable\r\nRetry-After: 2"
        return b"HTTP/1.1 %b\r\ncontent-length: %d\r\n\r\n%b" % (status, len(body), body)


@contextmanager
def serving() -> Iterator[Server]:
    with Server() as server, answering(server):
        yield server
