"""Thousands of interleavings in seconds: a loop whose clock jumps to what is due next, and chances that come from a seed.

Nothing sleeps and no socket is opened, so a scenario of minutes takes milliseconds, and a seed always gives the same one.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Mapping
from random import Random
from typing import Any, TypeVar
from unittest.mock import patch

Result = TypeVar("Result")

SEEDS = range(400)
TURN_S = 1e-6  # between what must stay in its order: the loop does not keep that of one moment
_LONGEST_S = 600.0  # of the loop's own clock; what takes longer waits for something that never comes


class StuckError(AssertionError):
    """Somebody waits for what nothing will bring.

    It is raised once nothing is due any more, and after 600 s of the loop's own clock.
    """


def run(seed: int, scenario: Callable[[Random], Coroutine[Any, Any, Result]]) -> Result:
    """Run a scenario to its end, with `time.monotonic` as the loop's clock."""
    with asyncio.Runner(loop_factory=_SeededLoop) as runner:
        loop = runner.get_loop()
        with patch("time.monotonic", loop.time):
            return runner.run(scenario(Random(seed)))  # noqa: S311  # chances, not secrets


class _SeededLoop(asyncio.SelectorEventLoop):
    """A clock that stands still while anything runs, and then jumps to what is due next."""

    def __init__(self) -> None:
        self._now = 1000.0
        super().__init__(_Jump(self))

    def time(self) -> float:
        return self._now

    def jump(self, seconds: float | None) -> None:
        """seconds: until something is due; None where nothing is."""
        if seconds is None or self._now > 1000.0 + _LONGEST_S:
            raise StuckError("nothing is due, and somebody waits")
        self._now += seconds


class _Jump(selectors.BaseSelector):
    """In the place of waiting for files, of which the loop has its own alone."""

    def __init__(self, loop: _SeededLoop) -> None:
        self._loop = loop
        self._keys: dict[int, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        number = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        self._keys[number] = selectors.SelectorKey(fileobj, number, events, data)
        return self._keys[number]

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj if isinstance(fileobj, int) else fileobj.fileno())

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._loop.jump(timeout)
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys
