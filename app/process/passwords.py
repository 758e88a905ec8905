"""Passwords of people: argon2id in a bounded pool of threads, so that hashing never holds up a token."""

import unicodedata
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from app.oauth.slow_hash import is_former, read_slow_hash
from app.process.gate import Gate
from app.process.lanes import Lanes
from app.storage.errors import StoreUnavailableError

# Composing accents takes a time that grows with the square of their number: a thousand take two milliseconds.
LONGEST_PASSWORD = 1000

_WAITING_PER_THREAD = 8
_LOOKED_UP_PER_THREAD = 2

# OWASP's floor for argon2id, in one lane.
_KIB, _PASSES = 19_456, 2
# Verified against when nobody has the address, so that the answer takes as long as for somebody. It is no
# password's hash: making one cost every start of the service, and every verb of the command line, 50 ms.
_OURS = f"$argon2id$v=19$m={_KIB},t={_PASSES},p=1$"
NOBODY = f"{_OURS}{'A' * 22}${'A' * 43}"


@dataclass(frozen=True, slots=True)
class Turn:
    """When somebody's password is checked, and how many of theirs at once.

    askers: names that each hold half of a lane's places at most, such as the networks around an address (R-60).
    ahead: in the lane of the known. tried: how much, lately; within a lane whoever tried less goes first.
    """

    askers: tuple[str, ...] = ()
    ahead: bool = False
    tried: int = 0


class Passwords:
    """argon2 leaves the interpreter lock while it works."""

    def __init__(self, *, threads: int) -> None:
        self._hasher = PasswordHasher(time_cost=_PASSES, memory_cost=_KIB, parallelism=1)
        self._lanes = Lanes(threads=threads, waiting=threads * _WAITING_PER_THREAD)
        self._gate = Gate(at_once=threads * _LOOKED_UP_PER_THREAD, waiting=threads * _WAITING_PER_THREAD)
        self._places_each = -(-self._lanes.places // 2)
        self._taken_by: Counter[str] = Counter()

    async def hash(self, password: str) -> str:
        """Whoever may set one has proved who they are, so it goes ahead. Raises StoreUnavailableError without a place."""
        return await self._lanes.run(partial(self._hash, password), ahead=True, tried=0)

    @asynccontextmanager
    async def looking_up(self, turn: Turn) -> AsyncIterator[None]:
        """Wait for the turn to look a stranger up.

        Else a flood holds all connections to PostgreSQL, and the known wait for one.
        Raises StoreUnavailableError when no place is left.
        """
        self.check_room(turn)
        async with self._gate.passing(turn.tried):
            self.check_room(turn)
            yield

    def check_room(self, turn: Turn) -> None:
        """Raises StoreUnavailableError when no place is left for it."""
        if any(self._taken_by[asker] >= self._places_each for asker in turn.askers):
            raise StoreUnavailableError("too many passwords from one network wait to be checked")
        if not self._lanes.has_room(ahead=turn.ahead, tried=turn.tried):
            raise StoreUnavailableError("too many passwords wait to be checked")

    async def verify(self, password_hash: str | None, password: str, turn: Turn = Turn()) -> bool:
        """Whether it is the password; None stands for an address nobody has, and takes as long.

        Raises StoreUnavailableError when no place is left.
        """
        with self._place_of(turn):
            work = partial(self._matches, password_hash or NOBODY, password)
            right = await self._lanes.run(work, ahead=turn.ahead, tried=turn.tried)
        return right and password_hash is not None

    async def matches_slow_hash(self, slow_hash: str, secret: str, *, asker: str) -> bool:
        """Whether it is the secret that a former system hashed so. asker: who holds half of the places at most.

        Raises StoreUnavailableError when no place is left.
        """
        with self._place_of(Turn((asker,))):
            return await self._lanes.run(partial(_matches_slow_hash, slow_hash, secret), ahead=False, tried=0)

    def close(self) -> None:
        self._lanes.close()

    def _hash(self, password: str) -> str:
        return self._hasher.hash(_as_typed(password))

    def _matches(self, password_hash: str, password: str) -> bool:
        if is_former(password_hash):
            return _matches_slow_hash(password_hash, _as_typed(password))
        try:
            return self._hasher.verify(password_hash, _as_typed(password))
        except VerifyMismatchError:
            return False

    @contextmanager
    def _place_of(self, turn: Turn) -> Iterator[None]:
        self.check_room(turn)
        self._taken_by.update(turn.askers)
        try:
            yield
        finally:
            self._taken_by.subtract(turn.askers)
            for asker in turn.askers:
                if not self._taken_by[asker]:
                    del self._taken_by[asker]


def is_hashed_here(password_hash: str) -> bool:
    """Whether it costs what every hash of ours does; a former system's may cost less or more."""
    return password_hash.startswith(_OURS)


def _matches_slow_hash(slow_hash: str, secret: str) -> bool:
    return read_slow_hash(slow_hash)(secret)


def _as_typed(password: str) -> str:
    """Keyboards differ in how they compose an accented letter; the same key strokes are the same password (RFC 8265).

    Raises ValueError when nobody checked its length before.
    """
    if len(password) > LONGEST_PASSWORD:
        raise ValueError(f"a password of more than {LONGEST_PASSWORD} characters")
    return unicodedata.normalize("NFC", password)
