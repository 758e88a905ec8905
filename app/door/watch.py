"""The open connections of one process are counted, and a sweep ends those that have waited too long."""

import asyncio
from collections.abc import Iterator
from time import perf_counter
from typing import Protocol

from uvicorn.server import ServerState

from app.door.addresses import TrustedProxies
from app.door.bounds import Bounds
from app.door.framing import CROWDED, CROWDED_ADDRESS, Refusal
from app.door.garbage import collect_if_short
from app.first_step import Turn

# Those that came together are looked at together, and the others at another moment: else the ends of a second are one burst.
_PARTS = 50
# A part goes in short turns with pauses between them, however many it ends: others have most of the loop.
_TURN_S = 0.00025
_PAUSE_S = 0.001


class Connection(Protocol):
    """network: where it comes from; empty when it is not counted, as for a trusted proxy."""

    network: str

    def sweep(self) -> None: ...


class Watch:
    """Counts connections and sweeps them once every `bounds.sweep_s`, in parts, while there are any."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._open: dict[Connection, set[Connection]] = {}  # each with its part
        self._parts: tuple[set[Connection], ...] = tuple(set() for _ in range(_PARTS))
        self._next = self._scattered = 0  # of the parts
        self._by_network: dict[str, int] = {}
        self._resting: dict[str, int] = {}  # of those by network
        self._timer: asyncio.Handle | None = None
        self._due_at = 0.0  # of the sweep, by the loop's clock: one that takes long must not put off the next

    def enter(self, connection: Connection) -> Refusal | None:
        """Count a connection, even one that is refused: it is open until it leaves."""
        network = connection.network
        here = _add(self._by_network, network)
        part = self._open[connection] = self._parts[self._next]
        part.add(connection)
        if self._timer is None:
            self._sweep_at(asyncio.get_running_loop().time() + self._bounds.sweep_s / _PARTS)
        if network and here > self._bounds.connections_per_address:
            return CROWDED_ADDRESS
        return CROWDED if len(self._open) > self._bounds.connections else None

    def leave(self, connection: Connection) -> None:
        self._open.pop(connection, set()).discard(connection)
        _remove(self._by_network, connection.network)

    def rest(self, connection: Connection, *, for_the_first_time: bool) -> None:
        """Many that came together rest together. From then on each is looked at, and read again, at another moment."""
        _add(self._resting, connection.network)
        if for_the_first_time:
            self._open[connection].discard(connection)
            self._scattered = (self._scattered + 1) % _PARTS
            part = self._open[connection] = self._parts[self._scattered]
            part.add(connection)

    def wake(self, connection: Connection) -> None:
        _remove(self._resting, connection.network)

    def is_resting(self, network: str) -> bool:
        """Whether a connection of this network rests."""
        return network in self._resting

    def _sweep_at(self, due_at: float) -> None:
        self._due_at = due_at
        self._timer = asyncio.get_running_loop().call_at(due_at, self._sweep)

    def _sweep(self) -> None:
        part, self._next = self._parts[self._next], (self._next + 1) % _PARTS
        if self._next == 0:
            collect_if_short(len(self._open))
        self._sweep_some(iter(tuple(part)))

    def _sweep_some(self, left: Iterator[Connection]) -> None:
        until = perf_counter() + _TURN_S
        for connection in left:
            if connection in self._open:  # it may have ended since the part began
                connection.sweep()
            if perf_counter() >= until:
                self._timer = asyncio.get_running_loop().call_later(_PAUSE_S, self._sweep_some, left)
                return
        self._timer = None
        if self._open:
            # A part that came late must not put off the others, or ten seconds would be twelve.
            earliest = asyncio.get_running_loop().time() - self._bounds.sweep_s
            self._sweep_at(max(self._due_at + self._bounds.sweep_s / _PARTS, earliest))


def _add(counts: dict[str, int], name: str) -> int:
    counts[name] = count = counts.get(name, 0) + 1
    return count


def _remove(counts: dict[str, int], name: str) -> None:
    if counts[name] > 1:
        counts[name] -= 1
    else:
        del counts[name]


class State(ServerState):
    """uvicorn's state, which all connections of a process share, with the watch over them."""

    def __init__(self, bounds: Bounds, trusted: TrustedProxies) -> None:
        super().__init__()
        self.bounds = bounds
        self.trusted = trusted
        self.watch = Watch(bounds)
        self.turn = Turn()
        self.leaving = False  # whether the process ends, so that a new connection has one answer at most
