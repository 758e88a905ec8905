"""Valkey (or Redis): short time-outs and no repeats, since a command whose reply was lost may have taken effect."""

import asyncio
import math
from collections.abc import Awaitable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

from app.storage.errors import StoreUnavailableError
from app.storage.gather import Bounds, Gather

# Only requests that cannot do without Valkey wait for it, so patience costs nobody else anything. At 0.3 s a busy
# disk or event loop lost codes of a healthy store: a GETDEL given up on has taken the code all the same.
COMMAND_TIMEOUT_S = 1.0
CONNECT_TIMEOUT_S = 1.0


class Valkey:
    """The connection pool. A command that fails in any way ends as StoreUnavailableError: the outcome is unknown."""

    def __init__(self, url: str, *, connections: int, bounds: Bounds) -> None:
        # The default would repeat each command ten times, GETDEL too, and report a good code as used.
        self._pool = BlockingConnectionPool.from_url(
            url,
            max_connections=connections,
            timeout=COMMAND_TIMEOUT_S,
            socket_timeout=COMMAND_TIMEOUT_S,
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._client = Redis(connection_pool=self._pool)
        self._taken = Gather(self._take, bounds, store="Valkey", repeatable=False)
        self._marked = Gather(self._mark, bounds, store="Valkey", repeatable=False)

    async def getdel(self, key: str) -> bytes | None:
        """Keys asked for while others are on their way go together, in one pipeline."""
        return await self._taken(key)

    async def mark(self, key: str, *, life_ms: int) -> bool:
        """Whether the key is new; it stands for so long. Of several at once, on any process, one is told that it is."""
        return await self._marked((key, life_ms))

    async def _take(self, keys: Sequence[str]) -> list[bytes | None]:
        return cast("list[bytes | None]", await _known(self._send([("GETDEL", key) for key in keys])))

    async def _mark(self, marks: Sequence[tuple[str, int]]) -> list[bool]:
        commands = [("SET", key, b"", "NX", "PX", life_ms) for key, life_ms in marks]
        return [reply is not None for reply in await _known(self._send(commands))]

    async def _send(self, commands: Sequence[tuple[str | bytes | int, ...]]) -> list[Any]:
        """Commands over one connection, under one time-out: the client's own pipeline costs twice as much."""
        connection = await self._pool.get_connection()  # type: ignore[no-untyped-call]  # the library leaves it untyped
        try:
            async with asyncio.timeout(COMMAND_TIMEOUT_S):
                packed = connection.pack_commands(commands)
                await connection.send_packed_command(packed, check_health=False)
                return [await connection.read_response(timeout=math.inf) for _ in commands]
        except BaseException:
            await connection.disconnect(nowait=True)  # else the next to use it would read our replies
            raise
        finally:
            await self._pool.release(connection)

    async def set_if_absent(self, key: str, value: bytes, *, expires_at_ms: int) -> None:
        """Sent once more when its reply was lost: the same value under the same key may be written twice."""
        try:
            await _known(self._client.set(key, value, nx=True, pxat=expires_at_ms))
        except StoreUnavailableError:
            await _known(self._client.set(key, value, nx=True, pxat=expires_at_ms))

    def script(self, source: str) -> AsyncScript:
        return self._client.register_script(source)

    async def run(self, script: AsyncScript, keys: list[str], arguments: list[bytes | int]) -> Any:
        return await _known(script(keys=keys, args=arguments))

    async def ping(self) -> None:
        await _known(self._client.ping())

    async def info(self) -> Mapping[str, Any]:
        """What the server says of itself, by the names of the INFO command."""
        return cast("Mapping[str, Any]", await _known(self._client.info()))

    async def time(self) -> datetime:
        seconds, microseconds = await _known(self._client.time())
        return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)

    async def close(self) -> None:
        await self._taken.close()
        await self._marked.close()
        await self._client.aclose()
        await self._pool.disconnect()


async def _known(command: Awaitable[Any]) -> Any:
    try:
        return await command
    except (RedisError, OSError, TimeoutError) as error:
        raise StoreUnavailableError(f"Valkey: {type(error).__name__} {error}") from error
