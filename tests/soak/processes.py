"""Two processes of the service on the same stores: one as shipped, and one that remembers no token and no page."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.ground.servers import service_serving
from bench.ground.service import Service
from bench.ground.serving import free_port
from tests.support.raw import RawAnswer, read_answer

REMEMBERING, FORGETFUL = "remembering", "forgetful"

_MEMORY = {REMEMBERING: {}, FORGETFUL: {"TOKEN_CACHE": "false", "LIMIT_PAGE_MEMORY": "0"}}
_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Process:
    name: str
    port: int
    pid: int


Pair = tuple[Process, Process]


def two_services(database_url: str, redis_url: str, folder: Path, **settings: str) -> dict[str, Service]:
    """By name, the remembering one first. Both say one origin, as behind a proxy.

    settings: more, without their prefix.
    """
    ports = {name: free_port() for name in _MEMORY}
    shared = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "ENVIRONMENT": "development",
        "DATA_DIR": str(folder),
        "PUBLIC_URL": f"http://127.0.0.1:{ports[REMEMBERING]}",
        "LOG_LEVEL": "error",
        "LIMIT_QUEUE_WAIT": "5s",  # a busy machine is not an overloaded service
        "LIMIT_FAILURES": "1000000",  # all callers come from one address
        "LIMIT_CACHED_TOKENS": "500",  # so many are new within a minute: what is full shows whether it grows
        **settings,
    }
    return {name: Service(folder, ports[name], {**shared, **memory}) for name, memory in _MEMORY.items()}


@contextmanager
def serving(services: Mapping[str, Service], folder: Path) -> Iterator[Pair]:
    """Both run until the end, and Ctrl-C does not reach them before. folder: of their logs."""
    with ExitStack() as stack:
        first, second = (
            Process(name, each.port, stack.enter_context(service_serving(each, 1, folder / f"{name}.log")))
            for name, each in services.items()
        )
        yield first, second


class Line:
    """A client's connection to one process, opened anew when it was closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> RawAnswer:
        """Send a request that may be repeated. Raises ConnectionError when a new connection does not answer either."""
        async with asyncio.timeout(_PATIENCE_S):
            if self._streams is not None:
                try:
                    return await self._ask(request)
                except (asyncio.IncompleteReadError, ConnectionError):
                    self.close()
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=2**20)
            try:
                return await self._ask(request)
            except asyncio.IncompleteReadError as error:
                raise ConnectionError(f"port {self._port} closes without an answer") from error

    async def _ask(self, request: bytes) -> RawAnswer:
        assert self._streams is not None
        reader, writer = self._streams
        writer.write(request)
        return await read_answer(reader)

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
