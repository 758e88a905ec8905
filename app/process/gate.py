"""A gate lets so many through at once; the others wait, by how little they tried."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.process.line import Line, Waiter


class Gate:
    """So many at once, and so many who wait in line. Whoever tried the most makes room for others."""

    def __init__(self, *, at_once: int, waiting: int) -> None:
        self._free = at_once
        self._line = Line[Waiter](waiting)

    @asynccontextmanager
    async def passing(self, tried: int) -> AsyncIterator[None]:
        """Hold a place until the block ends.

        Raises StoreUnavailableError when there is no room to wait, or no longer: somebody came who tried less.
        """
        if self._free:
            self._free -= 1
        else:
            await self._wait(tried)
        try:
            yield
        finally:
            self._let_next()

    async def _wait(self, tried: int) -> None:
        waiter = Waiter(tried, asyncio.get_running_loop().create_future())
        self._line.join(waiter)
        self._line.turn_away("too many wait to be looked up")
        try:
            await waiter.turn
        except BaseException:
            came = waiter.turn.done() and not waiter.turn.cancelled() and waiter.turn.exception() is None
            if not self._line.leave(waiter) and came:  # whoever waited for it went away just then
                self._let_next()
            raise

    def _let_next(self) -> None:
        while self._line:
            waiter = self._line.call()
            if not waiter.turn.done():
                waiter.turn.set_result(None)
                return
        self._free += 1
