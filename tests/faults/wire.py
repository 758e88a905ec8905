"""A wire between the service and a store that can be cut, silenced, slowed and half-closed, and counts what it did."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field

_CHUNK = 65_536


@dataclass(eq=False, slots=True)
class Link:
    """One connection: the service's side and the store's."""

    service: asyncio.StreamWriter
    store: asyncio.StreamWriter


@dataclass(slots=True)
class Wire:
    """A port of the loopback interface that leads to a store. Its state holds for all that passes from now on.

    store: its socket, or its port. lost: so many replies are still to be lost, each with its connection.
    delay_s: of each reply. did: what was really done to traffic, by the name of the trouble.
    """

    store: str | int
    port: int = 0
    delay_s: float = 0.0
    lost: int = 0
    did: Counter[str] = field(default_factory=Counter)
    _speaking: asyncio.Event = field(default_factory=asyncio.Event)
    _open: asyncio.Event = field(default_factory=asyncio.Event)
    _links: set[Link] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.heal()

    def heal(self) -> None:
        self.delay_s, self.lost = 0.0, 0
        self._speaking.set()
        self._open.set()

    def silence(self) -> None:
        """Keep back replies, while requests arrive and take effect."""
        self._speaking.clear()

    def swallow(self) -> None:
        """Let nothing pass in either direction. New connections are accepted, and lead nowhere."""
        self._speaking.clear()
        self._open.clear()

    def cut(self) -> None:
        """End every connection at once, as a reset does."""
        for link in self._links:
            self.did["cut"] += 1
            link.service.transport.abort()
            link.store.transport.abort()

    def half_close(self) -> None:
        """End what the store says, and go on taking what the service says."""
        for link in self._links:
            with suppress(OSError, RuntimeError):
                link.service.write_eof()
                self.did["half-closed"] += 1

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._carry(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: writer.transport.abort())  # also where it ends before its first step

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            store_reader, store_writer = await self._reach()
        except OSError:  # nobody is there, which the service hears as a connection that ends
            return
        link = Link(writer, store_writer)
        self._links.add(link)
        pumps = [
            asyncio.create_task(self._take_requests(reader, store_writer)),
            asyncio.create_task(self._give_replies(store_reader, writer)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._links.discard(link)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for each in (writer, store_writer):
                each.transport.abort()

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self.store, int):
            return await asyncio.open_connection("127.0.0.1", self.store)
        return await asyncio.open_unix_connection(self.store)

    async def _take_requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK):
            if not self._open.is_set():
                self.did["requests held"] += 1
                await self._open.wait()
            writer.write(data)

    async def _give_replies(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK):
            if self.lost:
                self.lost -= 1
                self.did["replies lost"] += 1
                return
            if self.delay_s:
                self.did["replies delayed"] += 1
                await asyncio.sleep(self.delay_s)
            if not self._speaking.is_set():
                self.did["replies held"] += 1
                await self._speaking.wait()
            if not writer.transport.is_closing() and writer.can_write_eof():
                with suppress(RuntimeError):  # it was half-closed
                    writer.write(data)


@asynccontextmanager
async def wires_to(*stores: str | int) -> AsyncIterator[list[Wire]]:
    """A wire to each store."""
    async with AsyncExitStack() as stack:
        wires = []
        for store in stores:
            wire = Wire(store)
            server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
            stack.push_async_callback(wire.close)
            stack.callback(server.close)
            wire.port = server.sockets[0].getsockname()[1]
            wires.append(wire)
        yield wires
