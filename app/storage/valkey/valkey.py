"""Valkey (or Redis): short time-outs and no repeats, since a command whose reply was lost may have taken effect."""

import asyncio
from collections.abc import Awaitable, Coroutine, Mapping
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, cast

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

from app.storage.errors import NotSentError, StoreUnavailableError
from app.storage.valkey.pipe import Pipe

# Only requests that cannot do without Valkey wait for it, so patience costs nobody else anything. At 0.3 s a busy
# disk or event loop lost codes of a healthy store: a GETDEL given up on has taken the code all the same.
_TIMEOUT_S = 1.0
_CONNECT_TIMEOUT_S = 1.0

# Nobody notices a wait as short as this. After such a silence nobody waits again for a while.
_BRIEF_S = 0.2
_PAUSE_S = 2.0


class Valkey:
    """The connections. A command that fails in any way ends as StoreUnavailableError: the outcome is unknown."""

    def __init__(
        self,
        url: str,
        *,
        connections: int,
        most_waiting: int,
        timeout_s: float = _TIMEOUT_S,
        pause_s: float = _PAUSE_S,
    ) -> None:
        """timeout_s: for a command that must be answered. pause_s: how long nobody waits again after a silence."""
        # The default would repeat each command ten times, GETDEL too, and report a good code as used.
        self._pool = BlockingConnectionPool.from_url(
            url,
            max_connections=connections,
            timeout=timeout_s,
            socket_timeout=timeout_s,
            socket_connect_timeout=_CONNECT_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._client = Redis(connection_pool=self._pool)
        self._most_waiting = most_waiting
        self._pipe: Pipe | None = None
        self._opening: asyncio.Task[Pipe] | None = None
        self._silent_until = 0.0
        self._timeout_s, self._pause_s = timeout_s, pause_s

    def getdel(self, key: str) -> Coroutine[Any, Any, bytes | None]:
        return self._call("GETDEL", key)

    async def mark(self, key: str, *, life_ms: int) -> bool:
        """Set a key, and tell whether it was new. If several set it at once, on any process, only one is told so."""
        return await self._call("SET", key, b"", "NX", "PX", str(life_ms)) is not None

    async def get_soon(self, key: str) -> bytes | None:
        """A value that a request can do without: None also when Valkey does not answer at once."""
        return cast("bytes | None", await self._soon("GET", key))

    async def set_soon(self, key: str, value: bytes, *, life_ms: int) -> None:
        """Set a value, unless Valkey does not answer at once."""
        await self._soon("SET", key, value, "PX", str(life_ms))

    async def _soon(self, *command: bytes | str) -> Any:
        """While Valkey hangs, callers wait at most 0.2 s, and only once every two seconds."""
        if monotonic() < self._silent_until:
            return None
        try:
            async with asyncio.timeout(_BRIEF_S):
                return await self._call(*command)
        except (StoreUnavailableError, TimeoutError):
            self._silent_until = monotonic() + self._pause_s
            return None

    async def _call(self, *command: bytes | str, limited: bool = True) -> Any:
        pipe = self._standing or await self._open_pipe()
        return await pipe.call(*command, limited=limited)

    @property
    def _standing(self) -> Pipe | None:
        return self._pipe if self._pipe is not None and self._pipe.open else None

    async def _open_pipe(self) -> Pipe:
        """Callers that come while it is being opened wait for the same connection, and get the same failure."""
        if self._opening is None:
            self._opening = asyncio.create_task(self._connect())
        return await asyncio.shield(self._opening)

    async def _connect(self) -> Pipe:
        try:
            if self._pipe is not None:
                await self._pipe.close()
            connection = self._pool.make_connection()  # type: ignore[no-untyped-call]  # the library leaves it untyped
            await connection.connect()
            self._pipe = Pipe(connection, most=self._most_waiting, patience_s=self._timeout_s)
        except (RedisError, OSError, TimeoutError) as error:
            raise NotSentError(f"Valkey: no connection: {type(error).__name__} {error}") from error
        finally:
            self._opening = None
        return self._pipe

    async def set_if_absent(self, key: str, value: bytes, *, expires_at_ms: int) -> None:
        """Set a key unless it is there; repeat it when the reply was lost, since writing it twice changes nothing.

        A crowd that is turned away at once puts its codes back at once. On the pool's few connections some waited
        too long, and those codes were lost; on the pipe a thousand are one write, and none is too many.
        """
        command = ("SET", key, value, "NX", "PXAT", str(expires_at_ms))
        try:
            await self._call(*command, limited=False)
        except StoreUnavailableError:
            await self._call(*command, limited=False)

    def script(self, source: str) -> AsyncScript:
        return self._client.register_script(source)

    async def run(self, script: AsyncScript, keys: list[str], arguments: list[bytes | int]) -> Any:
        return await _known(script(keys=keys, args=arguments))

    async def ping(self) -> None:
        await _known(self._client.ping())

    async def info(self) -> Mapping[str, Any]:
        """The server's facts about itself, by the names of the INFO command."""
        return cast("Mapping[str, Any]", await _known(self._client.info()))

    async def time(self) -> datetime:
        seconds, microseconds = await _known(self._client.time())
        return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)

    async def close(self) -> None:
        if self._pipe is not None:
            await self._pipe.close()
        await self._client.aclose()
        await self._pool.disconnect()


async def _known(command: Awaitable[Any]) -> Any:
    try:
        return await command
    except (RedisError, OSError, TimeoutError) as error:
        raise StoreUnavailableError(f"Valkey: {type(error).__name__} {error}") from error
