"""Failures of one process: the callers who failed too often lately, and the lanes that slow them."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Self

from app.bounded import Bounded
from app.throttling.networks import is_ipv6, networks_around

_MOST_NAMES = 20_000
_LANE_WAITING = 8
_LANE_PAUSE_S = 0.05


class LaneFullError(Exception):
    """Too many wait in this caller's own lane already."""

    retry_after_s = 1


class Failures:
    """Counts of one process, each draining by `a_minute` a minute, over the limit above `a_minute`.

    A name is an address, a caller, or an application seen from an address. Memory is bounded: the name that failed
    first is forgotten first.

    A name that ends in the /64 of an IPv6 address counts to the networks around it too. A /48 holds 65,536 of them,
    yet it has sixteen times the limit of one, and a /56 has four times.
    """

    def __init__(self, *, a_minute: int) -> None:
        self._most = float(a_minute)
        self._drained_a_second = a_minute / 60
        self._levels = Bounded[str, tuple[float, float]](_MOST_NAMES)  # how full, and when that was
        self._over: set[str] = set()  # those above the limit, and some that have drained since
        self._lanes: dict[str, _Lane] = {}

    def note(self, name: str) -> None:
        """Count a failure to the name and the networks around it.

        A network that is over its limit already fills no more of the wider one that it shares with others.
        """
        for network, part in networks_around(name):
            was_over = self._is_over(network)
            self._add(network, part)
            if was_over:
                break

    def over(self, name: str) -> bool:
        """Whether the name, or a network around it, is over its limit. While nobody is, this is one look."""
        return bool(self._over) and self._widest_over(name) is not None

    def lane(self, name: str) -> AbstractAsyncContextManager[None]:
        """Wait for a turn in the name's lane: one at a time, with a pause after each.

        The widest network that is over its limit has one lane, however many are in it.
        Raises LaneFullError at once when the lane is full: in a flood, turning away is most of the work.
        """
        widest = self._widest_over(name) or name
        if self._is_full(widest):
            raise LaneFullError
        return self._walk(widest)

    @asynccontextmanager
    async def _walk(self, name: str) -> AsyncIterator[None]:
        lane = self._lanes.setdefault(name, _Lane())
        try:
            async with lane:
                yield
                await asyncio.sleep(_LANE_PAUSE_S)
        finally:
            if not lane.waiting:
                self._lanes.pop(name, None)

    def _is_full(self, name: str) -> bool:
        lane = self._lanes.get(name)
        return lane is not None and lane.waiting >= _LANE_WAITING

    def _widest_over(self, name: str) -> str | None:
        if not is_ipv6(name):
            return name if self._is_over(name) else None
        return next((each for each, _ in reversed(networks_around(name)) if self._is_over(each)), None)

    def _is_over(self, name: str) -> bool:
        if name not in self._over:
            return False
        if self._level(name) > self._most:
            return True
        self._over.discard(name)
        return False

    def _add(self, name: str, part: float) -> None:
        level = self._level(name) + part
        self._levels.pop(name, None)
        forgotten = self._levels.put(name, (min(level, 2 * self._most), time.monotonic()))
        if forgotten is not None:
            self._over.discard(forgotten)
        if level > self._most:
            self._over.add(name)

    def _level(self, name: str) -> float:
        level, at = self._levels.get(name, (0.0, 0.0))
        return max(0.0, level - (time.monotonic() - at) * self._drained_a_second)


class _Lane:
    """A lock that knows how many hold it or wait for it."""

    def __init__(self) -> None:
        self.waiting = 0
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self.waiting += 1
        try:
            await self._lock.acquire()
        except BaseException:
            self.waiting -= 1
            raise
        return self

    async def __aexit__(self, *_raised: object) -> None:
        self._lock.release()
        self.waiting -= 1
