"""A small application behind the service's own edge, in this process, and a client that says bytes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from functools import wraps
from typing import Any, Self

import orjson
import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send

from app.door.bounds import Bounds
from app.door.protocol import Protocol
from app.door.server import Config, Server
from tests.support.server import free_port

BOUNDS = Bounds()


def on_own_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run a test on the loop that the service has.

    Up to Python 3.12.8 and 3.13.1 asyncio's own never says that a client does not read (CVE-2024-12254).
    """

    @wraps(test)
    def run() -> None:
        uvloop.run(test())

    return run


@asynccontextmanager
async def serving(app: ASGIApp, bounds: Bounds = BOUNDS) -> AsyncIterator[int]:
    """The port it listens on."""
    async with server_of(app, bounds) as server:
        yield server.config.port


@asynccontextmanager
async def server_of(
    app: ASGIApp, bounds: Bounds = BOUNDS, http: type[asyncio.Protocol] = Protocol
) -> AsyncIterator[Server]:
    """A server in this loop behind the service's own edge, once it listens.

    bounds: the deadlines and sizes that it keeps to. http: the protocol of each connection, in the place of the product's.
    When the block ends, what is under way has 5 s.
    """
    config = Config(
        app,
        bounds=bounds,
        host="127.0.0.1",
        port=free_port(),
        http=http,
        log_config=None,
        lifespan="off",
        timeout_graceful_shutdown=5,
    )
    server = Server(config)
    task = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(10):
            while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
                await asyncio.sleep(0.01)
        yield server
    finally:
        server.should_exit = True
        await task


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with what the application was given, as JSON.

    It reads the whole body first, and answers nothing when the client is gone before that.
    """
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        more = message["more_body"]
    told = {
        "method": scope["method"],
        "path": scope["path"],
        "version": scope["http_version"],
        "names": [name.decode() for name, _ in scope["headers"]],
        "body": body.decode(),
    }
    answer = orjson.dumps(told)
    headers = [(b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


class Client:
    """One connection, whose end is seen.

    It reads as much of an answer as Content-Length says, since the application here sends no chunks.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    @classmethod
    @asynccontextmanager
    async def to(cls, port: int, *, source: str = "127.0.0.1") -> AsyncIterator[Self]:
        """Connect to this port of the loopback interface, from an address of it, and close when the block ends."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20, local_addr=(source, 0))
        try:
            yield cls(reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def say(self, *parts: bytes) -> None:
        self.writer.write(b"".join(parts))

    async def answer(self, within_s: float = 5) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the next answer. Raises IncompleteReadError when the connection has ended."""
        async with asyncio.timeout(within_s):
            start, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
            headers = dict(line.split(": ", 1) for line in lines)
            body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return int(start.split(" ")[1]), headers, body

    async def refused(self, status: int) -> None:
        """The next answer has this status and is the last: nothing comes behind it, and the connection ends."""
        answered, headers, _ = await self.answer()
        assert (answered, headers["connection"]) == (status, "close")
        assert await self.end() == b""

    async def end(self, within_s: float = 5) -> bytes:
        """All that still comes before the connection ends."""
        async with asyncio.timeout(within_s):
            return await self._reader.read()
