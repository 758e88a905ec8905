"""Each caller of a shared connection to Valkey hears its own reply or why it hears none, however the replies are cut."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import hiredis
import pytest

from app.storage.errors import NotSentError, RetiredError, StoreUnavailableError
from app.storage.valkey.pipe import Pipe
from tests.interleavings.seeded import SEEDS, TURN_S, run

CALLERS = 80
PATIENCE_S = 0.5


@dataclass(slots=True)
class Server:
    """Runs commands in their order. ran: the keys of those that took effect."""

    chance: Random
    ran: set[str] = field(default_factory=set)
    writes: int = 0

    def answer(self, command: list[bytes]) -> bytes:
        """One command in fifty is refused as by a replica. One in a hundred is refused, and has taken effect."""
        key = command[-1].decode()
        kind = self.chance.random()
        if kind < 0.02:
            return b"-READONLY You can't write against a read only replica.\r\n"
        if kind < 0.03:
            self.ran.add(key)
            return b"-ERR something else\r\n"
        self.ran.add(key)
        return b"$%d\r\n%s\r\n" % (len(key), key.encode())


class Wire:
    """The transport of one connection: what is written arrives later, and what is answered comes in pieces.

    Half of the connections are cut at some time. Three in ten swallow all answers from some time on.
    """

    def __init__(self, server: Server, own: socket.socket) -> None:
        self._server, self._own = server, own
        self._commands = hiredis.Reader()
        self._protocol: asyncio.Protocol | None = None
        self._closed = False
        self._arrives_at = 0.0
        loop, chance = asyncio.get_running_loop(), server.chance
        if chance.random() < 0.5:
            loop.call_later(chance.expovariate(2), self.cut)
        self._black_from = loop.time() + (chance.expovariate(1) if chance.random() < 0.3 else 1e9)

    def set_protocol(self, protocol: asyncio.Protocol) -> None:
        self._protocol = protocol

    def get_extra_info(self, _name: str) -> socket.socket:
        return self._own

    def is_closing(self) -> bool:
        return self._closed

    def write(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        self._server.writes += 1
        self._arrives_at = max(self._arrives_at + TURN_S, loop.time() + self._server.chance.expovariate(100))
        loop.call_at(self._arrives_at, self._serve, data)

    def abort(self) -> None:
        self._closed = True

    def cut(self) -> None:
        if not self._closed:
            self._closed = True
            assert self._protocol is not None
            self._protocol.connection_lost(None)

    def _serve(self, data: bytes) -> None:
        """What was sent before the connection was cut may still be run."""
        self._commands.feed(data)
        replies = b""
        while (command := self._commands.gets()) is not False:
            replies += self._server.answer(cast("list[bytes]", command))
        loop, chance = asyncio.get_running_loop(), self._server.chance
        at = max(loop.time(), self._arrives_at)  # nothing comes behind what was swallowed
        while replies and at < self._black_from:
            size = chance.randint(1, 60)
            piece, replies = replies[:size], replies[size:]
            at += TURN_S + chance.expovariate(500)
            self._arrives_at = at
            loop.call_at(at, self._deliver, piece)

    def _deliver(self, piece: bytes) -> None:
        if not self._closed:
            assert self._protocol is not None
            self._protocol.data_received(piece)


@contextmanager
def a_socket() -> Iterator[socket.socket]:
    """Which the kernel is asked about; nothing is sent on it."""
    own, other = socket.socketpair()
    with own, other:
        yield own


def pipe_to(server: Server, own: socket.socket, *, in_cluster: bool) -> Pipe:
    connection = SimpleNamespace(_writer=SimpleNamespace(transport=Wire(server, own)))
    return Pipe(cast("Any", connection), most=50, patience_s=PATIENCE_S, in_cluster=in_cluster)


async def crowd(chance: Random) -> tuple[Server, dict[str, object]]:
    """What the server ran, and what each of eighty callers heard, a fifth of whose calls may be called off."""
    server = Server(chance)
    heard: dict[str, object] = {}
    pipes: list[Pipe] = []
    loop = asyncio.get_running_loop()
    in_cluster = chance.random() < 0.5
    with a_socket() as own:

        def pipe() -> Pipe:
            if not pipes or not pipes[-1].open:
                pipes.append(pipe_to(server, own, in_cluster=in_cluster))
            return pipes[-1]

        async def call(number: int) -> None:
            await asyncio.sleep(chance.uniform(0, 2))
            key = f"key{number}"
            began = loop.time()
            for each in range(chance.choice([0, 0, 1, 3])):
                pipe().delete_soon(f"gone{number}:{each}")
            try:
                asking = pipe().call("GET", key)
                if chance.random() < 0.2:
                    loop.call_later(chance.expovariate(50), asking.cancel)
                heard[key] = await asking
            except (asyncio.CancelledError, StoreUnavailableError) as error:
                heard[key] = error
            assert loop.time() - began <= PATIENCE_S + 0.05, key

        await asyncio.gather(*map(call, range(CALLERS)))
    return server, heard


@pytest.mark.parametrize("seeds", [SEEDS[at : at + 100] for at in range(0, len(SEEDS), 100)], ids=str)
def test_each_hears_its_own_reply_or_why_it_hears_none(seeds: range) -> None:
    """R-5, R-86, R-88."""
    ends: set[str] = set()
    for seed in seeds:
        server, heard = run(seed, crowd)
        assert len(heard) == CALLERS, seed
        for key, each in heard.items():
            told = (seed, key, each)
            if isinstance(each, bytes):
                assert each == key.encode(), told
            elif isinstance(each, NotSentError):
                assert key not in server.ran, told
            ends.add(type(each).__name__)
    assert {"bytes", "CancelledError", RetiredError.__name__, "StoreUnavailableError"} <= ends


@pytest.mark.parametrize("in_cluster", [False, True])
def test_deletions_take_no_write_of_their_own_while_others_write(in_cluster: bool) -> None:  # noqa: FBT001  # a case
    async def writes(chance: Random) -> tuple[int, int]:
        server = Server(chance)
        with a_socket() as own:
            pipe = pipe_to(server, own, in_cluster=in_cluster)
            for number in range(3):
                pipe.delete_soon(f"gone{number}")
            asking = pipe.call("GET", "key")
            await asyncio.sleep(0)
            first = server.writes
            pipe.delete_soon("gone")
            await asyncio.wait([asking])
            await asyncio.sleep(PATIENCE_S)
            asking.exception()
        return first, server.writes

    seen = {run(seed, writes) for seed in SEEDS[:100]}
    assert (1, 2) in seen, "one write, and one for what was deleted in the silence"
    assert all(first == 1 and in_all <= 2 for first, in_all in seen)
