"""Answers leave in one write, and whatever does not come at once is not held back for it."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.flow_control import FlowControl

from app.door.answers import WHOLE, Cycle, JoinedTransport
from tests.door.serving import serving


class Writes(asyncio.Transport):
    """A transport that notes what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.together: tuple[object, ...] = ()
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        self.written.append(bytes(data))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.together = tuple(list_of_data)

    def close(self) -> None:
        self.closed = True


HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


async def test_head_and_body_are_one_write() -> None:
    transport = Writes()
    joined = JoinedTransport(transport, asyncio.get_running_loop().call_soon)
    for body in (b"first", b"second"):
        joined.write(HEAD)
        joined.write(body)
    await asyncio.sleep(0)
    assert transport.written == [HEAD + b"first", HEAD + b"second"]


async def test_a_long_body_is_sent_with_its_head_and_never_copied() -> None:
    """R-75: a thousand connections that read nothing hold one document between them."""
    transport, document = Writes(), bytes(100_000)
    JoinedTransport(transport, asyncio.get_running_loop().call_soon).write(document)
    assert transport.written == [document]
    joined = JoinedTransport(transport, asyncio.get_running_loop().call_soon)
    joined.write(HEAD)
    joined.write(document)
    assert transport.together == (HEAD, document)
    assert transport.together[1] is document
    await asyncio.sleep(0)
    assert transport.written == [document]


async def test_a_long_answer_in_one_message_is_never_copied_either() -> None:
    """R-75"""
    transport, document = Writes(), bytes(100_000)
    joined: Any = JoinedTransport(transport, asyncio.get_running_loop().call_soon)
    scope: Any = {"type": "http", "method": "GET"}
    cycle = Cycle(
        scope=scope,
        transport=joined,
        flow=FlowControl(joined),
        default_headers=[],
        on_response=lambda: None,
        keep_alive=True,
    )
    await cycle.send({"type": WHOLE, "status": 200, "headers": [(b"a", b"b")], "body": document})
    head, body = transport.together
    assert head == b"HTTP/1.1 200 OK\r\na: b\r\n\r\n"
    assert body is document


async def test_head_does_not_wait_for_a_body_that_takes_its_time() -> None:
    transport = Writes()
    joined = JoinedTransport(transport, asyncio.get_running_loop().call_soon)
    joined.write(HEAD)
    await asyncio.sleep(0)
    assert transport.written == [HEAD]
    joined.write(b"late")
    joined.write(b"later")
    assert transport.written == [HEAD, b"late", b"later"]


async def test_closing_loses_nothing() -> None:
    transport = Writes()
    joined = JoinedTransport(transport, asyncio.get_running_loop().call_soon)
    joined.write(HEAD)
    joined.close()
    assert transport.written == [HEAD]
    await asyncio.sleep(0)
    assert transport.written == [HEAD]
    assert joined.get_extra_info("peername", "nobody") == "nobody"  # everything else is the transport's own


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


async def answer_whole(scope: Scope, receive: Receive, send: Send) -> None:
    """The body that was sent, in one message where the server takes it so."""
    body = (await receive())["body"] * (200_000 if scope["path"].endswith("/long") else 1)
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body))]
    if scope["path"].startswith("/whole"):
        assert WHOLE in scope["extensions"]
        await send({"type": WHOLE, "status": 201, "headers": headers, "body": body})
    else:
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def request_of(path: str, *, version: str = "1.1", body: bytes = b"asked") -> bytes:
    parts = path.encode(), version.encode(), len(body), body
    return b"POST %b HTTP/%b\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % parts


async def test_one_message_is_the_same_answer_as_two() -> None:
    """And the connection goes on, also for one who does not wait for answers."""
    async with serving(answer_whole) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request_of("/whole") + request_of("/parts") + request_of("/whole"))
        whole, parts, again = [await reader.readuntil(b"asked") for _ in range(3)]
        writer.close()
    assert whole.startswith(b"HTTP/1.1 201 Created\r\ndate: ")
    assert whole.split(b"\r\n")[2:] == parts.split(b"\r\n")[2:] == again.split(b"\r\n")[2:]


async def test_a_connection_that_is_not_kept_is_closed_after_its_answer() -> None:
    async with serving(answer_whole) as port:
        for path in ("/whole", "/parts"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request_of(path, version="1.0"))
            answer = await reader.read()  # up to the end
            assert b"\r\nconnection: close\r\n" in answer
            assert answer.endswith(b"\r\n\r\nasked")
            writer.close()


async def test_a_reader_who_takes_its_time_gets_everything() -> None:
    """Answers of 9 MB in all, far beyond what the sockets hold, read only after they were asked for."""
    async with serving(answer_whole) as port, asyncio.timeout(20):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request_of("/whole/long") * 9)
        await asyncio.sleep(0.3)
        for _ in range(9):
            await reader.readuntil(b"\r\n\r\n")
            assert await reader.readexactly(1_000_000) == b"asked" * 200_000
        writer.close()


async def test_requests_in_the_queue_keep_their_bodies_when_one_too_many_follows() -> None:
    """Each of the nine is asked with a body of its own; the tenth stops the reading in the middle of its message."""
    async with serving(answer_whole) as port, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"".join(request_of("/whole", body=b"body %d" % number) for number in range(10)))
        answers = await reader.read()
        writer.close()
    bodies = [part.rpartition(b"\r\n\r\n")[2] for part in answers.split(b"HTTP/1.1 ")[1:]]
    assert bodies == [b"body %d" % number for number in range(9)]
