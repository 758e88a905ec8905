"""How long an event loop was held: a task that wants a turn every millisecond notes the longest time it had none."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

Answer = TypeVar("Answer")

_EVERY_S = 0.001
_ATTEMPTS = 6
_ENOUGH_S = 0.025  # more attempts would show nothing more


@dataclass(slots=True)
class Held:
    """longest_s: without a turn."""

    longest_s: float = 0.0


async def held_least(work: Callable[[], Awaitable[Answer]]) -> tuple[Answer, float]:
    """The last answer, and the least of several times that the loop was held longest.

    The time is in seconds. The work runs again until it is less than 25 ms, but six times at most.
    """
    least_s = float("inf")
    attempts = 0
    while True:
        async with ticking() as held:
            answer = await work()
        least_s = min(least_s, held.longest_s)
        attempts += 1
        if least_s < _ENOUGH_S or attempts == _ATTEMPTS:
            return answer, least_s


@asynccontextmanager
async def ticking() -> AsyncIterator[Held]:
    """Tick on the loop that it is entered on."""
    held = Held()
    task = asyncio.create_task(_tick(held))
    await asyncio.sleep(0)
    try:
        yield held
        await asyncio.sleep(_EVERY_S)  # whoever was held last has its turn
    finally:
        task.cancel()


async def _tick(held: Held) -> None:
    """Time in which our process did not work went to another program; time of threads that free the loop is no block."""
    before, worked_before = time.perf_counter(), time.process_time()
    while True:
        await asyncio.sleep(_EVERY_S)
        now, worked = time.perf_counter(), time.process_time()
        held.longest_s = max(held.longest_s, min(now - before, worked - worked_before))
        before, worked_before = now, worked
