"""Refused requests of applications, gathered in memory until they are written for the owners to see."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.oauth.token_string import TokenString

# A round takes so many of one application, and so many in all: the first ones tell of a flood.
_MOST_OF_ONE, _MOST = 100, 2_000


@dataclass(frozen=True, slots=True)
class RefusedRequest:
    """A request that was refused. detail: the exact cause, which the answer may have kept to itself.

    application_id: of the application that the request said it came from. token: what was sent instead of a name; it is
    compared with what is stored before it says anything, and is stored nowhere.
    """

    id: UUID
    at: datetime
    reference: str
    application_id: UUID | None
    token: TokenString | None
    path: str
    status: int
    error: str
    detail: str


class RefusedRequests:
    """What waits to be written. Those above the bounds are left out, and it is counted how many."""

    def __init__(self, *, most_of_one: int = _MOST_OF_ONE, most: int = _MOST) -> None:
        self._most_of_one, self._most = most_of_one, most
        self._waiting: list[RefusedRequest] = []
        self._of: Counter[UUID | None] = Counter()
        self.due = asyncio.Event()  # set when there is no more time to gather
        self._left_out = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def admit(self, application_id: UUID | None, token: TokenString | None) -> bool:
        """Whether there is room for one more of those who sent this, before it is put into words. If not, it is left out."""
        name = application_id or (token.id if token else None)
        if len(self._waiting) >= self._most or self._of[name] >= self._most_of_one:
            self._left_out += 1
            return False
        self._of[name] += 1
        return True

    def note(self, refused: RefusedRequest) -> None:
        """Keep one that was admitted."""
        self._waiting.append(refused)

    def take(self) -> tuple[list[RefusedRequest], int]:
        """All that wait, and how many were left out beside them."""
        taken, left_out = self._waiting, self._left_out
        self._waiting, self._left_out = [], 0
        self._of.clear()
        return taken, left_out
