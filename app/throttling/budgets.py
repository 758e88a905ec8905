"""Budgets bound how often each caller may read. They refill all the time, so a minute may begin at any moment."""

import math
import time
from collections.abc import Hashable
from dataclasses import dataclass

from app.bounded import Bounded

WINDOW_S = 60
_MOST_NAMES = 20_000
_ROUNDING_S = 1e-6  # sums of shares miss the whole minute by less


@dataclass(slots=True)  # not frozen: each request builds one
class Budget:
    """A budget after a request. reset_s: until it is whole again; retry_after_s: 0 for a request that was granted."""

    limit: int
    remaining: int
    reset_s: int
    retry_after_s: int = 0


class Budgets:
    """Each process has its own, so a caller of several gets at most the sum.

    For each caller we store when its budget is whole again; each request moves that time on by its share of a minute.
    Memory is bounded: the budget that was begun first is forgotten first, and is whole again then.
    """

    def __init__(self, *, a_minute: int) -> None:
        self._limit = a_minute
        self._share_s = WINDOW_S / a_minute
        self._whole_at = Bounded[Hashable, float](_MOST_NAMES)

    def take(self, name: Hashable) -> Budget:
        now = time.monotonic()
        whole_s = max(0.0, self._whole_at.get(name, now) - now)
        over_s = whole_s + self._share_s - WINDOW_S
        if over_s > _ROUNDING_S:
            return Budget(self._limit, 0, math.ceil(whole_s), max(1, math.ceil(over_s)))
        whole_s += self._share_s
        self._whole_at.put(name, now + whole_s)
        remaining = int((WINDOW_S - whole_s) / self._share_s + _ROUNDING_S)
        return Budget(self._limit, remaining, math.ceil(whole_s))
