"""The server's HTTP protocol: uvicorn's, with answers that leave in one write."""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.door.answers import EXTENSIONS, Cycle, JoinedTransport
from app.door.draining import LAST_ANSWERS


class Protocol(HttpToolsProtocol):
    """uvicorn's, on a joined transport, with cycles of our own."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own signature
        super().connection_made(cast("asyncio.Transport", JoinedTransport(transport, self.loop)))

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        cycle.__class__ = Cycle  # uvicorn makes its own in the middle of its reading, and asks nobody which
        cycle.scope["extensions"] = EXTENSIONS
        if LAST_ANSWERS in self.app_state and not self.pipeline:
            cycle.keep_alive = False
        super()._start_asgi_task(cycle, app)
