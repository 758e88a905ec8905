"""A gate lets so many through at once; the others wait, by how little they tried."""

import asyncio
from bisect import insort
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

from app.storage.errors import StoreUnavailableError


@dataclass(order=True, slots=True)
class _Waiter:
    """In the order in which they go. tried: the less, the earlier. place: the newest goes first, as in `Lanes`."""

    tried: int
    place: int
    turn: "asyncio.Future[None]" = field(compare=False)


class Gate:
    """So many at once, and so many who wait. Whoever tried the most, or came first of these, makes room for others."""

    def __init__(self, *, at_once: int, waiting: int) -> None:
        self._free = at_once
        self._most_waiting = waiting
        self._waiting: list[_Waiter] = []
        self._places = count(0, -1)

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
        waiter = _Waiter(tried, next(self._places), asyncio.get_running_loop().create_future())
        insort(self._waiting, waiter)
        if len(self._waiting) > self._most_waiting:
            last = self._waiting.pop()
            if not last.turn.done():
                last.turn.set_exception(StoreUnavailableError("too many wait to be looked up"))
        try:
            await waiter.turn
        except BaseException:
            if waiter in self._waiting:  # whoever waited for it went away
                self._waiting.remove(waiter)
            elif waiter.turn.done() and not waiter.turn.cancelled() and waiter.turn.exception() is None:
                self._let_next()  # its turn had come just then
            raise

    def _let_next(self) -> None:
        while self._waiting:
            waiter = self._waiting.pop(0)
            if not waiter.turn.done():
                waiter.turn.set_result(None)
                return
        self._free += 1
