"""Attacks through nginx and HAProxy: an honest client on the same connection to the service is given its own answers."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any
from zlib import crc32

import psutil
import pytest

from tests.door.corpus import upgrades
from tests.door.corpus.attack import READ, SMUGGLED, Attack, get, post
from tests.door.corpus.everything import CORPUS
from tests.door.proxies import KINDS, proxy_before
from tests.door.target import Target, running_target
from tests.support.depth import DEPTH
from tests.support.raw import RawAnswer, read_answer

DEEP = DEPTH > 1
EACH = 2  # honest requests right after an attack
ATTACKS = 2 * len(CORPUS) if DEEP else 150
PAUSE_S = 0.002
MOMENT_S = 0.2  # an answer begins within it, unless the proxy waits for more of the request
STAY_S = 0.5  # at most


@pytest.fixture(scope="module")
async def target(
    database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Target]:
    async with running_target(database_url, redis_url, tmp_path_factory.mktemp("target")) as target:
        yield target


@pytest.fixture(scope="module", params=KINDS)
async def proxy(
    target: Target, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[int]:
    folder = tmp_path_factory.mktemp("proxy")
    async with proxy_before(target.port, KINDS[request.param], folder) as port:
        yield port


class Honest:
    """A client of the proxy that can tell its own answers from everybody else's."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._asked = 0
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self) -> str:
        """Reads in turns, and posts; what is wrong with the answer, or nothing."""
        self._asked += 1
        name = f"honest-{self._asked:06}"
        id_field = b"X-Request-Id: " + name.encode()
        posts = self._asked % 2
        sent, due = (post(id_field), READ) if posts else (get(id_field), 200)
        try:
            answer = await self._exchange(sent)
        except (TimeoutError, asyncio.IncompleteReadError) as error:
            return f"{name} was due {due}, and not answered: {type(error).__name__}"
        if (answer.status, answer.headers.get("x-request-id")) != (due, name):
            return f"{name} was due {due}, and given {answer.status} of {answer.headers.get('x-request-id')}"
        return ""

    async def _exchange(self, sent: bytes) -> RawAnswer:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=2**20)
        reader, writer = self._streams
        writer.write(sent)
        async with asyncio.timeout(30):
            answer = await read_answer(reader)
        if answer.headers.get("connection") == "close":
            await self.leave()
        return answer

    async def leave(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            with suppress(ConnectionError):
                await self._streams[1].wait_closed()
            self._streams = None


@asynccontextmanager
async def attacking(port: int, segments: Sequence[bytes]) -> AsyncIterator[bytearray]:
    """All that is heard, from the moment when the first answer begins, or when there is none after a while."""
    heard, begun = bytearray(), asyncio.Event()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def listen() -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                heard.extend(data)
                begun.set()
        begun.set()

    # HAProxy keeps its only connection to the service for an attacker who owes it the rest of a body.
    leaving = asyncio.get_running_loop().call_later(STAY_S, writer.transport.abort)
    listening = asyncio.create_task(listen())
    try:
        for number, segment in enumerate(segments):
            await asyncio.sleep(PAUSE_S * (number > 0))
            writer.write(segment)
        with suppress(TimeoutError):
            async with asyncio.timeout(MOMENT_S):
                await begun.wait()
        yield heard
    finally:
        leaving.cancel()
        listening.cancel()
        await asyncio.wait([listening])
        writer.transport.abort()


def attacks() -> Iterator[tuple[Attack, tuple[bytes, ...]]]:
    """Each whole, and with a pause behind the head; those that hide requests in offers first, all shuffled."""
    hiding = {attack for attack in upgrades.ATTACKS if attack.sent.count(SMUGGLED) > 1}
    order = sorted(CORPUS, key=lambda attack: (attack not in hiding, crc32(attack.name.encode())))
    for attack in itertools.cycle(order):
        head, end, rest = attack.sent.partition(b"\r\n\r\n")
        yield attack, (attack.sent,)
        yield attack, (head + end, rest)


def clients_of(port: int) -> set[Any]:
    """The other ends of its connections."""
    connections = psutil.net_connections("tcp4")
    return {
        each.raddr
        for each in connections
        if each.laddr[1:] == (port,) and each.status == psutil.CONN_ESTABLISHED
    }


async def test_the_clients_of_a_proxy_share_one_connection_to_the_service(proxy: int, target: Target) -> None:
    """Without this, the next test would show nothing."""
    seen = []
    for _ in range(2):
        honest = Honest(proxy)
        assert await honest.ask() == await honest.ask() == ""
        await honest.leave()
        seen.append(clients_of(target.port))
    assert seen[0] == seen[1]
    assert len(seen[0]) == 1


async def test_honest_requests_get_their_own_answers_after_each_attack(proxy: int) -> None:
    """R-77, R-85, R-86: all of them, which at depth are some thousands."""
    honest, faults, answered = Honest(proxy), Counter[str](), 0
    for attack, segments in itertools.islice(attacks(), ATTACKS):
        async with attacking(proxy, segments) as heard:
            for _ in range(EACH):
                if fault := await honest.ask():
                    faults[f"{attack.name}: {fault}"] += 1
                    await honest.leave()
        answered += bool(heard)
        if b"honest-" in heard:
            faults[f"{attack.name}: the attacker was given an answer of the honest client"] += 1
    await honest.leave()
    assert not faults, "\n".join([f"{faults.total()} faults:", *sorted(faults)[:40]])
    assert answered > ATTACKS * 0.9
