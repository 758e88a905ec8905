"""Nobody waits for ever: a sweep ends what does not get on, silently where nothing was asked."""

import asyncio
from time import monotonic, sleep
from typing import cast

import pytest
from starlette.types import Receive, Scope, Send

from app.door.answers import BOUNDED, OVERDUE
from app.door.bounds import Bounds
from app.door.connection import Connection
from app.door.protocol import Protocol
from tests.door.serving import Client, echo, server_of, serving

# The product's deadlines, twenty times as fast.
FAST = Bounds(
    first_byte_s=0.5, head_s=0.5, body_s=0.5, write_s=1.5, keep_alive_s=0.25, linger_s=0.1,
    leaving_idle_s=0.05, leaving_s=0.1, sweep_s=0.05, answer_s=0.1,
)  # fmt: skip
WHOLE = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LENGTH = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n"


async def test_a_silent_connection_ends_silently() -> None:
    """R-74"""
    async with serving(echo, FAST) as port, Client.to(port) as client:
        began = monotonic()
        assert await client.end() == b""
        assert 0.4 < monotonic() - began < 1


async def test_a_kept_connection_ends_silently() -> None:
    async with serving(echo, FAST) as port, Client.to(port) as client:
        client.say(WHOLE)
        assert (await client.answer())[0] == 200
        began = monotonic()
        assert await client.end() == b""
        assert 0.2 < monotonic() - began < 0.6


async def test_a_request_that_comes_in_the_last_moment_is_answered() -> None:
    """R-102: it is in the socket while the loop is busy, and the sweep comes before it is read."""
    bounds = Bounds(sweep_s=100, keep_alive_s=100)
    async with server_of(echo, bounds) as server, Client.to(server.config.port) as client:
        client.say(WHOLE)
        assert (await client.answer())[0] == 200
        [connection] = cast("set[Connection]", server.server_state.connections)
        connection.sweep()
        client.say(WHOLE)
        sleep(0.05)  # noqa: ASYNC251  # the loop reads nothing meanwhile
        connection.sweep()
        assert (await client.answer())[0] == 200
        for _ in range(3):
            connection.sweep()
        assert await client.end() == b""


async def test_a_kept_connection_that_is_used_stays() -> None:
    async with serving(echo, FAST) as port, Client.to(port) as client:
        for _ in range(10):
            client.say(WHOLE)
            assert (await client.answer())[0] == 200
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("sent", [WHOLE[:-2], b"G", LENGTH, LENGTH + b"a" * 900], ids=len)
async def test_a_request_whose_rest_does_not_come_is_told_so(sent: bytes) -> None:
    """R-74"""
    async with serving(echo, FAST) as port, Client.to(port) as client:
        client.say(sent)
        await client.refused(408)


@pytest.mark.parametrize("begin", [b"", LENGTH], ids=["head", "body"])
async def test_a_drip_ends_like_a_pause(begin: bytes) -> None:
    """R-74: a byte now and then does not count."""
    async with serving(echo, FAST) as port, Client.to(port) as client:
        client.say(begin)
        dripping = asyncio.create_task(_drip(client))
        began = monotonic()
        assert (await client.answer())[0] == 408
        assert monotonic() - began < 1
        dripping.cancel()


async def _drip(client: Client) -> None:
    for byte in b"GET /" + b"a" * 100:
        client.say(bytes([byte]))
        await asyncio.sleep(0.05)


async def test_a_body_that_comes_slowly_and_steadily_is_read() -> None:
    """A KiB in each span is enough, however long the whole takes."""
    async with serving(echo, FAST) as port, Client.to(port) as client:
        client.say(LENGTH)
        for _ in range(4):
            await asyncio.sleep(0.25)
            client.say(b"a" * 1250)
        assert (await client.answer())[0] == 200


