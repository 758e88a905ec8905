"""The context of the command line's verbs, opened in a run's own process: none has to start a Python of its own."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from app.context import Context, open_context
from app.settings import PREFIX, Settings
from app.storage.postgres.database import SERVICE_ROLE
from app.storage.schema.migrations import apply_migrations, read_migrations
from app.stores import Stores
from bench.ground.service import Service


@asynccontextmanager
async def opened(service: Service, database_url: str, redis_url: str) -> AsyncIterator[Context]:
    """Open a context on a database that is migrated first where it has to be."""
    await apply_migrations(database_url, read_migrations())
    stores = Stores(database_url, database_url, database_url, redis_url, SERVICE_ROLE)
    async with open_context(_settings(service, database_url, redis_url), stores) as context:
        yield context


def _settings(service: Service, database_url: str, redis_url: str) -> Settings:
    """The run's own: what this shell or a `.env` is set to is of another service."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    own: dict[str, Any] = {
        "database_url": database_url,
        "redis_url": redis_url,
        "environment": "development",
        "data_dir": service.data_dir,
    }
    return Settings(**own)
