"""The server: uvicorn's, with the bounds of the edge."""

from typing import Any

import uvicorn

from app.door.bounds import Bounds
from app.door.watch import State


class Config(uvicorn.Config):
    """uvicorn's, with bounds."""

    def __init__(self, app: Any, *, bounds: Bounds, **options: Any) -> None:
        super().__init__(app, **options)
        self.bounds = bounds


class Server(uvicorn.Server):
    """uvicorn's, whose connections share our state."""

    config: Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.server_state = State(config.bounds)
