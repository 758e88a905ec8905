"""The service that is attacked: a process of its own, on the suite's stores, with a log that can be read."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.server import free_port, running_service, settings_on


@dataclass(frozen=True, slots=True)
class Target:
    """log: the file of its lines, each a JSON document."""

    port: int
    log: Path

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@asynccontextmanager
async def running_target(database_url: str, redis_url: str, folder: Path) -> AsyncIterator[Target]:
    """Attacks count as failures, so the limit of failures is out of their reach."""
    settings = {**settings_on(database_url, redis_url, folder), "ROVITRACKER_LIMIT_FAILURES": "1000000"}
    target = Target(free_port(), folder / "log")
    async with running_service(port=target.port, settings=settings, log=target.log):
        yield target
