"""Reads of applications, counted in memory until they are written: a request waits for no store to count it."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from itertools import islice

from app.storage.token.reads import Count, ReadKey

# So many rows are written at once, and so many wait while PostgreSQL is away: in about 25 MB.
_SOON, _MOST = 5_000, 50_000


class Reads:
    """Counts that wait to be written. Those above the bound are lost, and it is counted how many."""

    def __init__(self, *, soon: int = _SOON, most: int = _MOST) -> None:
        """soon: so many rows are written without waiting for more."""
        self._soon, self._most = soon, most
        self._counts: dict[ReadKey, Count] = {}
        self.due = asyncio.Event()  # set when there is no more time to gather
        self._lost = 0

    def __len__(self) -> int:
        return len(self._counts)

    def note(self, key: ReadKey, at: datetime) -> None:
        count = self._counts.get(key)
        if count is not None:
            count.reads += 1
            count.last_at = at
        elif len(self._counts) < self._most:
            self._counts[key] = Count(1, at)
            if len(self._counts) == self._soon:  # and not again for each beyond, while PostgreSQL is away
                self.due.set()
        else:
            self._lost += 1

    def take(self) -> dict[ReadKey, Count]:
        """The oldest rows, as many as are written at once. Whoever takes them writes them or puts them back."""
        taken = dict(islice(self._counts.items(), self._soon))
        for key in taken:
            del self._counts[key]
        return taken

    def forget_lost(self) -> int:
        """How many reads were lost since this was last asked."""
        lost, self._lost = self._lost, 0
        return lost

    def put_back(self, taken: Mapping[ReadKey, Count]) -> None:
        """Have them written later, as the oldest."""
        newer, self._counts = self._counts, dict(taken)
        for key, count in newer.items():
            older = self._counts.get(key)
            if older is not None:
                older.reads += count.reads
                older.last_at = max(older.last_at, count.last_at)
            elif len(self._counts) < self._most:
                self._counts[key] = count
            else:
                self._lost += count.reads
