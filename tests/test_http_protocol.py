"""Answers leave in one write, and whatever does not come at once is not held back for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from app.http_protocol import JoinedTransport, Protocol
from tests.server import free_port


class Writes(asyncio.Transport):
    """A transport that notes what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        self.written.append(bytes(data))

    def close(self) -> None:
        self.closed = True


HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


async def test_head_and_body_are_one_write() -> None:
    transport = Writes()
    joined = JoinedTransport(transport, asyncio.get_running_loop())
    for body in (b"first", b"second"):
        joined.write(HEAD)
        joined.write(body)
    await asyncio.sleep(0)
    assert transport.written == [HEAD + b"first", HEAD + b"second"]


async def test_head_does_not_wait_for_a_body_that_takes_its_time() -> None:
    transport = Writes()
    joined = JoinedTransport(transport, asyncio.get_running_loop())
    joined.write(HEAD)
    await asyncio.sleep(0)
    assert transport.written == [HEAD]
    joined.write(b"late")
    joined.write(b"later")
    assert transport.written == [HEAD, b"late", b"later"]


async def test_closing_loses_nothing() -> None:
    transport = Writes()
    joined = JoinedTransport(transport, asyncio.get_running_loop())
    joined.write(HEAD)
    joined.close()
    assert transport.written == [HEAD]
    await asyncio.sleep(0)
    assert transport.written == [HEAD]
    assert joined.get_extra_info("peername", "nobody") == "nobody"  # everything else is the transport's own


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[int]:
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, http=Protocol, log_config=None, lifespan="off")
    )
    task = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(10):
            while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
                await asyncio.sleep(0.01)
        yield port
    finally:
        server.should_exit = True
        await task


@pytest.mark.parametrize("pause_s", [0, 0.05])
async def test_answers_are_whole_on_one_connection(pause_s: float) -> None:
    """Two requests sent at once, a streamed body, an empty one."""

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        parts = (
            [b"", b"x" * 70_000, b"end"]
            if scope["path"] == "/stream"
            else [b"body" * (scope["path"] != "/empty")]
        )
        length = sum(map(len, parts))
        headers = [(b"content-length", b"%d" % length)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for number, part in enumerate(parts, 1):
            await asyncio.sleep(pause_s)
            await send({"type": "http.response.body", "body": part, "more_body": number < len(parts)})

    async with serving(app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for path in ("/", "/stream", "/empty", "/"):
            writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        for length in (4, 70_003, 0, 4):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
            assert f"content-length: {length}\r\n".encode() in head
            assert len(await reader.readexactly(length)) == length
        writer.close()
        await writer.wait_closed()
