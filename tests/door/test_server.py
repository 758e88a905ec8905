"""A server that leaves, looked at from inside the process: who gets in, what it says, and when it gives up."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from app.door.bounds import Bounds
from app.door.server import Config, Server
from tests.door.serving import Client, echo, on_own_loop
from tests.door.test_workers import bound
from tests.support.raw import get

WHOLE = get(b"/")


@asynccontextmanager
async def listening(app: ASGIApp, **options: Any) -> AsyncIterator[tuple[Server, int]]:
    """A server on a socket that was bound before, as the service has it, and its port."""
    listener = bound()
    port = listener.getsockname()[1]
    server = Server(Config(app, bounds=Bounds(), lifespan="off", **options))
    task = asyncio.create_task(server.serve([listener]))
    async with asyncio.timeout(20):
        while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
            await asyncio.sleep(0.01)
        yield server, port
        server.should_exit = True
        await task


async def until_it_leaves(server: Server) -> None:
    server.should_exit = True
    while not server.server_state.leaving:  # noqa: ASYNC110  # the same
        await asyncio.sleep(0.01)


@on_own_loop
async def test_answers_that_nobody_reads_stay_here_where_they_are_judged() -> None:
    """R-74, R-75: the kernel took nearly all of them, and left little to judge."""
    answer = bytes(500_000)

    async def large(_scope: Scope, _receive: Receive, send: Send) -> None:
        length = [(b"content-length", b"500000")]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": answer})

    async with listening(large) as (server, port):
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            await asyncio.to_thread(client.connect, ("127.0.0.1", port))
            client.sendall(WHOLE * 8)
            async with asyncio.timeout(10):
                while not server.server_state.connections:  # noqa: ASYNC110  # nobody tells
                    await asyncio.sleep(0.01)
            await asyncio.sleep(0.5)
            (connection,) = server.server_state.connections
            left = connection.transport.get_write_buffer_size()
            assert 400_000 < left < len(answer)
            client.settimeout(10)
            received = await asyncio.to_thread(_read_all, client, 8 * len(answer))
            assert received > 8 * len(answer)


def _read_all(client: socket.socket, least: int) -> int:
    received = 0
    while received <= least and (data := client.recv(65536)):
        received += len(data)
    return received


async def test_whoever_comes_when_it_has_begun_to_leave_is_refused() -> None:
    """R-102: let in, they could be in the queue when it is closed, and be reset."""
    async with listening(echo) as (server, port):
        await until_it_leaves(server)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.to_thread(socket.create_connection, ("127.0.0.1", port), 10)


async def test_a_connection_from_the_queue_has_one_answer() -> None:
    """R-102: it was made before, and comes out of the queue after all others were told."""
    async with listening(echo) as (server, port):
        server.server_state.leaving = True
        async with Client.to(port) as client:
            client.say(WHOLE)
            status, headers, _ = await client.answer()
            assert (status, headers["connection"]) == (200, "close")
            assert await client.end() == b""


async def test_what_is_never_answered_does_not_hold_it(caplog: pytest.LogCaptureFixture) -> None:
    """R-102: the end comes when the grace is over."""

    async def hang(_scope: Scope, _receive: Receive, _send: Send) -> None:
        await asyncio.Event().wait()

    caplog.set_level(logging.ERROR)
    async with listening(hang, timeout_graceful_shutdown=1) as (server, port), Client.to(port) as client:
        client.say(WHOLE)
        await until_it_leaves(server)
        assert b"500" in (await client.end()).split(b"\r\n")[0]
    assert "1 requests were not answered in time" in caplog.text


async def test_the_date_goes_on_while_it_waits_for_the_load_balancer() -> None:
    async with listening(echo, shutdown_delay_s=2.5) as (server, port), Client.to(port) as client:
        server.should_exit = True
        await asyncio.sleep(2)
        client.say(WHOLE)
        _, headers, _ = await client.answer()
        assert abs((datetime.now(UTC) - parsedate_to_datetime(headers["date"])).total_seconds()) < 1.5
