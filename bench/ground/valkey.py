"""A bare connection to Valkey: hiredis over a transport, and nothing between."""

import asyncio
from collections import deque
from typing import Any, cast

import hiredis
from redis.asyncio.connection import parse_url

from app.storage.valkey.valkey import Valkey


class BareConnection(asyncio.Protocol):
    """hiredis over a transport: written once a loop turn, answers matched to callers in order."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader()
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._unsent: list[bytes] = []
        self._transport: asyncio.Transport | None = None

    def getdel(self, key: bytes) -> asyncio.Future[bytes | None]:
        return self.call(b"GETDEL", key)

    def call(self, *command: bytes) -> asyncio.Future[Any]:
        future = self._loop.create_future()
        self._waiting.append(future)
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent.append(hiredis.pack_command(command))  # type: ignore[arg-type]  # declared for one argument
        return future

    async def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        while (answer := self._reader.gets()) is not False:
            future = self._waiting.popleft()
            if isinstance(answer, hiredis.ReplyError):
                future.set_exception(answer)
            else:
                future.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        for future in self._waiting:
            future.set_exception(exc or ConnectionError("Valkey closed the connection"))

    def _flush(self) -> None:
        assert self._transport is not None  # noqa: S101  # nobody calls before it is connected
        self._transport.write(b"".join(self._unsent))
        self._unsent.clear()


class RoutedConnection:
    """The service's own way to several servers, for what is written before a measurement."""

    def __init__(self, url: str) -> None:
        self._valkey = Valkey(url, connections=1, most_waiting=1_000_000, timeout_s=10.0)

    def call(self, *command: bytes) -> asyncio.Future[Any]:
        asked = self._flush() if command == (b"FLUSHDB",) else self._valkey._call(*command)  # noqa: SLF001  # as the pipe
        return asyncio.ensure_future(asked)

    async def _flush(self) -> None:
        for server in (await self._valkey.servers()).values():
            await server.call("FLUSHDB")

    async def close(self) -> None:
        await self._valkey.close()


async def connect_bare(url: str) -> BareConnection:
    address = parse_url(url)
    loop = asyncio.get_running_loop()
    if "path" in address:
        _, connection = await loop.create_unix_connection(BareConnection, address["path"])
    else:
        _, connection = await loop.create_connection(BareConnection, address["host"], address["port"])
    await connection.call(b"AUTH", address["password"].encode())
    await connection.call(b"SELECT", str(address.get("db", 0)).encode())
    return connection


async def connect_to(url: str) -> BareConnection | RoutedConnection:
    """url: of one server, or of several."""
    return RoutedConnection(url) if "+" in url.partition("://")[0] else await connect_bare(url)
