"""Lanes to a few threads: the known go ahead of the new, and whoever guessed before has a thread apart."""

import asyncio
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from threading import get_native_id
from typing import Any, TypeVar

from app.process.line import Line, Waiter
from app.storage.errors import StoreUnavailableError

Answer = TypeVar("Answer")

_LONGEST_WAIT_S = 5.0  # for a turn, which might never come while others come who tried less
_LONGEST_REST_S = 0.1  # a machine with much else to do makes a hash last longer than it works
_TRIED_RESTS = 3  # times as long
# A thread of the new gets a third of a processor that it shares, and one of the guessers a tenth.
_NICENESS_OF_NEW, _NICENESS_OF_GUESSERS = 5, 10


@dataclass(slots=True, eq=False)
class _Waiter(Waiter):
    work: Callable[[], Any]


@dataclass(slots=True)
class _Lane:
    """pool: its threads. most_running: at once. resting: a thread each that whoever tried as much leaves for a while."""

    pool: ThreadPoolExecutor
    most_running: int
    line: Line[_Waiter]
    running: int = 0
    resting: list[int] = field(default_factory=list)

    @property
    def goes(self) -> bool:
        if not self.line:
            return False
        resting = sum(tried <= self.line.least_tried for tried in self.resting)
        return self.running + resting < self.most_running


def _pool(threads: int, begin: Callable[[], None] | None = None) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="argon2", initializer=begin)


def _stand_back(niceness: int) -> None:
    """Linux alone has a priority for each thread. Nobody but root may raise it again."""
    if sys.platform == "linux":
        thread = get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, max(niceness, os.getpriority(os.PRIO_PROCESS, thread)))


class Lanes:
    """The new leave a thread to the known, and start only while none of these waits.

    Whoever tried before, as guessers did, waits for a thread apart, which starts only while nobody else waits. No lane takes
    the room of another. The known go as they came.
    """

    def __init__(self, *, threads: int, waiting: int) -> None:
        """threads: for the known and the new. waiting: how many may wait in each lane."""
        self._threads = threads
        fewer = max(1, threads - 1)
        self._known = _Lane(_pool(threads), threads, Line(waiting, newest_first=False))
        self._new = _Lane(_pool(fewer, partial(_stand_back, _NICENESS_OF_NEW)), fewer, Line(waiting))
        self._guessers = _Lane(_pool(1, partial(_stand_back, _NICENESS_OF_GUESSERS)), 1, Line(waiting))
        self.places = 1 + waiting  # of the smallest lane

    async def run(self, work: Callable[[], Answer], *, ahead: bool, tried: int) -> Answer:
        """Run it in a thread, once its turn comes.

        Raises StoreUnavailableError when there is no room, or no longer: somebody came who tried less, or the turn did
        not come in time.
        """
        loop, lane = asyncio.get_running_loop(), self._lane(ahead=ahead, tried=tried)
        waiter = _Waiter(tried, loop.create_future(), work)
        lane.line.join(waiter)
        self._start()
        if waiter in lane.line:
            loop.call_later(_LONGEST_WAIT_S, self._give_up, lane, waiter)
        lane.line.turn_away("too many passwords wait to be checked")
        try:
            answer: Answer = await waiter.turn
        finally:
            lane.line.leave(waiter)  # whoever waited for it went away
        return answer

    def has_room(self, *, ahead: bool, tried: int) -> bool:
        return self._lane(ahead=ahead, tried=tried).line.has_room(tried)

    def close(self) -> None:
        for lane in (self._known, self._new, self._guessers):
            lane.pool.shutdown(wait=False, cancel_futures=True)

    def _lane(self, *, ahead: bool, tried: int) -> _Lane:
        if ahead:
            return self._known
        return self._guessers if tried else self._new

    def _start(self) -> None:
        while self._known.running + self._new.running < self._threads:
            lane = self._known if self._known.line else self._new
            if not lane.goes:
                break
            self._begin(lane)
        if self._guessers.goes and not self._known.line and not self._new.line:
            self._begin(self._guessers)

    def _begin(self, lane: _Lane) -> None:
        waiter = lane.line.call()
        lane.running += 1
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(lane.pool, waiter.work)
        running.add_done_callback(partial(self._finish, lane, waiter, loop.time()))

    def _finish(self, lane: _Lane, waiter: _Waiter, began_s: float, done: "asyncio.Future[Any]") -> None:
        """The thread is free only now, also when nobody waits for the answer any more.

        While others wait, guessers leave it three times as long as it worked: a flood of passwords takes a quarter of a
        core. The new leave it as long as it worked, and only in a crowd. Whoever tried less does not wait for that.
        """
        lane.running -= 1
        if (lane is self._guessers and lane.line) or (lane is self._new and lane.line.is_crowd(0)):
            loop = asyncio.get_running_loop()
            rest_s = min(_LONGEST_REST_S, loop.time() - began_s) * (_TRIED_RESTS if waiter.tried else 1)
            lane.resting.append(waiter.tried)
            loop.call_later(rest_s, self._end_rest, lane, waiter.tried)
        self._start()
        if done.cancelled():
            waiter.turn.cancel()
        elif error := done.exception():
            waiter.refuse(error)
        elif not waiter.turn.done():
            waiter.turn.set_result(done.result())

    def _give_up(self, lane: _Lane, waiter: _Waiter) -> None:
        if lane.line.leave(waiter):
            waiter.refuse(StoreUnavailableError("it took too long until the password could be checked"))

    def _end_rest(self, lane: _Lane, tried: int) -> None:
        lane.resting.remove(tried)
        self._start()