async def test_time_that_the_application_takes_is_not_the_clients() -> None:
    """This holds while it answers, and while it does not read on."""

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(1)
        await echo(scope, receive, send)

    async with serving(slow, FAST) as port, Client.to(port) as client:
        client.say(WHOLE)
        assert (await client.answer())[0] == 200
        client.say(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n", b"a" * 2_000_000)
        assert (await client.answer())[0] == 200


async def test_what_came_of_a_body_that_is_answered_already_is_not_kept() -> None:
    """R-75: the client may hold the connection until its deadline, with hundreds of KiB for nothing."""

    async def refuse(_scope: Scope, _receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.1)
        await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    async with server_of(refuse, FAST) as server, Client.to(server.config.port) as client:
        client.say(LENGTH, b"a" * 4000)
        await asyncio.sleep(0.05)
        [connection] = server.server_state.connections
        assert isinstance(connection, Protocol)
        assert len(connection.cycle.body) == 4000
        assert (await client.answer())[0] == 401
        assert len(connection.cycle.body) == 0
        client.say(b"a" * 500)
        await asyncio.sleep(0.05)
        assert len(connection.cycle.body) == 0


async def test_an_answer_that_nobody_reads_ends_its_connection() -> None:
    """R-74"""

    async def long(_scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"20000000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"a" * 20_000_000})

    async with server_of(long, FAST) as server, Client.to(server.config.port) as client:
        client.say(WHOLE)
        await asyncio.sleep(0.5)
        assert len(server.server_state.connections) == 1
        await asyncio.sleep(2)
        assert not server.server_state.connections


async def test_an_answer_that_is_read_slowly_is_read_whole() -> None:
    async def long(_scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"20000000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"a" * 20_000_000})

    async with serving(long, FAST) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**16)
        writer.write(WHOLE)
        read = 0
        while read < 20_000_000:
            part = await reader.read(1_000_000)
            assert part, f"cut after {read} bytes"
            read += len(part)
            await asyncio.sleep(0.1 if read < 3_000_000 else 0)
        writer.close()


async def test_connections_of_one_address_are_bounded_and_free_again() -> None:
    bounds = Bounds(connections=10, connections_per_address=3)
    async with serving(echo, bounds) as port:
        async with Client.to(port) as first, Client.to(port), Client.to(port), Client.to(port) as fourth:
            status, headers, _ = await fourth.answer()
            assert (status, headers["connection"]) == (429, "close")
            first.say(WHOLE)
            assert (await first.answer())[0] == 200
        async with Client.to(port) as client:
            client.say(WHOLE)
            assert (await client.answer())[0] == 200


async def test_connections_of_a_process_are_bounded() -> None:
    async with serving(echo, Bounds(connections=1)) as port, Client.to(port), Client.to(port) as second:
        assert (await second.answer())[0] == 503


@pytest.mark.parametrize("sent", [b"", WHOLE[:-2], LENGTH], ids=["idle", "head", "body"])
async def test_a_process_that_ends_does_not_wait_for_half_a_request(sent: bytes) -> None:
    """R-102: it is told so, and an idle connection ends silently."""
    async with server_of(echo, FAST) as server, Client.to(server.config.port) as client:
        client.say(WHOLE)
        assert (await client.answer())[0] == 200
        client.say(sent)
        await asyncio.sleep(0.05)
        server.should_exit = True
        if sent:
            assert (await client.answer(1))[0] == 408
        assert await client.end(1) == b""


async def test_a_process_that_ends_answers_what_was_asked_and_what_is_asked_in_that_moment() -> None:
    """R-102"""
    begun = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await asyncio.sleep(0.3)
        await echo(scope, receive, send)

    bounds = Bounds(leaving_idle_s=0.3, sweep_s=0.1)
    async with (
        server_of(slow, bounds) as server,
        Client.to(server.config.port) as client,
        Client.to(server.config.port) as idle,
    ):
        idle.say(WHOLE)
        assert (await idle.answer())[0] == 200
        client.say(WHOLE * 3)
        await begun.wait()
        server.should_exit = True
        await asyncio.sleep(0.15)
        idle.say(WHOLE)
        answers = [await client.answer() for _ in range(3)]
        assert [each[0] for each in answers] == [200] * 3
        assert answers[-1][1]["connection"] == "close"
        assert (await idle.answer())[1]["connection"] == "close"
        assert await client.end() == await idle.end() == b""


# ---- Our own answers ----


async def late(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer after 0.6 s, or sooner that the answer was called off."""
    scope[BOUNDED] = scope["path"] == "/bounded"
    while (await receive())["more_body"]:
        pass
    body = b"late"
    try:
        await asyncio.sleep(0.6)
    except asyncio.CancelledError:
        assert OVERDUE in scope
        body = b"called off"
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-length", b"%d" % len(body))],
        }
    )
    await send({"type": "http.response.body", "body": body})


def asking(path: str) -> bytes:
    return b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % path.encode()


async def test_an_answer_whose_time_is_bounded_is_called_off() -> None:
    """R-88: the connection goes on."""
    async with serving(late, FAST) as port, Client.to(port) as client:
        for _ in range(2):
            began = monotonic()
            client.say(asking("/bounded"))
            assert (await client.answer())[2] == b"called off"
            assert 0.1 < monotonic() - began < 0.4


async def test_another_answer_may_take_its_time() -> None:
    async with serving(late, FAST) as port, Client.to(port) as client:
        client.say(asking("/other"))
        assert (await client.answer())[2] == b"late"


async def test_a_request_that_waited_behind_another_has_the_whole_time() -> None:
    async with serving(late, FAST) as port, Client.to(port) as client:
        client.say(asking("/bounded") * 3)
        for _ in range(3):
            began = monotonic()
            assert (await client.answer())[2] == b"called off"
            assert monotonic() - began > 0.09


async def test_the_time_begins_with_the_whole_request() -> None:
    """A client that is slow to send takes nothing of it."""
    async with serving(late, FAST) as port, Client.to(port) as client:
        client.say(b"POST /bounded HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n")
        for _ in range(4):
            await asyncio.sleep(0.1)
            client.say(b"x")
        began = monotonic()
        assert (await client.answer())[2] == b"called off"
        assert monotonic() - began > 0.09
