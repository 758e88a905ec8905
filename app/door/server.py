"""The server: uvicorn's, with the bounds of the edge."""

from typing import Any

import uvicorn

from app.door.addresses import NO_PROXIES, TrustedProxies
from app.door.bounds import Bounds
from app.door.watch import State


class Config(uvicorn.Config):
    """uvicorn's, with bounds, and the proxies whose forwarded headers count."""

    def __init__(
        self, app: Any, *, bounds: Bounds, trusted: TrustedProxies = NO_PROXIES, **options: Any
    ) -> None:
        super().__init__(app, proxy_headers=False, **options)
        self.bounds = bounds
        self.trusted = trusted


class Server(uvicorn.Server):
    """uvicorn's, whose connections share our state."""

    config: Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.server_state = State(config.bounds, config.trusted)
