"""Connections to PostgreSQL that are taken and given back, with a time-out on each."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import asyncpg

from app.first_step import in_task
from app.storage.errors import NotSentError
from app.storage.postgres.server import DRIVER_ERRORS

CONNECT_TIMEOUT_S = 3.0
_FREE_S = 60.0  # without work, until the driver's pool has it back, which closes it


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long each step may take, in seconds: a connection from the pool, a new connection, a statement, a good-bye.

    shared_s, reconnect_s: a statement that requests share, and a new connection for it. Each may come twice, behind a queue.
    """

    acquire_s: float = 2.0
    connect_s: float = CONNECT_TIMEOUT_S
    statement_s: float = 5.0
    release_s: float = 0.5
    shared_s: float = 1.2
    reconnect_s: float = 0.6


class Connections:
    """The driver's pool, and before it those that did their work and wait for the next caller.

    That pool takes half the time of a short statement to give a connection out and take it back.
    """

    def __init__(self, pool: Any, timeouts: Timeouts) -> None:
        self._pool, self._timeouts = pool, timeouts
        self._free: list[tuple[Any, float]] = []  # since when; the one that was used last is taken first
        self._waiting = 0  # callers that have asked the pool
        self._is_closing = False

    async def take(self, timeout_s: float) -> Any:
        """Raises NotSentError when there is none in time."""
        free = self._take_free()
        if free is None:
            await in_task()
            free = self._take_free()  # one may have come free meanwhile, and the pool would wait for it
        if free is not None:
            return free
        self._waiting += 1
        try:
            return await self._pool.acquire(timeout=timeout_s)
        except DRIVER_ERRORS as error:
            raise NotSentError(f"PostgreSQL: no connection: {type(error).__name__} {error}") from error
        finally:
            self._waiting -= 1

    async def give_back(self, connection: Any, *, is_whole: bool) -> None:
        """is_whole: whether nothing is under way on it, and it leads to the server that is meant."""
        if not is_whole or self._waiting or self._is_closing:
            await self._release(connection)
            return
        now = asyncio.get_running_loop().time()
        self._free.append((connection, now))
        if self._free[0][1] < now - _FREE_S:
            await self._release(self._free.pop(0)[0])

    async def retire(self) -> None:
        """Use none again that stands now."""
        await self._pool.expire_connections()
        await self._release_free()

    async def close(self) -> None:
        self._is_closing = True
        await self._release_free()
        try:
            async with asyncio.timeout(self._timeouts.statement_s):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    def _take_free(self) -> Any:
        """None where there is none. The pool has back what the server closed."""
        while self._free:
            connection, _ = self._free.pop()
            if not is_lost(connection):
                return connection
        return None

    async def _release_free(self) -> None:
        while self._free:
            await self._release(self._free.pop()[0])

    async def _release(self, connection: Any) -> None:
        # A statement that was given up is cancelled at the server first; where that fails the pool closes the
        # connection, and what the statement itself came to has been said already.
        with suppress(*DRIVER_ERRORS):
            await self._pool.release(connection, timeout=self._timeouts.release_s)


def is_lost(connection: Any) -> bool:
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:  # the pool took it away when the server closed it
        return True
