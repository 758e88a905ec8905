"""Valkey (or Redis): short time-outs and no repeats, since a command whose reply was lost may have taken effect."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, cast

from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.maint_notifications import MaintNotificationsConfig

from app.storage.errors import NotSentError, RetiredError, StoreUnavailableError
from app.storage.valkey.pipe import Pipe

# Only requests that cannot do without Valkey wait for it, so patience costs nobody else anything. At 0.3 s a busy
# disk or event loop refused codes of a healthy store.
_TIMEOUT_S = 1.0
_CONNECT_TIMEOUT_S = 1.0

# A key that nobody writes: XX keeps what is not there from being made, and a server that takes no writes says so first.
_UNWRITTEN = "rovi:{unwritten}:code"

# Nobody notices a wait as short as this. After such a silence nobody waits again for a while.
_BRIEF_S = 0.2
_PAUSE_S = 2.0


class Valkey:
    """One connection, and its successor when it fails.

    A command that took no effect is sent again on the successor. Any other failure ends as StoreUnavailableError: the
    outcome is unknown.
    """

    def __init__(
        self,
        url: str,
        *,
        connections: int,
        most_waiting: int,
        timeout_s: float = _TIMEOUT_S,
        pause_s: float = _PAUSE_S,
    ) -> None:
        """connections: at most, with those whose last replies are on their way.

        timeout_s: for a command that must be answered. pause_s: how long nobody waits again after a silence.
        """
        self._maker = ConnectionPool.from_url(
            url,
            socket_timeout=timeout_s,
            socket_connect_timeout=_CONNECT_TIMEOUT_S,
            **({} if url.startswith("unix:") else {"socket_keepalive": True}),
            retry=Retry(NoBackoff(), 0),
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
        )
        self._most, self._most_waiting = connections, most_waiting
        self._pipe: Pipe | None = None
        self._former: list[Pipe] = []
        self._opening: asyncio.Task[Pipe] | None = None
        self._silent_until = 0.0
        self._leaving: list[str] = []
        self._timeout_s, self._pause_s = timeout_s, pause_s

    def get(self, key: str) -> Coroutine[Any, Any, bytes | None]:
        """A value, from a server that takes writes: GETEX changes nothing here, and a former primary refuses it."""
        return self._call("GETEX", key)

    async def delete(self, key: str) -> None:
        """Delete a key; sent once more when the reply was lost, since deleting it twice changes nothing."""
        try:
            await self._call("DEL", key, limited=False)
        except StoreUnavailableError:
            await self._call("DEL", key, limited=False)

    def delete_soon(self, key: str) -> None:
        """Delete a key that would end by itself, in one command with all others of this turn of the loop.

        Nobody waits for it, and where it fails the key stays to its end.
        """
        if not self._leaving:
            asyncio.get_running_loop().call_soon(self._delete_leaving)
        self._leaving.append(key)

    def _delete_leaving(self) -> None:
        keys, self._leaving = self._leaving, []
        if (pipe := self._standing) is not None:
            pipe.call("DEL", *keys, limited=False).add_done_callback(_pass_over)

    async def mark(self, key: str, *, life_ms: int) -> bool:
        """Set a key, and tell whether it was new. If several set it at once, on any process, only one is told so."""
        return await self._call("SET", key, b"", "NX", "PX", str(life_ms)) is not None

    async def get_soon(self, key: str) -> bytes | None:
        """A value that a request can do without: None also when Valkey does not answer at once."""
        return cast("bytes | None", await self._soon("GET", key))

    async def set_soon(self, key: str, value: bytes, *, life_ms: int) -> bool:
        """Set a value; False when Valkey does not answer at once."""
        return await self._soon("SET", key, value, "PX", str(life_ms)) is not None

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
        try:
            return await pipe.call(*command, limited=limited)
        except RetiredError:
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
            await self._retire()
            connection = self._maker.make_connection()  # type: ignore[no-untyped-call]  # the library leaves it untyped
            await connection.connect()
            self._pipe = Pipe(connection, most=self._most_waiting, patience_s=self._timeout_s)
        except (RedisError, OSError, TimeoutError) as error:
            raise NotSentError(f"Valkey: no connection: {type(error).__name__} {error}") from error
        finally:
            self._opening = None
        return self._pipe

    async def _retire(self) -> None:
        """Let the last one go. What waits on it still hears its replies, unless there are too many such connections."""
        if self._pipe is not None:
            self._former.append(self._pipe)
            self._pipe = None
        for pipe in tuple(self._former):
            if pipe.idle or len(self._former) >= self._most:
                self._former.remove(pipe)
                await pipe.close()

    async def run(self, script: str, keys: Sequence[str], arguments: Sequence[bytes | int]) -> Any:
        """Run a script that may be repeated: it is sent once more when nobody knows whether it took effect."""
        values = (each if isinstance(each, bytes) else str(each) for each in arguments)
        command = ("EVAL", script, str(len(keys)), *keys, *values)
        try:
            return await self._call(*command)
        except NotSentError:
            raise
        except StoreUnavailableError:
            return await self._call(*command)

    async def check_writable(self) -> None:
        """Raises StoreUnavailableError when it would take no code: away, a replica, or without memory or disk."""
        await self._call("SET", _UNWRITTEN, b"", "XX", "PX", "1", limited=False)

    async def info(self) -> Mapping[str, str]:
        """The server's facts about itself, by the names of the INFO command."""
        lines = bytes(await self._call("INFO", limited=False)).decode().splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    async def time(self) -> datetime:
        seconds, microseconds = await self._call("TIME", limited=False)
        return datetime.fromtimestamp(int(seconds), UTC) + timedelta(microseconds=int(microseconds))

    async def close(self) -> None:
        for pipe in (*self._former, self._pipe):
            if pipe is not None:
                await pipe.close()


def _pass_over(reply: "asyncio.Future[Any]") -> None:
    """A failure that changes nothing is read, or Python would tell of it."""
    if not reply.cancelled():
        reply.exception()
