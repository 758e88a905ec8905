"""Whether something of a customer's is being changed: what was asked meanwhile may be answered in two ways."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic


class Quiet:
    """Its writers count what they begin and what they end."""

    def __init__(self) -> None:
        self._begun = 0
        self._under_way = 0
        self._heard_at = 0.0

    @contextmanager
    def changing(self, heard_within_s: float = 0.0) -> Iterator[None]:
        """heard_within_s: how long processes may go by what was before."""
        self._begun += 1
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            self._heard_at = max(self._heard_at, monotonic() + heard_within_s)

    def mark(self) -> int | None:
        """A number that stays the same while nothing is changed; None while something is."""
        if self._under_way or monotonic() < self._heard_at:
            return None
        return self._begun
