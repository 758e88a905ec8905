"""A line of those who wait for a turn. Whoever tried less goes first; in a crowd that tried as much, the newest does."""

import asyncio
from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Generic, TypeVar

from app.storage.errors import StoreUnavailableError

_tried = attrgetter("tried")


@dataclass(slots=True, eq=False)
class Waiter:
    """tried: the less, the earlier. turn: set when it comes, or when it will not."""

    tried: int
    turn: "asyncio.Future[Any]"

    def refuse(self, error: BaseException) -> None:
        if not self.turn.done():
            self.turn.set_exception(error)


Kind = TypeVar("Kind", bound=Waiter)


class Line(Generic[Kind]):
    """Those who tried as much go as they came, unless they take half of the room. Then the newest goes first.

    Guessers with many addresses come all at once, and whoever comes after them does not wait for each.
    """

    def __init__(self, most: int, *, newest_first: bool = True) -> None:
        """most: who wait. newest_first: in a crowd; False lets them go as they came in a crowd too."""
        self._most = most
        self._newest_first = newest_first
        self._waiting: list[Kind] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, waiter: Kind) -> bool:
        return waiter in self._waiting

    @property
    def least_tried(self) -> int:
        return self._waiting[0].tried

    def has_room(self, tried: int) -> bool:
        """Whether somebody who tried so much may wait here, in the place of somebody who tried more if need be."""
        return len(self) < self._most or tried < self._waiting[-1].tried

    def is_crowd(self, tried: int) -> bool:
        """Whether those who tried just so much take half of the room."""
        alike = bisect_right(self._waiting, tried, key=_tried) - bisect_left(self._waiting, tried, key=_tried)
        return 2 * alike >= self._most

    def join(self, waiter: Kind) -> None:
        insort(self._waiting, waiter, key=_tried)

    def leave(self, waiter: Kind) -> bool:
        """Wait no more; whether it still did."""
        waited = waiter in self._waiting
        if waited:
            self._waiting.remove(waiter)
        return waited

    def call(self) -> Kind:
        """Take the next one out."""
        least = self.least_tried
        newest = self._newest_first and self.is_crowd(least)
        return self._waiting.pop(bisect_right(self._waiting, least, key=_tried) - 1 if newest else 0)

    def turn_away(self, reason: str) -> None:
        """Where there is one too many, refuse one of those who tried most.

        It is the first of them to come, or the last where they go as they came.
        """
        if len(self) > self._most:
            first = bisect_left(self._waiting, self._waiting[-1].tried, key=_tried)
            self._waiting.pop(first if self._newest_first else -1).refuse(StoreUnavailableError(reason))
