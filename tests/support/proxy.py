"""A proxy on the way to a store's unix socket: it can lose a request or a reply, fall silent, and tell what it was asked."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

_CHUNK = 65_536


class Proxy:
    """What is lost ends its connection; in silence the replies are kept back, and commands pass."""

    def __init__(self, store: str | int, path: str = "") -> None:
        """store: its socket, or its port on the loopback interface."""
        self.path = path
        self._store = store
        self._marker: bytes | None = None
        self._losses = 0
        self._unsent = b""
        self._unsent_times = 0
        self._speaking = asyncio.Event()
        self._speaking.set()
        self._asked: list[bytearray] = []  # a connection each
        self._connections: set[asyncio.Task[None]] = set()

    def lose_reply(self, to: bytes = b"", *, times: int = 1) -> None:
        """Lose the next reply, or the first one after these bytes were asked, on so many connections."""
        self._marker, self._losses = to, times

    def lose_request(self, having: bytes, *, times: int = 1) -> None:
        """Let what has these bytes never arrive, on so many connections."""
        self._unsent, self._unsent_times = having, times

    def lead_to(self, store: str | int) -> None:
        """Take new connections to another store, as an address does after a fail-over; those that stand stay."""
        self._store = store

    def cut(self) -> None:
        """End every connection that stands."""
        for connection in self._connections:
            connection.cancel()

    def fall_silent(self) -> None:
        """Keep back every reply from now on, on connections that stand and on new ones."""
        self._speaking.clear()

    def speak(self) -> None:
        """Let replies pass again, beginning with those that were kept back."""
        self._speaking.set()

    def statements_asked(self) -> int:
        """How many statements PostgreSQL was told to run: Execute and Query messages."""
        return sum(kind in b"EQ" for asked in self._asked for kind in message_kinds(bytes(asked)))

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._carry(reader, writer))
        connection.add_done_callback(lambda _: writer.close())  # also where it ends before its first step
        self._connections.add(connection)

    async def close(self) -> None:
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            store_reader, store_writer = await self._reach()
        except OSError:  # nobody is there, which the client hears as a connection that ends
            return
        self._asked.append(asked := bytearray())
        asking = asyncio.create_task(self._pass_on(reader, store_writer, asked))
        try:
            while (reply := await store_reader.read(_CHUNK)) and not self._loses(asked):
                await self._speaking.wait()
                writer.write(reply)
        finally:
            asking.cancel()
            for each in (writer, store_writer):
                each.close()
            # One that was reset says so once more here.
            await asyncio.gather(writer.wait_closed(), store_writer.wait_closed(), return_exceptions=True)

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._store, int):
            return await asyncio.open_connection("127.0.0.1", self._store)
        return await asyncio.open_unix_connection(self._store)

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: bytearray
    ) -> None:
        try:
            while data := await reader.read(_CHUNK):
                if self._unsent_times and self._unsent in data:
                    self._unsent_times -= 1
                    break
                asked += data
                writer.write(data)
        finally:
            writer.close()

    def _loses(self, asked: bytearray) -> bool:
        if self._marker is None or self._marker not in asked:
            return False
        self._losses -= 1
        if not self._losses:
            self._marker = None
        return True


@asynccontextmanager
async def proxy_to(store: str) -> AsyncIterator[Proxy]:
    """store: its socket, whose name the proxy's own socket has too, as PostgreSQL's clients want it."""
    with tempfile.TemporaryDirectory() as folder:  # a socket's path must be short
        proxy = Proxy(store, str(Path(folder) / Path(store).name))
        async with await asyncio.start_unix_server(proxy.serve, proxy.path):
            try:
                yield proxy
            finally:
                await proxy.close()


@asynccontextmanager
async def port_to(store: str | int) -> AsyncIterator[tuple[Proxy, int]]:
    """A proxy on a port of the loopback interface, and that port."""
    proxy = Proxy(store)
    async with await asyncio.start_server(proxy.serve, "127.0.0.1", 0) as server:
        try:
            yield proxy, server.sockets[0].getsockname()[1]
        finally:
            await proxy.close()


def message_kinds(stream: bytes) -> Iterator[int]:
    """The type bytes of what a PostgreSQL client sent; the first message, the start-up, has none."""
    start = int.from_bytes(stream[:4])
    while start < len(stream):
        yield stream[start]
        start += 1 + int.from_bytes(stream[start + 1 : start + 5])
