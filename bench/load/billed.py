"""Bursts that services answer in turn, and what each costs the service and PostgreSQL by the clocks of their processes."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import NamedTuple

import psutil

from bench.load.bursts import Crowd


class Cost(NamedTuple):
    """Microseconds of processor time a request."""

    service_us: float
    postgres_us: float

    @property
    def together_us(self) -> float:
        return self.service_us + self.postgres_us


@dataclass(frozen=True, slots=True)
class Billed:
    """A service, and the requests of each of its bursts. pid: of its first process; those that it started count too."""

    name: str
    port: int
    pid: int
    requests: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Turns:
    """What services are asked in turn.

    postgres: its main process. before: is done before each burst, and billed to nobody. compare: is given the bodies of
    each service's burst, in no order, and raises RoundError when they may not differ so.
    """

    services: Sequence[Billed]
    postgres: int
    before: Callable[[], Awaitable[None]]
    compare: Callable[[Sequence[list[bytes]]], None]

    @asynccontextmanager
    async def connected(self, connections: int) -> AsyncIterator[Sequence[Crowd]]:
        """Open so many connections to each service, and close them at the end."""
        crowds = [Crowd(each.name) for each in self.services]
        try:
            for crowd, service in zip(crowds, self.services, strict=True):
                await crowd.open(service.port, connections)
            yield crowds
        finally:
            for crowd in crowds:
                crowd.close()

    async def take(self, crowds: Sequence[Crowd], bursts: int, first: int = 0) -> list[Cost]:
        """Ask each service so many bursts, A B B A; its cost. first: 1 lets the last service begin.

        Raises RoundError when an answer is wrong.
        """
        used = [Cost(0.0, 0.0) for _ in self.services]
        for burst in range(bursts):
            await self.before()
            order = range(len(self.services))
            bodies: list[list[bytes]] = [[] for _ in order]
            for side in order if (burst + first) % 2 == 0 else reversed(order):
                cost, bodies[side] = await self._burst(crowds[side], self.services[side])
                used[side] = Cost(*map(sum, zip(used[side], cost, strict=True)))
            self.compare(bodies)
        return [
            Cost(*(each / bursts / len(service.requests) * 1e6 for each in cost))
            for service, cost in zip(self.services, used, strict=True)
        ]

    async def _burst(self, crowd: Crowd, service: Billed) -> tuple[Cost, list[bytes]]:
        """Seconds of processor time of service and PostgreSQL, and the bodies in no order."""
        pids = (service.pid, self.postgres)
        before = [_clocks(pid) for pid in pids]
        bodies = await crowd.ask(service.requests)
        after = [_clocks(pid) for pid in pids]
        used = (
            sum(at - began.get(pid, 0.0) for pid, at in ended.items())
            for began, ended in zip(before, after, strict=True)
        )
        return Cost(*used), bodies


def _clocks(pid: int) -> dict[int, float]:
    """The seconds that a process and its descendants used, by their own clocks, which count nanoseconds."""
    root = psutil.Process(pid)
    clocks = {}
    for each in (root, *root.children(recursive=True)):
        with suppress(OSError):  # it ended just now
            clocks[each.pid] = time.clock_gettime(~each.pid << 3 | 2)
    return clocks
