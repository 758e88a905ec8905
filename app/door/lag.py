"""A watchdog measures how long the event loop was blocked, and warns when that was long (R-110)."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter, thread_time

import structlog

from app.metrics import LAG_BUCKETS, LAGS, LagMeasurements

INTERVAL_S = 0.01
HAND_ON_EVERY_S = 0.5
WARN_ABOVE_S = 0.1
_WARN_EVERY_S = 10.0  # a loop that is blocked again and again must not fill the log too

_PUNCTUAL_S = LAG_BUCKETS[0]
_log = structlog.get_logger()


@contextmanager
def watched_loop() -> Iterator[None]:
    """Watch the running loop until the block ends."""
    watchdog = Watchdog(asyncio.get_running_loop(), LAGS)
    watchdog.start()
    try:
        yield
    finally:
        watchdog.stop()


class Watchdog:
    """A timer that begins anew whenever it has fired. It is late by as long as the loop was blocked.

    A block that began between two ticks is seen shorter than it was, by 10 ms at most. A pause of the garbage collector
    is a block too, and so is time in which the machine ran something else: `busy` tells the two apart.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        lags: LagMeasurements,
        *,
        warn_every_s: float = _WARN_EVERY_S,
    ) -> None:
        self._loop = loop
        self._lags = lags
        self._punctual = 0
        self._punctual_s = 0.0  # their lateness
        self._due_at = self._hand_on_at = self._computed_s = 0.0
        self._warn_at = 0.0
        self._warn_every_s = warn_every_s
        self._unwarned = 0
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._hand_on_at = perf_counter() + HAND_ON_EVERY_S
        self._wind(perf_counter(), thread_time())

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._hand_on(perf_counter())

    def _wind(self, now: float, computed_s: float) -> None:
        self._computed_s = computed_s
        self._due_at = now + INTERVAL_S
        self._handle = self._loop.call_later(INTERVAL_S, self._tick)

    def _tick(self) -> None:
        """It takes two microseconds, a hundred times a second: a fifth of a thousandth of one core."""
        now, computed_s = perf_counter(), thread_time()
        lag_s = now - self._due_at
        if lag_s < _PUNCTUAL_S:
            self._punctual += 1
            self._punctual_s += lag_s
        else:
            self._note(lag_s, min(lag_s, computed_s - self._computed_s), now)
        if now >= self._hand_on_at:
            self._hand_on(now)
        self._wind(now, computed_s)

    def _note(self, lag_s: float, busy_s: float, now: float) -> None:
        self._lags.add_late(lag_s, busy_s)
        if lag_s < WARN_ABOVE_S:
            return
        if now < self._warn_at:
            self._unwarned += 1
            return
        _log.warning(
            "event loop blocked",
            lag_ms=round(lag_s * 1000),
            busy_ms=round(busy_s * 1000),
            unsaid=self._unwarned,
        )
        self._warn_at, self._unwarned = now + self._warn_every_s, 0

    def _hand_on(self, now: float) -> None:
        self._hand_on_at = now + HAND_ON_EVERY_S
        self._lags.add_punctual(self._punctual, max(0.0, self._punctual_s))
        self._lags.hand_on()
        self._punctual, self._punctual_s = 0, 0.0
