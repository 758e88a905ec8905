"""Time limits for each phase of a connection, without reading a clock or setting a timer for a request."""

from enum import Enum

from app.door.bounds import Bounds


class Phase(Enum):
    """The thing that a connection waits for; the value names the bound on it."""

    FIRST = "first_byte_s"  # the first byte of its first request
    IDLE = "keep_alive_s"  # the first byte of another one
    HEAD = "head_s"
    BODY = "body_s"
    ANSWER = "answer_s"  # our own answer, or our own reading
    WRITE = "write_s"  # the client, to read
    LINGER = "linger_s"  # the client, to close


class Patience:
    """The patience with one connection. It is asked once a sweep, and compares what it is told with the time before."""

    __slots__ = ("_bounds", "_mark", "_phase", "_request", "_waited_s")

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._phase = Phase.ANSWER
        self._request: object = None
        self._mark = 0
        self._waited_s = 0.0

    def begin_anew(self) -> None:
        self._waited_s = 0.0

    def is_over(self, phase: Phase, request: object, moved: int, *, leaving: bool) -> bool:
        """Whether the time for this phase of this request is up.

        moved: a number that grows with every byte that arrives or leaves. leaving: whether the process ends.
        """
        step = self._bounds.body_step if phase is Phase.BODY else 1
        if phase is not self._phase or request is not self._request or moved - self._mark >= step:
            self._phase, self._request, self._mark, self._waited_s = phase, request, moved, 0.0
            return False
        self._waited_s += self._bounds.sweep_s
        return self._waited_s >= self._limit_s(phase, leaving=leaving)

    def _limit_s(self, phase: Phase, *, leaving: bool) -> float:
        if leaving and phase in (Phase.FIRST, Phase.IDLE):
            return self._bounds.leaving_idle_s
        if leaving and phase in (Phase.HEAD, Phase.BODY):
            return self._bounds.leaving_s
        return float(getattr(self._bounds, phase.value))
