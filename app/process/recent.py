"""Values found out a moment ago, which need not be asked for again at once."""

import time
from collections.abc import Hashable
from typing import Generic, TypeVar

from app.bounded import Bounded

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """Values kept for a time and up to a number; the oldest is forgotten first."""

    def __init__(self, *, keep_s: float, most: int) -> None:
        self._keep_s = keep_s
        self._kept = Bounded[Key, tuple[Value, float]](most)

    def get(self, key: Key) -> Value | None:
        value, until = self._kept.get(key, (None, 0.0))
        return value if time.monotonic() < until else None

    def keep(self, key: Key, value: Value) -> None:
        self._kept.pop(key, None)
        self._kept.put(key, (value, time.monotonic() + self._keep_s))
