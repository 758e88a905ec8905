"""TLS before the service, for clients that ask by https alone; its certificate is its own authority."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.certificates import write_certificate


@asynccontextmanager
async def tls_before(address: str, folder: Path) -> AsyncIterator[tuple[str, Path]]:
    """The https address of a service, and the file of the certificate that clients must trust."""
    certificate = write_certificate(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    port = int(address.rpartition(":")[2])

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward_reader, onward = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_pour(reader, onward), _pour(onward_reader, writer))

    async with await asyncio.start_server(carry, "127.0.0.1", 0, ssl=context) as server:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}", certificate


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
    finally:
        writer.close()
