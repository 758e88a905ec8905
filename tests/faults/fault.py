"""A fault befalls a ground and passes again, and a count shows that it did."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

from tests.faults.ground import Ground

# Strikes once, heals, and returns how often it bit: a count that is zero where nothing befell anybody.
Strike = Callable[[Ground, Random], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Fault:
    """bites: what is counted. times: how often it strikes in a schedule. weak: Valkey may forget codes, or unburn them."""

    name: str
    bites: str
    strike: Strike
    times: int = 2
    weak: bool = False


class NotShownError(Exception):
    """A fault cannot be made here; the text says why."""


class BrokenPromiseError(Exception):
    """The service broke a promise before the eyes of whoever strikes; the text says which."""


async def nothing(_ground: Ground, _chance: Random) -> int:
    """Let the calm run be judged like all others."""
    return 1
