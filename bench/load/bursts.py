"""Two services asked in turn, a burst each, and what the bursts cost them in processor time."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from bench.load.rounds import RoundError
from bench.load.wire import Connection, Received

WARM_UP = 10  # bursts

_OK = 200
_LONGEST_BURST_S = 60.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A service, what it is asked and what every answer holds. name: of its revision."""

    name: str
    port: int
    pids: Sequence[int]
    requests: Iterator[bytes]
    holds: bytes


@dataclass(frozen=True, slots=True)
class Size:
    """A round has so many bursts of so many requests, over so many connections."""

    bursts: int
    requests: int
    connections: int

    @property
    def all_requests(self) -> int:
        """Count those of the warm-up too."""
        return (WARM_UP + self.bursts) * self.requests


class Crowd:
    """Connections to one service that are all busy until a burst is answered."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._connections: list[Connection] = []
        self._waiting: Iterator[bytes] = iter([])
        self._bodies: list[bytes] = []
        self._left = 0
        self._fault = ""
        self._ended = asyncio.Event()

    async def open(self, port: int, count: int) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(count):
            _, connection = await loop.create_connection(lambda: Connection(self), "127.0.0.1", port)
            self._connections.append(connection)

    def close(self) -> None:
        for connection in self._connections:
            connection.close()

    async def ask(self, requests: Sequence[bytes]) -> list[bytes]:
        """Send a burst; the bodies of its answers. Raises RoundError when one is not 200, or does not come."""
        self._waiting, self._left, self._bodies = iter(requests), len(requests), []
        self._ended.clear()
        if self._fault:  # since the burst before
            raise RoundError(f"{self._name}: {self._fault}")
        for connection in self._connections:
            self._send(connection)
        try:
            async with asyncio.timeout(_LONGEST_BURST_S):
                await self._ended.wait()
        except TimeoutError:
            self._fault = f"no answer within {_LONGEST_BURST_S:g} s"
        if self._fault:
            raise RoundError(f"{self._name}: {self._fault}")
        return self._bodies

    def answered(self, connection: Connection, answer: Received, now: float) -> None:  # noqa: ARG002  # every owner is told
        connection.since = None
        if answer.status != _OK:
            self.failed(connection, f"status {answer.status}: {answer.body[:200].decode(errors='replace')}")
            return
        self._bodies.append(answer.body)
        self._left -= 1
        self._send(connection)
        if not self._left:
            self._ended.set()

    def failed(self, connection: Connection, reason: str) -> None:  # noqa: ARG002  # every owner is told which
        self._fault = self._fault or reason
        self._ended.set()

    def lost(self, connection: Connection) -> None:
        self.failed(connection, "a connection was closed")

    def _send(self, connection: Connection) -> None:
        if not self._fault and (request := next(self._waiting, None)) is not None:
            connection.send(0, request, 0.0)


async def alternate(both: tuple[Asked, Asked], size: Size, first: int) -> tuple[float, float]:
    """Ask both in turn, A B B A; microseconds of processor time a request, of each. first: which begins.

    Raises RoundError when an answer is wrong.
    """
    used = [0.0, 0.0]
    crowds = [Crowd(each.name) for each in both]
    try:
        for crowd, asked in zip(crowds, both, strict=True):
            await crowd.open(asked.port, size.connections)
        for number in range(WARM_UP + size.bursts):
            for side in (0, 1) if (number + first) % 2 == 0 else (1, 0):
                cost = await _burst(crowds[side], both[side], size.requests)
                used[side] += cost if number >= WARM_UP else 0.0
    finally:
        for crowd in crowds:
            crowd.close()
    one, other = (each / size.bursts / size.requests * 1e6 for each in used)
    return one, other


async def _burst(crowd: Crowd, asked: Asked, size: int) -> float:
    """Ask one of them; seconds of processor time. Raises RoundError when an answer is wrong."""
    requests = list(islice(asked.requests, size))
    before = processor_s(asked.pids)
    bodies = await crowd.ask(requests)
    used = processor_s(asked.pids) - before
    if not all(asked.holds in body for body in bodies):
        raise RoundError(f"{asked.name}: an answer lacks {asked.holds.decode()}")
    return used


def processor_s(pids: Sequence[int]) -> float:
    """Read the processes' own clocks. They count nanoseconds, and /proc counts in steps of ten milliseconds."""
    # clock_getcpuclockid(3), which Python has for threads alone.
    return sum(time.clock_gettime(~pid << 3 | 2) for pid in pids)
