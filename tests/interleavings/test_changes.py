"""A token that ended is believed by no process for longer than is said, whatever happens to the line it is told on."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest

from app.storage.postgres.changes import BELIEVED_FOR_S, Changes
from app.storage.postgres.remembered import Remembered
from tests.interleavings.seeded import SEEDS, TURN_S, run
from tests.support.changing import until

TOKENS = [UUID(int=number) for number in range(1, 9)]
LASTS_S = 12.0
Listener = Callable[[object, int, str, object], None]


@dataclass(slots=True)
class Server:
    """Tokens and when each ended, and the lines of those who listen."""

    chance: Random
    ended: dict[UUID, float] = field(default_factory=dict)
    lines: list["Line"] = field(default_factory=list)
    calm: bool = False

    def end(self, token: UUID) -> None:
        self.ended[token] = now()
        for line in self.lines:
            line.tell(str(token))

    async def connect(self, *_: object, **__: object) -> "Line":
        await asyncio.sleep(self.chance.expovariate(50))
        if not self.calm and self.chance.random() < 0.2:
            raise ConnectionRefusedError
        line = Line(self)
        self.lines.append(line)
        return line

    async def read(self, token: UUID) -> bool | None:
        """Whether it is live: what is read is of one moment, and comes later."""
        await asyncio.sleep(self.chance.expovariate(200))
        live = token not in self.ended
        await asyncio.sleep(self.chance.expovariate(20))
        return live or None


class Line:
    """A connection on which everything arrives in order, late, or not at all."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._listener: Listener | None = None
        self._told: list[tuple[float, Callable[[], None]]] = []
        self._black_from = float("inf")
        chance = server.chance
        if not server.calm:
            self._black_from = now() + chance.expovariate(0.4)
        self._arrives_at = 0.0

    def tell(self, payload: str) -> None:
        if self._listener is not None:
            listener = self._listener
            self._arrive(lambda: listener(self, 0, "", payload))

    def _arrive(self, event: Callable[[], None]) -> None:
        if now() >= self._black_from:
            return
        self._arrives_at = max(self._arrives_at + TURN_S, now() + self._server.chance.expovariate(20))
        asyncio.get_running_loop().call_at(self._arrives_at, event)

    async def add_listener(self, _channel: str, listener: Listener) -> None:
        await asyncio.sleep(0.001)
        self._listener = listener

    async def execute(self, _statement: str) -> None:
        await asyncio.sleep(0.001)

    async def fetchrow(self, _statement: str, *_: object) -> dict[str, bool]:
        """The server answers the probe, and that arrives behind whatever it told before."""
        await asyncio.sleep(self._server.chance.expovariate(50))
        answered = asyncio.get_running_loop().create_future()

        def hear() -> None:
            if not answered.done():
                answered.set_result({"read_only": False, "leads": True})

        self._arrive(hear)
        return dict(await asyncio.wait_for(answered, BELIEVED_FOR_S))

    def terminate(self) -> None:
        self._server.lines.remove(self)


def now() -> float:
    return asyncio.get_running_loop().time()


async def readers(chance: Random) -> tuple[int, int]:
    """How many answers were given, and how many of them without asking."""
    server, changes = Server(chance), Changes()
    remembered: Remembered[UUID, Any] = Remembered(
        lambda token: _read(server, token), changes, rests_on=lambda token: ((token,), 60.0), most=100
    )
    counts = [0, 0]

    async def read(token: UUID) -> None:
        until = now() + LASTS_S
        while now() < until:
            await asyncio.sleep(chance.expovariate(8))
            began = now()
            known = remembered.recall(token)
            answer = known if known is not None else await remembered.ask(token)
            counts[0] += 1
            counts[1] += known is not None
            if answer is not None and token in server.ended:
                late = began - server.ended[token]
                assert late <= BELIEVED_FOR_S + 0.001, f"{token} was believed {late:.3f} s after its end"

    async def end(token: UUID) -> None:
        await asyncio.sleep(chance.uniform(2, LASTS_S))
        server.end(token)

    with patch("app.storage.postgres.server.asyncpg.connect", server.connect):
        changes.listen("postgresql://nobody@localhost/none")
        await asyncio.gather(*map(read, TOKENS * 2), *map(end, TOKENS[:6]))
        server.calm = True
        await until(lambda: changes.current)  # an old line may go black once more
        await changes.close()
    return counts[0], counts[1]


async def _read(server: Server, token: UUID) -> UUID | None:
    return token if await server.read(token) else None


@pytest.mark.parametrize("seeds", [SEEDS[at : at + 25] for at in range(0, 100, 25)], ids=str)
def test_no_ended_token_is_believed_for_longer_than_is_said(seeds: range) -> None:
    """R-16, R-91, R-101: lines that are cut, late and black; look-ups that were read before the end and come after it."""
    answered = recalled = 0
    for seed in seeds:
        given, known = run(seed, readers)
        answered, recalled = answered + given, recalled + known
    assert recalled > answered / 5, "what is remembered is used"
