"""Faults of the network between the service and its stores."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from random import Random

from tests.faults.fault import Fault, Strike
from tests.faults.ground import Ground
from tests.faults.wire import Wire

Trouble = Callable[[Wire, Random], None]


def lose(wire: Wire, chance: Random) -> None:
    """R-4, R-5: what was asked took effect, and nobody hears of it."""
    wire.lost += chance.randint(1, 4)


def delay(wire: Wire, chance: Random) -> None:
    """R-101."""
    wire.delay_s = chance.choice((0.02, 0.1, 0.25))


def cut(wire: Wire, _chance: Random) -> None:
    """R-101: a reset."""
    wire.cut()


def half_close(wire: Wire, _chance: Random) -> None:
    """R-101: half-open."""
    wire.half_close()


def silence(wire: Wire, _chance: Random) -> None:
    """R-88, R-91: it takes requests, and its replies are kept back."""
    wire.silence()


def swallow(wire: Wire, _chance: Random) -> None:
    """R-88, R-91: nothing passes."""
    wire.swallow()


async def _strike(
    ground: Ground, chance: Random, *, trouble: Trouble, store: int, name: str, blows: int, longest_s: float
) -> int:
    """One instance's wire, or both, several blows of it. store: 0 for PostgreSQL, 1 for Valkey.

    The first blow befalls one instance, for as long as a blow may last. The other one revokes meanwhile, so a process that
    believed what it remembers would be seen.
    """
    every = [pair[store] for pair in ground.wires]
    before = _count(every, name)
    for blow in range(blows):
        wires = every if blow and chance.random() < 0.4 else [chance.choice(every)]
        for wire in wires:
            trouble(wire, chance)
        await asyncio.sleep(chance.uniform(0.1, longest_s) if blow else longest_s)
        for wire in wires:
            wire.heal()
    return _count(every, name) - before


def _count(wires: Sequence[Wire], name: str) -> int:
    return sum((Counter(wire.did) for wire in wires), Counter())[name]


# Trouble, the count that it leaves, blows of a strike, and how long one lasts at most.
_TROUBLES: tuple[tuple[str, Trouble, str, int, float], ...] = (
    ("replies lost", lose, "replies lost", 12, 0.3),
    ("replies late", delay, "replies delayed", 2, 2.0),
    ("connections cut", cut, "cut", 8, 0.4),
    ("connections half closed", half_close, "half-closed", 3, 0.8),
    ("replies kept back", silence, "replies held", 2, 2.5),
    ("a black hole", swallow, "requests held", 2, 2.5),
)


def _strike_of(trouble: Trouble, store: int, name: str, blows: int, longest_s: float) -> Strike:
    return partial(_strike, trouble=trouble, store=store, name=name, blows=blows, longest_s=longest_s)


FAULTS = tuple(
    Fault(f"{place}: {what}", count, _strike_of(trouble, store, count, blows, longest_s))
    for store, place in enumerate(("PostgreSQL", "Valkey"))
    for what, trouble, count, blows, longest_s in _TROUBLES
)
