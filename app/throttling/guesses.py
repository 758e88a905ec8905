"""Guesses of passwords and codes: each is reserved in PostgreSQL before it is checked, and refunded when it was right.

So the count is exact however many processes there are, and does not depend on Valkey.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from app.bounded import Bounded
from app.refused import ToldError
from app.sentence import Sentence
from app.storage.people.guesses import refund_guesses, select_guess_levels, upsert_guesses
from app.storage.postgres.database import Database, Statements
from app.throttling.networks import networks_around

# A limit that is used up comes back bit by bit, and is whole after one window.
WINDOW = timedelta(minutes=15)
MOST_CODES = 5  # wrong ones in a window, of a million that there are
MOST_WRONG_AHEAD = 3  # wrong passwords in a known browser, before it waits among the unknown ones
_ACCOUNT, _NETWORK = "account ", "network "
_ROUNDING = 1e-9  # ten tenths may be a little more than one
_REFUSED_S = 2
_MOST_NETWORKS = 20_000

# The names that an attempt counts to, and the share of its limit that it takes from each.
Attempt = Mapping[str, float]


class TooManyGuessesError(ToldError):
    """A limit is used up. Whether the password would have been right is not known."""

    code = "too_many_guesses"
    status = 429

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(
            Sentence("Too many passwords were tried: again in %(seconds)s s.", seconds=str(retry_after_s)),
            headers=(("Retry-After", str(retry_after_s)),),
        )
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class GuessLimits:
    """Wrong passwords in a window: for one account or known browser, and from one network."""

    per_account: int
    per_network: int

    def tried_by_visitor(self, used: Mapping[str, float]) -> int:
        """How many attempts are left of those of the visitor's own; at the account, others may have tried.

        Whole ones: a limit comes back bit by bit, so that an attempt a moment later would always count as less.
        """
        own = (
            level * (self.per_network if name.startswith(_NETWORK) else self.per_account)
            for name, level in used.items()
            if not name.startswith(_ACCOUNT)
        )
        return math.ceil(max(own) - _ROUNDING)

    def from_stranger(self, account: str, network: str) -> Attempt:
        """An attempt counts to account and network, so that one password tried at a thousand accounts counts too."""
        return {f"{_ACCOUNT}{account}": 1 / self.per_account, **self._networks(network)}

    def from_known_browser(self, browser: str) -> Attempt:
        """An attempt counts to the browser alone: what others guess, from any network, never holds its person up."""
        return {f"browser {browser}": 1 / self.per_account}

    def of_code_from(self, person: str, network: str) -> Attempt:
        """A code of the second factor has a count of its own: whoever tries one knew the password."""
        return {f"code {person}": 1 / MOST_CODES, **self._networks(network)}

    def of_code_in(self, browser: str) -> Attempt:
        return {f"code in browser {browser}": 1 / MOST_CODES}

    def of_network(self, network: str) -> Attempt:
        """The part of an attempt that is the same whichever account a stranger tries."""
        return self._networks(network)

    def of_passkey_from(self, network: str) -> Attempt:
        """Nobody guesses a signature, so only floods are counted; a count of the person could be used against them."""
        return self._networks(network)

    def of_passkey_in(self, browser: str) -> Attempt:
        return {f"passkey in browser {browser}": 1 / self.per_account}

    def _networks(self, network: str) -> Attempt:
        return {f"{_NETWORK}{name}": part / self.per_network for name, part in networks_around(network)}


async def select_used(database: Database, attempt: Attempt, seen: "NetworkLevels") -> Mapping[str, float]:
    """The share of its limit that each name has used before this attempt; nothing is counted yet.

    seen: remembers it. A flood ends here, at the price of one read: it locks no row, and leaves no dead one behind.
    Raises TooManyGuessesError when a limit is used up.
    """
    levels = await select_guess_levels(database, tuple(attempt), WINDOW)
    seen.note(levels)
    _refuse_above({name: level + attempt[name] for name, level in levels.items()})
    return {name: levels.get(name, 0.0) for name in attempt}


async def reserve(database: Database, attempt: Attempt, seen: "NetworkLevels") -> None:
    """Count the attempt everywhere or nowhere. Raises TooManyGuessesError when one of its limits is used up."""
    await select_used(database, attempt, seen)
    await count_guess(database, attempt)


async def count_guess(database: Database, attempt: Attempt) -> Mapping[str, float]:
    """Count an attempt that was looked up before; what each name has used besides.

    Raises TooManyGuessesError when others were faster.
    """
    async with database.transaction() as transaction:
        levels = await upsert_guesses(transaction, attempt, WINDOW)
        _refuse_above(levels)
    return {name: level - attempt[name] for name, level in levels.items()}


class NetworkLevels:
    """How much the networks of a flood had used when they were last looked up, as one process remembers it.

    The count is PostgreSQL's alone, and no guess passes by what is remembered. It says who goes first, and refuses for
    two seconds: an attempt that was given back meanwhile is noticed then.
    """

    def __init__(self) -> None:
        self._seen = Bounded[str, tuple[float, float]](_MOST_NETWORKS)  # each level, and when it was read

    def note(self, levels: Mapping[str, float]) -> None:
        now = time.monotonic()
        for name, level in levels.items():
            if name.startswith(_NETWORK):
                self._seen.put(name, (level, now))

    def check(self, attempt: Attempt) -> Mapping[str, float]:
        """The levels that are remembered, by the names that an attempt would count to.

        Raises TooManyGuessesError when one of the limits is known to be used up.
        """
        now = time.monotonic()
        levels, fresh = dict[str, float](), dict[str, float]()
        for name, part in attempt.items():
            level, at = self._seen.get(name, (0.0, now))
            levels[name] = max(0.0, level - (now - at) / WINDOW.total_seconds())
            if now - at < _REFUSED_S:
                fresh[name] = levels[name] + part
        _refuse_above(fresh)
        return levels


async def refund(statements: Statements, attempt: Attempt) -> None:
    """Take an attempt back, since the password was right or was not looked at."""
    await refund_guesses(statements, attempt)


def _refuse_above(levels: Mapping[str, float]) -> None:
    over = max(levels.values(), default=0.0) - 1
    if over > _ROUNDING:
        raise TooManyGuessesError(max(1, math.ceil(over * WINDOW.total_seconds())))
