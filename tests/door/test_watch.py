"""The sweep over the open connections lets others have the loop, and looks at each connection once."""

import asyncio
from dataclasses import dataclass, field
from itertools import pairwise
from time import monotonic

import uvloop

from app.door.bounds import Bounds
from app.door.lag import Watchdog
from app.door.watch import Watch
from app.metrics import LagMeasurements
from tests.door.test_lag import compute

MANY = 2000
PRICE_S = 0.0001  # of ending one


@dataclass(eq=False)
class Ending:
    """A connection whose time is up at the first sweep, and which takes a neighbour along."""

    watch: Watch
    network: str = "127.0.0.1"
    neighbour: "Ending | None" = None
    swept: int = 0

    def sweep(self) -> None:
        compute(PRICE_S)
        self.swept += 1
        self.watch.leave(self)
        if self.neighbour is not None:
            self.watch.leave(self.neighbour)


def test_a_sweep_that_ends_thousands_at_once_does_not_hold_the_loop() -> None:
    """R-110: 200 ms of work leave the others most of the loop. R-74: no connection is forgotten by it."""
    lags = LagMeasurements()

    async def run() -> list[Ending]:
        watch = Watch(Bounds(sweep_s=0.05))
        endings = [Ending(watch) for _ in range(MANY)]
        for each in endings:
            watch.enter(each)
        watchdog = Watchdog(asyncio.get_running_loop(), lags)
        watchdog.start()
        began = monotonic()
        turns = 0
        async with asyncio.timeout(20):  # of a machine that has much else to do
            while watch._open:  # a sweep tells nobody that it is over
                await asyncio.sleep(0)
                turns += 0 < len(watch._open) < MANY
        assert monotonic() - began > 3 * MANY * PRICE_S
        assert turns > MANY * PRICE_S / 0.001  # none waited for more than a few that were ended
        watchdog.stop()
        return endings

    endings = uvloop.run(run())
    assert {each.swept for each in endings} == {1}
    assert lags.longest_busy_s < 0.05


@dataclass(eq=False)
class Looked:
    """A connection that notes when it was looked at."""

    network: str = "127.0.0.1"
    looks_s: list[float] = field(default_factory=list)

    def sweep(self) -> None:
        self.looks_s.append(monotonic())


async def test_each_is_looked_at_once_a_sweep_and_not_all_in_one_moment() -> None:
    """R-110: those that came one after the other in a second once ended in one burst."""
    watch, sweep_s = Watch(Bounds(sweep_s=0.5)), 0.5
    looked = [Looked() for _ in range(20)]
    for each in looked:
        watch.enter(each)
        await asyncio.sleep(sweep_s / 20)
    await asyncio.sleep(2 * sweep_s)
    seconds = [each.looks_s[1] for each in looked]
    assert max(seconds) - min(seconds) > sweep_s / 2
    for each in looked:
        assert len(each.looks_s) in {2, 3, 4}
        rounds = [later - earlier for earlier, later in pairwise(each.looks_s)]
        assert sum(rounds) / len(rounds) > sweep_s / 2
        watch.leave(each)


async def test_those_that_begin_to_rest_together_are_looked_at_in_different_moments() -> None:
    """R-84, R-110: whoever is read again asks again, and forgers that came together would all ask in one moment."""
    watch, sweep_s = Watch(Bounds(sweep_s=0.5)), 0.5
    looked = [Looked() for _ in range(20)]
    for each in looked:
        watch.enter(each)
    for each in looked:
        watch.rest(each, for_the_first_time=True)
    await asyncio.sleep(1.5 * sweep_s)
    seconds = sorted(each.looks_s[0] for each in looked)
    assert seconds[-1] - seconds[0] > sweep_s / 4
    for each in looked:
        watch.wake(each)
        watch.leave(each)


async def test_a_connection_that_has_left_during_the_sweep_is_not_swept() -> None:
    watch = Watch(Bounds(sweep_s=0.01))
    first, second = Ending(watch), Ending(watch)
    first.neighbour, second.neighbour = second, first
    for each in (first, second):
        watch.enter(each)
    await asyncio.sleep(0.1)
    assert first.swept + second.swept == 1


async def test_the_sweep_goes_on_while_there_are_connections_and_begins_again_with_the_next() -> None:
    watch = Watch(Bounds(sweep_s=0.01))
    for _ in range(3):
        ending = Ending(watch)
        watch.enter(ending)
        await asyncio.sleep(0.1)
        assert ending.swept == 1
