"""The context of the command line's verbs, opened in a run's own process: none has to start a Python of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.context import Context, open_context
from app.settings import load_settings
from app.storage.database import SERVICE_ROLE
from app.storage.migrations import apply_migrations, read_migrations
from app.stores import Stores
from bench.service import Service


@asynccontextmanager
async def opened(service: Service, database_url: str, redis_url: str) -> AsyncIterator[Context]:
    """On a database that is migrated first where it has to be."""
    await apply_migrations(database_url, read_migrations())
    stores = Stores(database_url, database_url, database_url, redis_url, SERVICE_ROLE)
    settings = load_settings(
        database_url=database_url,
        redis_url=redis_url,
        environment="development",
        data_dir=service.data_dir,
    )
    async with open_context(settings, stores) as context:
        yield context
