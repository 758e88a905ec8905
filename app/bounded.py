"""A dictionary of bounded size: what strangers may fill must forget something."""

from collections.abc import Hashable
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Bounded(dict[Key, Value]):
    """At most `most` entries: a new one takes the place of the oldest. Only `put` adds, and nothing where that is 0."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def put(self, key: Key, value: Value) -> Key | None:
        """Add or replace; the key that was forgotten for it. What is replaced keeps its age."""
        forgotten: Key | None = None
        if not self._most:
            return forgotten
        if key not in self and len(self) >= self._most:
            forgotten = next(iter(self))
            del self[forgotten]
        self[key] = value
        return forgotten
