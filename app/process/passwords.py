"""Passwords of people: argon2id in a bounded pool of threads, so that hashing never holds up a token."""

import asyncio
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from app.storage.errors import StoreUnavailableError

Answer = TypeVar("Answer")

# Composing accents takes a time that grows with the square of their number: a thousand take two milliseconds.
LONGEST_PASSWORD = 1000

_WAITING_PER_THREAD = 8

# OWASP's floor for argon2id, in one lane.
_KIB, _PASSES = 19_456, 2
# Verified against when nobody has the address, so that the answer takes as long as for somebody. It is no
# password's hash: making one cost every start of the service, and every verb of the command line, 50 ms.
NOBODY = f"$argon2id$v=19$m={_KIB},t={_PASSES},p=1${'A' * 22}${'A' * 43}"


class Passwords:
    """argon2 leaves the interpreter lock while it works."""

    def __init__(self, *, threads: int) -> None:
        self._hasher = PasswordHasher(time_cost=_PASSES, memory_cost=_KIB, parallelism=1)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._places = threads * (1 + _WAITING_PER_THREAD)
        self._places_each = -(-self._places // 2)
        self._taken = 0
        self._taken_by: Counter[str] = Counter()

    async def hash(self, password: str) -> str:
        """Raises StoreUnavailableError when no place is left."""
        return await self._run(self._hash, password)

    async def verify(self, password_hash: str | None, password: str, *, askers: tuple[str, ...] = ()) -> bool:
        """Whether it is the password; None stands for an address nobody has, and takes as long.

        askers: names that each hold half of all places at most, such as the networks around an address (R-60).
        Raises StoreUnavailableError when no place is left.
        """
        with self._place_of(askers):
            right = await self._run(self._matches, password_hash or NOBODY, password)
        return right and password_hash is not None

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _hash(self, password: str) -> str:
        return self._hasher.hash(_as_typed(password))

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, _as_typed(password))
        except VerifyMismatchError:
            return False

    @contextmanager
    def _place_of(self, askers: tuple[str, ...]) -> Iterator[None]:
        if any(self._taken_by[asker] >= self._places_each for asker in askers):
            raise StoreUnavailableError("too many passwords from one network wait to be checked")
        self._taken_by.update(askers)
        try:
            yield
        finally:
            self._taken_by.subtract(askers)
            for asker in askers:
                if not self._taken_by[asker]:
                    del self._taken_by[asker]

    async def _run(self, work: Callable[..., Answer], *arguments: str) -> Answer:
        if self._taken >= self._places:  # a flood of sign-ins waits outside, not in our memory
            raise StoreUnavailableError("too many passwords wait to be checked")
        self._taken += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)
        finally:
            self._taken -= 1


def _as_typed(password: str) -> str:
    """Keyboards differ in how they compose an accented letter; the same key strokes are the same password (RFC 8265).

    Raises ValueError when nobody checked its length before.
    """
    if len(password) > LONGEST_PASSWORD:
        raise ValueError(f"a password of more than {LONGEST_PASSWORD} characters")
    return unicodedata.normalize("NFC", password)
