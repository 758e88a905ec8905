"""A flood from a process of its own: many connections of some attacks, bounded in number, bytes and time.

python -m tests.door.flooder --port 8000 --seconds 5 --attack "silent connections" --attack "header drips"
"""

import argparse
import asyncio
import re
import socket
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import orjson
import uvloop

from app.door.descriptors import raise_limit
from bench.load.priority import stand_back
from bench.load.records import read_requests
from tests.door.attacks import ATTACKS, Attack, whole

PREPARED = "prepared requests"

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_TAIL = 12  # bytes of an answer's first line, one less than up to behind its status
_SMALL = 4096
_LOOK_EVERY_S = 0.25
_ESTABLISHED = 1


@dataclass(slots=True)
class Outcome:
    """The outcome of one attack.

    ended: connections by how: "closed" and "reset" by the server, "held" until the flood was over, "refused".
    statuses: of all answers. silent: ended after a part of a request, and told nothing. lasted_s: the longest of those
    that the server ended.
    """

    begun: int = 0
    sent: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    silent: int = 0
    lasted_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Target:
    """The addresses of both ends, and by the monotonic clock until when to begin and until when to stay."""

    port: int
    source: str
    begin_until: float
    stay_until: float


class Attacker:
    """One connection."""

    def __init__(self, attack: Attack, target: Target, outcome: Outcome) -> None:
        self._attack = attack
        self._target = target
        self._outcome = outcome
        self._told = 0
        self._sent = 0

    async def run(self) -> None:
        """Attack until the server ends it or the flood is over, and add how that went to the outcome."""
        self._outcome.begun += 1
        with socket.socket() as connection:
            connection.setblocking(False)
            if not self._attack.reads:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL)
            began = time.monotonic()
            how = await self._end_of(connection)
            self._outcome.ended[how] += 1
            self._outcome.sent += self._sent
            if how in ("closed", "reset"):
                self._outcome.lasted_s = max(self._outcome.lasted_s, time.monotonic() - began)
                self._outcome.silent += bool(self._sent and not self._told and self._attack.reads)

    async def _end_of(self, connection: socket.socket) -> str:
        """How the connection ended, in the words of `Outcome.ended`."""
        loop = asyncio.get_running_loop()
        try:
            connection.bind((self._target.source, 0))
            await loop.sock_connect(connection, ("127.0.0.1", self._target.port))
        except OSError:
            return "refused"
        sending = asyncio.create_task(self._send(connection))
        try:
            async with asyncio.timeout(self._target.stay_until - time.monotonic()):
                await (self._read(connection) if self._attack.reads else self._look(connection))
        except TimeoutError:
            return "held"
        except OSError:
            return "reset"
        finally:
            sending.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await sending
        return "closed"

    async def _send(self, connection: socket.socket) -> None:
        loop, attack = asyncio.get_running_loop(), self._attack
        await loop.sock_sendall(connection, attack.begin)
        self._sent += len(attack.begin)
        left = attack.most
        while attack.piece and left > 0:
            await loop.sock_sendall(connection, attack.piece)
            self._sent += len(attack.piece)
            left -= len(attack.piece)
            await asyncio.sleep(attack.pause_s)

    async def _read(self, connection: socket.socket) -> None:
        tail = b""
        while data := await asyncio.get_running_loop().sock_recv(connection, 65536):
            for status in _STATUS.findall(tail + data):
                self._outcome.statuses[status.decode()] += 1
                self._told += 1
            tail = data[-_TAIL:]

    async def _look(self, connection: socket.socket) -> None:
        """Wait until the server ends it, without taking what it sent."""
        while connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _ESTABLISHED:  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(_LOOK_EVERY_S)


async def flood(attacks: list[Attack], target: Target) -> Outcome:
    """Attacks of one kind in turn, at the first one's pace."""
    outcome, pace = Outcome(), attacks[0]
    running: set[asyncio.Task[None]] = set()
    began, due = time.monotonic(), 0
    while (now := time.monotonic()) < target.begin_until:
        for number in range(due, due := int((now - began) * pace.a_second) + 1):
            if len(running) < pace.connections:  # else it is left out: the pace is a bound
                attacker = Attacker(attacks[number % len(attacks)], target, outcome)
                task = asyncio.create_task(attacker.run())
                running.add(task)
                task.add_done_callback(running.discard)
        await asyncio.sleep(0.02)
    await asyncio.gather(*running)
    return outcome


async def _flood_all(kinds: dict[str, list[Attack]], target: Target) -> dict[str, Outcome]:
    outcomes = await asyncio.gather(*(flood(attacks, target) for attacks in kinds.values()))
    return dict(zip(kinds, outcomes, strict=True))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attack", choices=ATTACKS, action="append", default=[])
    parser.add_argument("--requests", type=Path, help="whole requests, sent in turn")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--source", default="127.0.0.3", help="address to connect from")
    parser.add_argument("--seconds", type=float, required=True, help="in which connections are begun")
    parser.add_argument("--stay", type=float, default=1, help="seconds after them, until all are closed")
    parser.add_argument("--connections", type=int, help="open at once, of each attack")
    parser.add_argument("--a-second", type=int, help="begun a second, of each attack")
    parser.add_argument("--stand-back", action="store_true", help="let every other program go first")
    options = parser.parse_args()
    kinds = {name: [ATTACKS[name]] for name in options.attack}
    if options.requests:
        kinds[PREPARED] = [whole(request) for request in read_requests(options.requests)]
    changes = {name: getattr(options, name) for name in ("connections", "a_second") if getattr(options, name)}
    kinds = {name: [replace(each, **changes) for each in attacks] for name, attacks in kinds.items()}
    if options.stand_back:
        stand_back()
    raise_limit()
    until = time.monotonic() + options.seconds
    target = Target(options.port, options.source, until, until + options.stay)
    sys.stdout.buffer.write(orjson.dumps(uvloop.run(_flood_all(kinds, target))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
