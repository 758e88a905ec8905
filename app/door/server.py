"""One process's server: uvicorn's, with the bounds of the edge. It loses no request when it is told to leave."""

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Callable
from enum import Enum, auto
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from app.door.addresses import NO_PROXIES, TrustedProxies
from app.door.bounds import Bounds
from app.door.draining import DRAINING, is_listening, is_readable, keep_newcomers_out
from app.door.protocol import Protocol
from app.door.watch import State
from app.loading import without_collections

_LOG = logging.getLogger("uvicorn.error")

GRACE_S = 20  # for answers that are under way
_LOOK_S = 0.05
_WORD_S = 6.0  # a supervisor that asks a hung worker for a sign of life waits five seconds
_HANDSHAKES_S = 0.25  # until the handshakes that had begun are whole

_OURS: dict[str, Any] = {
    "loop": "uvloop",
    "http": Protocol,
    "ws": "none",  # else a library that happens to be installed would take upgrades
    "lifespan": "on",
    "log_config": None,
    "access_log": False,
    "server_header": False,
    "proxy_headers": False,
    "timeout_graceful_shutdown": GRACE_S,
}


class Config(uvicorn.Config):
    """uvicorn's configuration with our choices, the bounds, and the proxies whose forwarded headers count."""

    def __init__(
        self,
        app: Any,
        *,
        bounds: Bounds,
        trusted: TrustedProxies = NO_PROXIES,
        shutdown_delay_s: float = 0.0,
        **options: Any,
    ) -> None:
        super().__init__(app, **{**_OURS, **options})
        self.bounds = bounds
        self.trusted = trusted
        self.shutdown_delay_s = shutdown_delay_s

    def load_app(self) -> Any:
        with without_collections():
            return super().load_app()


class Leaving(Enum):
    """The processes that leave, which decides what becomes of the listening socket that all workers share."""

    ALL = auto()
    ONE = auto()  # the others go on, and the queue is theirs
    ORPHANED = auto()  # all, and a successor of the killed supervisor wants the port


class Server(uvicorn.Server):
    """It leaves in this order: not ready, newcomers out, queue served, socket closed, answers finished.

    leaving: None when a supervisor will say it.
    """

    config: Config

    def __init__(self, config: Config, leaving: Leaving | None = Leaving.ALL) -> None:
        super().__init__(config)
        self.server_state: State = State(config.bounds, config.trusted)
        self.leaving = leaving

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  # uvicorn's own signature
        """Take a signal as uvicorn does, but do not raise it again: it has done its work by then."""
        self.force_exit = self.force_exit or (self.should_exit and sig == signal.SIGINT)
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Raises SystemExit when another process came to listen on the same port meanwhile."""
        for listener in sockets or []:
            _hold_little_unsent(listener, self.config.bounds.unsent)
        await super().startup(sockets)
        if not all(map(is_listening, sockets or [])):  # uvloop says nothing of it
            _LOG.error("Cannot listen: another process listens there now")
            self.started = False
            await self.lifespan.shutdown()
            sys.exit(STARTUP_FAILURE)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Leave; a second Ctrl+C cuts every wait short."""
        await self._until(lambda: self.leaving is not None, _in(_WORD_S))
        _LOG.info("Shutting down")
        if self.leaving is Leaving.ALL:
            self.lifespan.state[DRAINING] = True
            await self._wait(self.config.shutdown_delay_s)
        ends_at = _in(self.config.timeout_graceful_shutdown or GRACE_S)
        self.server_state.leaving = True
        for connection in tuple(self.server_state.connections):
            connection.shutdown()
        await self._stop_listening(sockets or [], ends_at)
        await self._until(self._is_empty, ends_at)
        self._cancel_the_rest()
        if not self.force_exit:
            await self.lifespan.shutdown()

    async def _stop_listening(self, listeners: list[socket.socket], ends_at: float) -> None:
        if listeners and self.leaving in (Leaving.ALL, Leaving.ORPHANED):
            for listener in listeners:
                _close_the_queue(listener)
            await self._wait(_HANDSHAKES_S)
            handles = [listener.fileno() for listener in listeners]
            await self._until(lambda: not any(map(is_readable, handles)), ends_at)
        for server in self.servers:
            server.close()
        # The loop presents what it accepted last in its next turn; till then there seem to be fewer connections.
        await asyncio.sleep(_LOOK_S)

    def _is_empty(self) -> bool:
        return not self.server_state.connections and not self.server_state.tasks

    def _cancel_the_rest(self) -> None:
        if self.server_state.tasks and not self.force_exit:
            _LOG.error("%d requests were not answered in time", len(self.server_state.tasks))
            for task in self.server_state.tasks:
                task.cancel()

    async def _wait(self, seconds: float) -> None:
        await self._until(lambda: False, _in(seconds))

    async def _until(self, done: Callable[[], bool], ends_at: float) -> None:
        while _in(0) < ends_at and not self.force_exit and not done():
            await asyncio.sleep(_LOOK_S)
            await self.on_tick(0)  # keeps the Date of the answers right


def _in(seconds: float) -> float:
    """The loop's time in so many seconds."""
    return asyncio.get_running_loop().time() + seconds


def _hold_little_unsent(listener: socket.socket, most: int) -> None:
    """Bound what the kernel takes of answers that nobody reads. All connections of a listener inherit it.

    By itself it took a megabyte of each, and nothing was left here for the write deadline to judge (R-74).
    """
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, most)


def _close_the_queue(listener: socket.socket) -> None:
    try:
        keep_newcomers_out(listener)
    except OSError as error:
        _LOG.warning("Clients that connect in this moment may be reset: %s", error.strerror)
