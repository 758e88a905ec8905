"""One server, which many callers reach over one connection, and over its successor when it fails."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from app.ending import end
from app.storage.errors import NotSentError, OtherKindError, RedirectedError, RetiredError
from app.storage.valkey.address import Host
from app.storage.valkey.pipe import Pipe

Connect = Callable[[], Awaitable[AbstractConnection]]

# Once a server let somebody wait in vain for a connection, nobody waits for another for a while.
_WAITED_S = 0.2
_REST_S = 0.5

_IN_A_CLUSTER = "write redis+cluster:// before its address in ROVITRACKER_REDIS_URL"


@dataclass(frozen=True, slots=True)
class NodeBounds:
    """connections: at most to one server, with those whose last replies are on their way.

    most_waiting: commands on one connection. timeout_s: for a command that must be answered.
    """

    connections: int
    most_waiting: int
    timeout_s: float


class Node:
    """A command that took no effect is sent again on the successor, and any other failure leaves the outcome unknown."""

    def __init__(self, connect: Connect, bounds: NodeBounds, host: Host | None = None) -> None:
        """connect: opens a connection to where commands may go now. host: where it is, if that is always the same."""
        self.host = host
        self._connect, self._bounds = connect, bounds
        self._pipe: Pipe | None = None
        self._former: list[Pipe] = []
        self._opening: asyncio.Task[Pipe] | None = None
        self._rests_until = 0.0

    @property
    def standing(self) -> Pipe | None:
        return self._pipe if self._pipe is not None and self._pipe.open else None

    @property
    def idle(self) -> bool:
        pipes = (*self._former, self._pipe)
        return self._opening is None and all(pipe is None or pipe.idle for pipe in pipes)

    async def call(self, *command: bytes | str, limited: bool = True) -> Any:
        """Send a command, and return its reply. limited: as in `Pipe.call`.

        Raises NotSentError when it took no effect, else StoreUnavailableError: the outcome is unknown.
        """
        pipe = self.standing or await self.open_pipe()
        try:
            return await pipe.call(*command, limited=limited)
        except RetiredError:
            pipe = self.standing or await self.open_pipe()
            return await pipe.call(*command, limited=limited)
        except RedirectedError as error:
            raise OtherKindError(f"a node of a cluster ({error}): {_IN_A_CLUSTER}") from error

    def delete_soon(self, key: str) -> None:
        """As `Pipe.delete_soon` does. Without a connection the key stays to its end."""
        if (pipe := self.standing) is not None:
            pipe.delete_soon(key)

    async def open_pipe(self) -> Pipe:
        """Callers that come while it is being opened wait for the same connection, and get the same failure.

        Raises NotSentError, and that at once for half a second after a connection that the server did not answer.
        """
        if self._opening is None:
            if monotonic() < self._rests_until:
                raise NotSentError("Valkey: no connection: it did not answer a moment ago")
            self._opening = asyncio.create_task(self._open())
        return await asyncio.shield(self._opening)

    def leave(self) -> None:
        """Send what comes from now on over a new connection."""
        if self._pipe is not None:
            self._pipe.give_up()

    async def _open(self) -> Pipe:
        began = monotonic()
        try:
            await self._retire()
            connection = await self._connect()
            bounds = self._bounds
            self._pipe = Pipe(
                connection,
                most=bounds.most_waiting,
                patience_s=bounds.timeout_s,
                in_cluster=self.host is not None,
            )
        except (RedisError, OSError, TimeoutError) as error:
            if monotonic() - began > _WAITED_S:
                self._rests_until = monotonic() + _REST_S
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
            if pipe.idle or len(self._former) >= self._bounds.connections:
                self._former.remove(pipe)
                await pipe.close()

    async def info(self) -> Mapping[str, str]:
        """The server's facts about itself, by the names of the INFO command."""
        lines = bytes(await self.call("INFO", limited=False)).decode().splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    async def time(self) -> datetime:
        seconds, microseconds = await self.call("TIME", limited=False)
        return datetime.fromtimestamp(int(seconds), UTC) + timedelta(microseconds=int(microseconds))

    async def close(self) -> None:
        if self._opening is not None:
            await end(self._opening)
        for pipe in (*self._former, self._pipe):
            if pipe is not None:
                await pipe.close()
