"""Guesses of passwords: an attempt is reserved in PostgreSQL before anything is hashed, and refunded when it was right.

So the count is exact however many processes there are, and does not depend on Valkey.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from app.refused import RefusedError
from app.storage.people.guesses import refund_guesses, select_guess_levels, upsert_guesses
from app.storage.postgres.database import Database, Statements
from app.throttling.networks import networks_around

# A limit that is used up comes back bit by bit, and is whole after one window.
WINDOW = timedelta(minutes=15)
_ROUNDING = 1e-9  # ten tenths may be a little more than one

# The names that an attempt counts to, and the share of its limit that it takes from each.
Attempt = Mapping[str, float]


class TooManyGuessesError(RefusedError):
    """A limit is used up. Whether the password would have been right is not known."""

    code = "too_many_guesses"
    status = 429

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(
            f"Too many passwords were tried: again in {retry_after_s} s.",
            headers=(("Retry-After", str(retry_after_s)),),
        )
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class GuessLimits:
    """Wrong passwords in a window: for one account or known browser, and from one network."""

    per_account: int
    per_network: int

    def from_stranger(self, account: str, network: str) -> Attempt:
        """An attempt counts to account and network, so that one password tried at a thousand accounts counts too."""
        networks = {f"network {name}": part / self.per_network for name, part in networks_around(network)}
        return {f"account {account}": 1 / self.per_account, **networks}

    def from_known_browser(self, browser: str) -> Attempt:
        """An attempt counts to the browser alone: what others guess, from any network, never holds its person up."""
        return {f"browser {browser}": 1 / self.per_account}


async def reserve(database: Database, attempt: Attempt) -> None:
    """Count the attempt everywhere or nowhere. Raises TooManyGuessesError when one of its limits is used up."""
    # A flood ends here, at the price of one read: it locks no row, and leaves no dead one behind.
    levels = await select_guess_levels(database, tuple(attempt), WINDOW)
    _refuse_above({name: level + attempt[name] for name, level in levels.items()})
    async with database.transaction() as transaction:
        _refuse_above(await upsert_guesses(transaction, attempt, WINDOW))


async def refund(statements: Statements, attempt: Attempt) -> None:
    """Take an attempt back, since the password was right or was not looked at."""
    await refund_guesses(statements, attempt)


def _refuse_above(levels: Mapping[str, float]) -> None:
    over = max(levels.values(), default=0.0) - 1
    if over > _ROUNDING:
        raise TooManyGuessesError(max(1, math.ceil(over * WINDOW.total_seconds())))
