"""The two models of load: closed, where each connection waits for its answer, and open, where a schedule does not wait."""

import asyncio
import os
import random
from abc import ABC, abstractmethod
from array import array
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from math import inf
from time import perf_counter
from typing import Literal

from bench.load.ticks import ticking
from bench.load.wire import Connection, Received

Arrivals = Literal["constant", "poisson"]
Sink = Callable[[int, int, bytes], None]

_TICK_S = 0.0005  # each costs the generator some 30 µs
RAMP_S = 0.003  # between two connections of the closed model
_PAUSE_S = 0.1  # before a server that refused is tried again
_WATCH_S = 0.25


@dataclass(frozen=True, slots=True)
class Load:
    """A load: the requests, the server they are sent to, and how.

    connections: of the closed model all the time, of the open one at most. rate: requests a second, makes the model
    an open one. seed: of Poisson arrivals, the same for all who are compared, and another for who loads beside them.
    once: no request is sent twice. source: address to connect from.
    """

    host: str
    port: int
    requests: Sequence[bytes]
    seconds: float
    connections: int = 32
    once: bool = False
    rate: float | None = None
    arrivals: Arrivals = "constant"
    seed: int = 0
    source: str | None = None
    warm_up_s: float = 0.0
    timeout_s: float = 10.0


class Tally:
    """The outcomes of the requests that ended after the warm-up."""

    def __init__(self) -> None:
        self.begun_at = inf
        self.ended_at = inf
        self.in_time = 0  # answers before the end; those after it count for all but the rate
        self.warm_up_answers = 0
        self.statuses: Counter[int] = Counter()
        self.later: Counter[int] = Counter()
        self.errors: Counter[str] = Counter()
        self.latencies_s = array("d")

    def answer(self, answer: Received, since: float, now: float) -> None:
        if now < self.begun_at:
            self.warm_up_answers += 1
            return
        if now <= self.ended_at:
            self.in_time += 1
        self.statuses[answer.status] += 1
        if answer.later:
            self.later[answer.status] += 1
        self.latencies_s.append(now - since)


