"""The way to one instance: keep-alive connections, and what is known when one breaks."""

import asyncio
from contextlib import suppress

from tests.support.raw import RawAnswer, read_answer

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_MOST_BYTES = 2**22


class NotAskedError(Exception):
    """Nothing left: there was no connection to be had."""


class LostError(Exception):
    """The request left, or part of it, and no answer came."""


class Door:
    """One instance, as its callers reach it. patience_s: after which an answer is given up."""

    def __init__(self, port: int, *, patience_s: float) -> None:
        self._port = port
        self._patience_s = patience_s
        self._idle: list[Connection] = []

    async def ask(self, connection: Connection, request: bytes) -> RawAnswer:
        """The answer. Raises LostError."""
        reader, writer = connection
        try:
            writer.write(request)
            async with asyncio.timeout(self._patience_s):
                answer = await read_answer(reader)
        except (asyncio.IncompleteReadError, TimeoutError, OSError) as error:
            writer.transport.abort()
            raise LostError(type(error).__name__) from error
        except BaseException:
            writer.transport.abort()
            raise
        if answer.headers.get("connection") == "close":
            writer.close()
        else:
            self._idle.append(connection)
        return answer

    async def connect(self) -> Connection:
        """One that stood idle, else a new one. Raises NotAskedError."""
        while self._idle:
            reader, writer = self._idle.pop(0)  # the oldest, so that every worker's turn comes
            if not reader.at_eof() and not writer.transport.is_closing():
                return reader, writer
            writer.close()
        try:
            async with asyncio.timeout(self._patience_s):
                return await asyncio.open_connection("127.0.0.1", self._port, limit=_MOST_BYTES)
        except (OSError, TimeoutError) as error:
            raise NotAskedError(str(error)) from error

    def close(self) -> None:
        for _, writer in self._idle:
            with suppress(OSError):
                writer.close()
        self._idle.clear()
