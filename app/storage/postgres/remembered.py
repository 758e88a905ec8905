"""Answers that may be given again without asking, as long as nothing they rest on has changed since."""

import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from app.bounded import Bounded
from app.storage.postgres.changes import Changes

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass(slots=True)
class KnownAnswer:
    """asked_at: the newest change when it was asked for; until: by the monotonic clock."""

    value: Any
    subjects: tuple[Hashable, ...]
    asked_at: int
    until: float


class Remembered(Generic[Key, Value]):
    """A look-up with a memory of bounded size and age. Only what is there is remembered, never that nothing is.

    An answer is numbered when its question is sent. A change that arrives between question and answer has a higher
    number, so the answer is worth nothing from the start: it may have been read before the change.

    rests_on: the subjects of an answer, and for how many seconds it may be believed; None for one not to remember.
    most: how many; 0 remembers nothing.
    """

    def __init__(
        self,
        ask: Callable[[Key], Awaitable[Value | None]],
        changes: Changes,
        *,
        rests_on: Callable[[Value], tuple[tuple[Hashable, ...], float] | None],
        most: int,
    ) -> None:
        self._ask = ask
        self._changes = changes
        self._rests_on = rests_on
        self._most = most
        self._answers = Bounded[Key, KnownAnswer](most)

    async def find(self, key: Key) -> Value | None:
        """What is remembered, else what is there."""
        value = self.recall(key)
        return value if value is not None else await self.ask(key)

    def recall(self, key: Key) -> Value | None:
        """What is remembered and still to be believed. It awaits nothing."""
        answer = self._answers.get(key)
        now = time.monotonic()
        if answer is None or now >= self._changes.believed_until:
            return None
        if now >= answer.until or self._changes.since(answer.asked_at, answer.subjects):
            self._answers.pop(key)
            return None
        value: Value = answer.value
        return value

    async def ask(self, key: Key) -> Value | None:
        """What is there; remembered for the next."""
        asked_at, sent_at = self._changes.number, time.monotonic()
        value = await self._ask(key)
        if value is not None and self._most and (resting := self._rests_on(value)) is not None:
            subjects, life_s = resting
            self._answers.put(key, KnownAnswer(value, subjects, asked_at, sent_at + life_s))
        return value