class Model(ABC):
    """Connections and what is sent over them; `used_up` is set once every request was sent."""

    def __init__(self, load: Load, tally: Tally, sink: Sink | None) -> None:
        self.used_up = asyncio.Event()
        self._load = load
        self._requests = load.requests
        self._tally = tally
        self._sink = sink
        self._sent = 0
        self._stopped = False
        self._changed = asyncio.Event()  # after the stop: something was answered, failed or closed
        self._connections: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @abstractmethod
    async def start(self) -> None: ...

    @abstractmethod
    def _free(self, connection: Connection, now: float) -> None:
        """A connection may be used from now on."""

    @property
    def unsent(self) -> int:
        """How many were due after the warm-up and not sent when time was up."""
        return 0

    def stop(self) -> None:
        """Send no more."""
        self._stopped = True

    async def settle(self) -> None:
        """Wait for what is in flight, as long as a request may take, and close."""
        while any(connection.since is not None for connection in self._connections):
            await self._change()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in tuple(self._connections):
            connection.close()
        while self._connections:
            await self._change()

    def answered(self, connection: Connection, answer: Received, now: float) -> None:
        since, connection.since = connection.since, None
        assert since is not None  # noqa: S101  # the connection refuses an answer to nothing
        self._tally.answer(answer, since, now)
        if self._sink is not None:
            self._sink(connection.index, answer.status, answer.body)
        if answer.keep:
            self._free(connection, now)
        if self._stopped:
            self._changed.set()

    def failed(self, connection: Connection, reason: str) -> None:  # noqa: ARG002  # every owner is told which
        self._tally.errors[reason] += 1

    def lost(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if self._stopped:
            self._changed.set()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _next(self) -> int | None:
        """Index of the request whose turn it is."""
        index = self._sent
        if index >= len(self._requests):
            if self._load.once:
                self.used_up.set()
                return None
            index %= len(self._requests)
        self._sent += 1
        return index

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        source = (self._load.source, 0) if self._load.source else None
        _, connection = await loop.create_connection(
            lambda: Connection(self), self._load.host, self._load.port, local_addr=source
        )
        self._connections.add(connection)
        return connection

    async def _open(self) -> None:
        """One more connection, however often the server refuses."""
        while not self._stopped:
            try:
                connection = await self._connect()
            except OSError as error:
                self._tally.errors[f"connect: {type(error).__name__}"] += 1
                await asyncio.sleep(_PAUSE_S)
            else:
                self._free(connection, perf_counter())
                return

    def _own(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _watch(self) -> None:
        """Give up requests that take too long."""
        while True:
            await asyncio.sleep(_WATCH_S)
            oldest = perf_counter() - self._load.timeout_s
            for connection in tuple(self._connections):
                if connection.since is not None and connection.since < oldest:
                    connection.abort("timeout")


class Closed(Model):
    """The closed model: each connection sends its next request when the one before is answered."""

    async def start(self) -> None:
        self._own(asyncio.create_task(self._watch()))
        for _ in range(self._load.connections):
            # Loaded one by one: of several processes that accept, the one with less to do is then the quicker.
            self._free(await self._connect(), perf_counter())
            await asyncio.sleep(RAMP_S)

    def lost(self, connection: Connection) -> None:
        super().lost(connection)
        if not self._stopped and not self.used_up.is_set():
            self._own(asyncio.create_task(self._open()))

    def _free(self, connection: Connection, now: float) -> None:
        if not self._stopped and (index := self._next()) is not None:
            connection.send(index, self._requests[index], now)


class Open(Model):
    """Requests begin by a schedule, and their latency with it: one that waits for a connection has begun."""

    def __init__(self, load: Load, tally: Tally, sink: Sink | None) -> None:
        super().__init__(load, tally, sink)
        if load.rate is None:
            raise ValueError("the open model needs a rate")
        self._rate = load.rate
        self._random = random.Random(load.seed)  # noqa: S311  # guards nothing
        self._due = inf
        self._waiting: deque[tuple[int, float]] = deque()
        self._idle: deque[Connection] = deque()
        self._opening = 0
        self._clock = ExitStack()

    @property
    def unsent(self) -> int:
        return sum(since >= self._tally.begun_at for _, since in self._waiting)

    async def start(self) -> None:
        self._idle.append(await self._connect())
        self._own(asyncio.create_task(self._watch()))
        descriptor = self._clock.enter_context(ticking(_TICK_S))
        loop = asyncio.get_running_loop()
        loop.add_reader(descriptor, self._tick, descriptor)
        self._clock.callback(loop.remove_reader, descriptor)
        self._due = perf_counter()

    def stop(self) -> None:
        super().stop()
        self._clock.close()

    def lost(self, connection: Connection) -> None:
        super().lost(connection)
        if connection in self._idle:  # rare: a server that closes what nobody uses
            self._idle.remove(connection)
        self._serve()

    def _free(self, connection: Connection, now: float) -> None:  # noqa: ARG002  # the schedule has its own time
        # In turn, so that none lies idle until the server closes it under a request.
        self._idle.append(connection)
        if self._waiting:
            self._serve()

    def _tick(self, descriptor: int) -> None:
        os.read(descriptor, 8)
        now = perf_counter()
        while self._due <= now and (index := self._next()) is not None:
            self._waiting.append((index, self._due))
            self._due += self._gap()
        if self._waiting:
            self._serve()

    def _gap(self) -> float:
        return self._random.expovariate(self._rate) if self._load.arrivals == "poisson" else 1 / self._rate

    def _serve(self) -> None:
        if self._stopped:
            return
        while self._waiting and self._idle:
            index, since = self._waiting.popleft()
            self._idle.popleft().send(index, self._requests[index], since)
        bound = self._load.connections - len(self._connections) - self._opening
        for _ in range(min(bound, len(self._waiting) - self._opening)):
            self._opening += 1
            self._own(asyncio.create_task(self._grow()))

    async def _grow(self) -> None:
        try:
            await self._open()
        finally:
            self._opening -= 1
