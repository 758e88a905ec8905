"""A bounded load of raw connections that repeats nothing, and what became of each of its requests."""

import asyncio
from dataclasses import dataclass, field

from tests.support.raw import get, read_answer

_PATIENCE_S = 40.0
_TARGETS = (b"/health/alive", b"/version", b"/health/ready", b"/app/oauth2/jwks")


@dataclass(slots=True)
class Fates:
    """lost: what happened to each request whose connection was made and which got no whole answer.

    last_answers: how many of the answers ended their connection by their own word.
    """

    answered: int = 0
    refused: int = 0
    last_answers: int = 0
    lost: list[str] = field(default_factory=list)


class ClosedLoop:
    """Half of the clients keep their connection, the others take a new one a request; all go on until refused.

    A client goes on for 40 s at most. One that is not refused until then counts as lost in silence.
    """

    def __init__(self, port: int, *, clients: int = 50) -> None:
        self.fates = Fates()
        self._port = port
        self._going_on = True
        self._clients = [asyncio.create_task(self._go_on(number)) for number in range(clients)]

    async def stop(self) -> Fates:
        """Each client ends with the answer it waits for."""
        self._going_on = False
        return await self.refused()

    async def refused(self) -> Fates:
        """Wait until no client goes on, and give what became of all requests."""
        await asyncio.gather(*self._clients)
        return self.fates

    async def _go_on(self, number: int) -> None:
        request = get(_TARGETS[number // 2 % len(_TARGETS)])
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while self._going_on:
                    reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                    try:
                        await self._ask(reader, writer, request, kept=number % 2 == 0)
                    finally:
                        writer.close()
        except ConnectionRefusedError:
            self.fates.refused += 1
        except TimeoutError:
            self.fates.lost.append("silence")

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, *, kept: bool
    ) -> None:
        try:
            while self._going_on:
                writer.write(request)
                answer = await read_answer(reader)
                self.fates.answered += 1
                is_last = answer.headers.get("connection") == "close"
                self.fates.last_answers += is_last
                if is_last or not kept:
                    return
        except asyncio.IncompleteReadError as error:
            self.fates.lost.append(f"cut after {len(error.partial)} bytes")
        except ConnectionError as error:
            self.fates.lost.append(type(error).__name__)
