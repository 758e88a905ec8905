"""The proxy leaves no connection open: one that is collected later would fail whichever test runs then."""

import asyncio
import gc
import socket
import struct

import pytest

from tests.support.proxy import port_to

_RESETS_WHEN_CLOSED = struct.pack("ii", 1, 0)  # SO_LINGER


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
async def test_a_client_that_resets_ends_the_connection_to_the_store() -> None:
    """And nothing of either side is left for the collector."""
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def store(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        writer.write(b"1")
        heard.set_result(await reader.read())
        writer.close()
        await writer.wait_closed()

    async with (
        await asyncio.start_server(store, "127.0.0.1", 0) as server,
        port_to(server.sockets[0].getsockname()[1]) as (_, port),
        asyncio.timeout(10),
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"1")
        await reader.readexactly(1)
        end: socket.socket = writer.get_extra_info("socket")
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESETS_WHEN_CLOSED)
        writer.close()
        assert await heard == b""
    gc.collect()
