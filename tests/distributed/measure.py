"""What a code exchange costs in processor time: on one plain server, on Citus of one node, and on three nodes, in turns."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import psutil

from bench.ground.codes import write_exchanges
from bench.load.bursts import Crowd
from bench.load.records import read_requests
from tests.distributed.ground import CitusGround, laid_out_on

_WARM_UP = 3  # bursts
SIDES = {"plain": (0, True), "one node": (0, False), "three nodes": (2, False)}


@dataclass(slots=True)
class Cost:
    """Microseconds of processor time an exchange, of each part."""

    service: float = 0.0
    postgres: float = 0.0
    valkey: float = 0.0

    @property
    def whole(self) -> float:
        return self.service + self.postgres + self.valkey

    def minus(self, other: "Cost") -> "Cost":
        return Cost(self.service - other.service, self.postgres - other.postgres, self.valkey - other.valkey)

    def times(self, factor: float) -> "Cost":
        return Cost(self.service * factor, self.postgres * factor, self.valkey * factor)


def mean_of(costs: Sequence[Cost]) -> Cost:
    parts = [(each.service, each.postgres, each.valkey) for each in costs]
    return Cost(*(sum(part) / len(costs) for part in zip(*parts, strict=True)))


@dataclass(slots=True)
class Side:
    """A ground, and what its bursts cost so far, in seconds."""

    ground: CitusGround
    crowd: Crowd
    requests: Iterator[bytes]
    used: list[Cost] = field(default_factory=list)

    def read(self) -> Cost:
        """Seconds of processor time of each part, since its processes began."""
        service = self.ground.instances[0].process
        postgres = [node.process for node in self.ground.servers.nodes]
        assert service is not None
        return Cost(
            _tree_s(service.pid),
            sum(_tree_s(each.pid) for each in postgres if each is not None),
            _tree_s(self.ground.valkey.process.pid),
        )


async def measure(programs: Path, *, bursts: int, requests: int, connections: int) -> dict[str, list[Cost]]:
    """Bursts of so many exchanges, of each side in turn, over so many connections that are all busy.

    Three bursts of each side come first, and do not count. Every other round goes through the sides backwards.
    Returns what an exchange cost in each burst, by side.
    """
    async with AsyncExitStack() as stack:
        sides = {}
        for name, (workers, plain) in SIDES.items():
            ground = await stack.enter_async_context(
                laid_out_on(programs, workers=workers, plain=plain, instances=1, processes=1)
            )
            sides[name] = await _side(ground, (bursts + _WARM_UP) * requests, name)
        for side in sides.values():
            await side.crowd.open(side.ground.instances[0].port, connections)
            stack.callback(side.crowd.close)
        for number in range(bursts + _WARM_UP):
            order = list(sides.values())
            for side in order if number % 2 else reversed(order):
                await _burst(side, requests, counts=number >= _WARM_UP)
    return {name: [each.times(1e6 / requests) for each in side.used] for name, side in sides.items()}


async def _side(ground: CitusGround, count: int, name: str) -> Side:
    path = ground.folder / "requests"
    await asyncio.to_thread(write_exchanges, ground.stores, ground.classic, path, count)
    return Side(ground, Crowd(name), iter(read_requests(path)))


async def _burst(side: Side, requests: int, *, counts: bool) -> None:
    burst = list(islice(side.requests, requests))
    before = side.read()
    await side.crowd.ask(burst)
    if counts:
        side.used.append(side.read().minus(before))


def _tree_s(pid: int) -> float:
    """Seconds of a process, its descendants, and the dead ones they waited for."""
    total = 0.0
    with suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for each in (root, *root.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                total += sum(each.cpu_times()[:4])
    return total
