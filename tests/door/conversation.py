"""A conversation on a raw socket: segments go out as they are cut, and everything is heard until the server has said all."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from tests.support.raw import RawAnswer, read_answer

_PATIENCE_S = 20.0  # longer than any deadline of the server: silence is a fault


async def converse(
    port: int,
    segments: Sequence[bytes],
    *,
    pause: Callable[[int, int], Awaitable[None]],
    half_close: bool = False,
) -> list[RawAnswer]:
    """The final answers, once the server has closed the connection.

    pause: waited for between two segments, told the port of this client and how many bytes it has sent.
    half_close: says that nothing more will come, and goes on listening.
    Raises TimeoutError when the server neither answers nor closes.
    """
    loop = asyncio.get_running_loop()
    heard = bytearray()
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sending = asyncio.create_task(_send(client, segments, pause, half_close=half_close))
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while data := await loop.sock_recv(client, 65_536):
                    heard += data
        except ConnectionError:
            pass  # the server closed with something unread, and all that it said before is here
        finally:
            sending.cancel()
            with suppress(asyncio.CancelledError):
                await sending
    return await final_answers(bytes(heard))


async def _send(
    client: socket.socket,
    segments: Sequence[bytes],
    pause: Callable[[int, int], Awaitable[None]],
    *,
    half_close: bool,
) -> None:
    loop = asyncio.get_running_loop()
    port, sent = client.getsockname()[1], 0
    with suppress(OSError):  # whoever was refused in the middle need not say the rest
        for segment in segments:
            if sent:
                await pause(port, sent)
            await loop.sock_sendall(client, segment)
            sent += len(segment)
        if half_close:
            client.shutdown(socket.SHUT_WR)


async def final_answers(heard: bytes) -> list[RawAnswer]:
    """Interim ones (RFC 9110 section 15.2) are left out; a part of an answer is a fault."""
    reader = asyncio.StreamReader(limit=2**20)
    reader.feed_data(heard)
    reader.feed_eof()
    found = []
    while not reader.at_eof():
        answer = await read_answer(reader)
        if answer.status >= 200:
            found.append(answer)
    return found
