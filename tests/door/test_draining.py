"""A listening socket that keeps newcomers out loses nobody who is in, and nobody who is on the way."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from app.door.draining import is_readable, keep_newcomers_out


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def connect(listener: socket.socket) -> socket.socket:
    return socket.create_connection(listener.getsockname(), timeout=10)


def test_who_is_in_the_queue_is_served_as_before(listener: socket.socket, stack: ExitStack) -> None:
    client = stack.enter_context(connect(listener))
    keep_newcomers_out(listener)
    assert is_readable(listener.fileno())
    server = stack.enter_context(listener.accept()[0])
    assert not is_readable(listener.fileno())
    listener.close()
    for one, other in ((client, server), (server, client)):
        one.sendall(b"whole")
        assert other.recv(10) == b"whole"


async def test_a_newcomer_is_refused_once_the_socket_is_closed_and_never_reset(
    listener: socket.socket,
) -> None:
    keep_newcomers_out(listener)
    newcomer = asyncio.create_task(asyncio.to_thread(connect, listener))
    await asyncio.sleep(0.3)
    assert not newcomer.done()
    assert not is_readable(listener.fileno())
    listener.close()
    with pytest.raises(ConnectionRefusedError):
        await newcomer


async def test_a_newcomer_meets_the_successor(listener: socket.socket, stack: ExitStack) -> None:
    """The first segment that was dropped is sent again, to whoever listens by then."""
    address = listener.getsockname()
    keep_newcomers_out(listener)
    newcomer = asyncio.create_task(asyncio.to_thread(connect, listener))
    await asyncio.sleep(0.2)
    listener.close()
    stack.enter_context(socket.create_server(address))
    stack.enter_context(await newcomer)


def test_a_socket_that_takes_no_filter_says_so() -> None:
    closed = socket.socket()
    closed.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        keep_newcomers_out(closed)
