"""Two lanes to a bounded number of threads: the known go ahead, the others by how little they tried."""

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
_NICENESS = 10  # a thread of the others gets a tenth of a processor that it shares


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


def _stand_back() -> None:
    """Linux alone has a priority for each thread. Nobody but root may raise it again."""
    if sys.platform == "linux":
        thread = get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, max(_NICENESS, os.getpriority(os.PRIO_PROCESS, thread)))


class Lanes:
    """The others leave a thread to those ahead, start only while none of these waits, and never take their room.

    Those ahead go as they came, also in a crowd.
    """

    def __init__(self, *, threads: int, waiting: int) -> None:
        """waiting: how many may wait in each lane."""
        self._threads = threads
        fewer = max(1, threads - 1)
        self._ahead = _Lane(_pool(threads), threads, Line(waiting, newest_first=False))
        self._others = _Lane(_pool(fewer, _stand_back), fewer, Line(waiting))
        self.places = self._others.most_running + waiting  # of the smaller lane

    async def run(self, work: Callable[[], Answer], *, ahead: bool, tried: int) -> Answer:
        """Run it in a thread, once its turn comes.

        Raises StoreUnavailableError when there is no room, or no longer: somebody came who tried less, or the turn did
        not come in time.
        """
        loop, lane = asyncio.get_running_loop(), self._ahead if ahead else self._others
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
        return (self._ahead if ahead else self._others).line.has_room(tried)

    def close(self) -> None:
        for lane in (self._ahead, self._others):
            lane.pool.shutdown(wait=False, cancel_futures=True)

    def _start(self) -> None:
        while self._ahead.running + self._others.running < self._threads:
            lane = self._ahead if self._ahead.line else self._others
            if not lane.goes:
                return
            waiter = lane.line.call()
            lane.running += 1
            loop = asyncio.get_running_loop()
            running = loop.run_in_executor(lane.pool, waiter.work)
            running.add_done_callback(partial(self._finish, lane, waiter, loop.time()))

    def _finish(self, lane: _Lane, waiter: _Waiter, began_s: float, done: "asyncio.Future[Any]") -> None:
        """The thread is free only now, also when nobody waits for the answer any more.

        While others wait, they leave it three times as long as it worked for one of them who had tried before: a flood of
        passwords takes a quarter of a core. If that one had tried nothing, they leave it as long as it worked, and only in
        a crowd. Whoever tried less than that one did not come with the flood, and does not wait for it.
        """
        lane.running -= 1
        if lane is self._others and (lane.line.is_crowd(0) if not waiter.tried else lane.line):
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
        if waiter in lane.line:
            lane.line.leave(waiter)
            waiter.refuse(StoreUnavailableError("it took too long until the password could be checked"))

    def _end_rest(self, lane: _Lane, tried: int) -> None:
        lane.resting.remove(tried)
        self._start()
