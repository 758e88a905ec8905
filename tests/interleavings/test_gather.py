"""What callers hear is what became of their rows, however a shared statement fails and whoever goes away."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import pytest

from app.storage.errors import NotSentError, StatementRefusedError, StoreUnavailableError
from app.storage.postgres.gather import Bounds, Gather
from tests.interleavings.seeded import SEEDS, run

CALLERS = 60
KINDS = ("done", "lost before", "lost after", "not sent", "race", "hangs")
CHANCES = (70, 8, 8, 5, 4, 5)


@dataclass(slots=True)
class Store:
    """A table with a unique key and rows that it refuses, behind a line that fails. sent: when each was sent first."""

    chance: Random
    poisoned: frozenset[int]
    healthy: bool = False
    applied: set[int] = field(default_factory=set)
    sent: dict[int, float] = field(default_factory=dict)

    async def insert(self, items: Sequence[int]) -> list[bool]:
        """Seven calls in ten do as they should, where no row is refused. The others fail as KINDS has it."""
        now = asyncio.get_running_loop().time()
        for item in items:
            self.sent.setdefault(item, now)
        kind = "done" if self.healthy else self.chance.choices(KINDS, CHANCES)[0]
        if kind == "not sent":
            raise NotSentError("no connection")
        await asyncio.sleep(self.chance.expovariate(100))
        if kind == "lost before":
            raise StoreUnavailableError("the connection broke")
        if kind == "hangs":
            await asyncio.sleep(1.2)
        if self.poisoned & set(items):
            raise StatementRefusedError("23514", "poisoned")
        if kind == "race":
            raise StatementRefusedError("40001", "somebody was quicker")
        self.applied |= set(items)
        if kind in ("lost after", "hangs"):
            raise StoreUnavailableError("the connection broke")
        return [True] * len(items)


@dataclass(slots=True)
class Heard:
    """answer: what the caller was told; None where it went away, at this time."""

    answer: object
    at: float


async def crowd(chance: Random) -> tuple[Store, dict[int, Heard]]:
    """What became of the rows, and what each of sixty callers heard, some of which go away."""
    store = Store(chance, frozenset(chance.sample(range(CALLERS), chance.randrange(4))))
    gather = Gather(
        store.insert, Bounds(queue=chance.randint(5, 40), wait_s=0.5, batch=chance.randint(1, 16))
    )
    heard: dict[int, Heard] = {}

    async def call(item: int) -> None:
        await asyncio.sleep(chance.uniform(0, 1.5))
        asking = asyncio.create_task(gather.ask(item))
        if chance.random() < 0.15:
            await asyncio.sleep(chance.expovariate(20))
            asking.cancel()
        (answer,) = await asyncio.gather(asking, return_exceptions=True)
        gone = isinstance(answer, asyncio.CancelledError)
        heard[item] = Heard(None if gone else answer, asyncio.get_running_loop().time())

    await asyncio.gather(*map(call, range(CALLERS)))
    store.healthy = True
    await asyncio.sleep(10)  # what was sent for those who went away
    assert await gather.ask(CALLERS) is True, "whatever happened before"
    await gather.close()
    return store, heard


@pytest.mark.parametrize("seeds", [SEEDS[at : at + 100] for at in range(0, len(SEEDS), 100)], ids=str)
def test_everybody_hears_what_became_of_their_row(seeds: range) -> None:
    """R-4, R-29, R-92, R-93."""
    for seed in seeds:
        store, heard = run(seed, crowd)
        assert len(heard) == CALLERS, seed
        for item, each in heard.items():
            told = (seed, item, each.answer)
            if each.answer is True:
                assert item in store.applied, told
                assert item not in store.poisoned, told
            elif each.answer is None:
                assert store.sent.get(item, 0.0) <= each.at, told
            elif isinstance(each.answer, StatementRefusedError):
                assert item not in store.applied, told
                assert item in store.poisoned or each.answer.lost_a_race, told
            elif isinstance(each.answer, NotSentError):
                assert item not in store.applied, told
            else:
                assert isinstance(each.answer, StoreUnavailableError), told


def test_every_kind_of_end_was_met() -> None:
    """Else the claims above would be about nothing."""
    ends = {type(each.answer).__name__ for seed in SEEDS[:100] for each in run(seed, crowd)[1].values()}
    assert ends == {"bool", "NoneType", "NotSentError", "StatementRefusedError", "StoreUnavailableError"}
