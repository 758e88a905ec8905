"""A proxy between the service and a store's socket that can go deaf: commands pass, their replies are lost."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path


@asynccontextmanager
async def deaf_proxy(socket: str) -> AsyncIterator[tuple[str, Callable[[], None]]]:
    """The proxy's own socket, and what makes it drop the next reply and end that connection, once."""
    deaf = False

    def deafen() -> None:
        nonlocal deaf
        deaf = True

    connections: set[asyncio.Task[None]] = set()

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(asyncio.create_task(carry(reader, writer)))

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_unix_connection(socket)
        asking = asyncio.create_task(pass_on(reader, there_writer))
        try:
            while data := await there_reader.read(65_536):
                if lost():
                    break
                writer.write(data)
        finally:
            asking.cancel()
            for each in (writer, there_writer):
                each.close()
                await each.wait_closed()

    def lost() -> bool:
        nonlocal deaf
        was, deaf = deaf, False
        return was

    with tempfile.TemporaryDirectory() as folder:  # a socket's path must be short
        path = str(Path(folder) / "s")
        async with await asyncio.start_unix_server(serve, path):
            yield path, deafen
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
