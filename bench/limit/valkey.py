"""GETDEL twice: over the redis package's own connection, and over a bare one, the stretch."""

import asyncio
from typing import Any

from redis.asyncio.connection import AbstractConnection, ConnectionPool

from bench.ground.valkey import BareConnection, connect_bare
from bench.limit.batch import Batch


class PackageConnection:
    """The redis package's connection: the commands of a loop turn leave in one piece."""

    def __init__(self, connection: AbstractConnection) -> None:
        self._connection = connection
        self._gathered = Batch(self._run)

    def getdel(self, key: bytes) -> asyncio.Future[bytes | None]:
        return self._gathered(key)

    async def close(self) -> None:
        await self._connection.disconnect()

    async def _run(self, keys: list[bytes]) -> list[Any]:
        connection = self._connection
        await connection.send_packed_command(
            connection.pack_commands([("GETDEL", key) for key in keys]), check_health=False
        )
        return [await connection.read_response() for _ in keys]


async def connect(kind: str, url: str) -> PackageConnection | BareConnection:
    if kind not in {"package", "bare"}:
        raise ValueError(f"a connection to Valkey is package or bare, not {kind}")
    return await (connect_bare(url) if kind == "bare" else connect_package(url))


async def connect_package(url: str) -> PackageConnection:
    pool = ConnectionPool.from_url(url, protocol=2)
    return PackageConnection(await pool.get_connection())  # type: ignore[no-untyped-call]  # its decorator has no types
