"""How a verb reaches the stores: it reads settings, starts or finds servers, checks the schema, opens a context."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from app.cli.output import fail
from app.context import Context, open_context
from app.logs import configure_logs
from app.settings import Settings, load_settings
from app.storage.schema.migrations import apply_migrations, read_migrations, read_status
from app.stores import Stores, open_stores

Answer = TypeVar("Answer")


def with_context(work: Callable[[Context], Awaitable[Answer]]) -> Answer:
    """Run one verb's work on a context of its own."""
    return with_stores(lambda context, _: work(context))


def with_stores(work: Callable[[Context, Stores], Awaitable[Answer]]) -> Answer:
    """Run one verb's work that needs the stores' addresses too."""
    settings = load_settings()
    configure_logs("warning", sys.stderr)

    async def run(stores: Stores) -> Answer:
        async with open_context(settings, stores) as context:
            return await work(context, stores)

    with ready_stores(settings) as stores:
        return asyncio.run(run(stores))


@contextmanager
def ready_stores(settings: Settings) -> Iterator[Stores]:
    """Stores whose schema fits: the private one is migrated, another's never is."""
    with open_stores(settings) as stores:
        if settings.embedded:
            asyncio.run(apply_migrations(stores.owner_url, read_migrations()))
        else:
            asyncio.run(_require_schema(stores))
        yield stores


async def _require_schema(stores: Stores) -> None:
    pending = [s for s in await read_status(stores.owner_url, read_migrations()) if s.applied_at is None]
    if pending:
        fail(
            f"the database lacks {len(pending)} migration(s), first {pending[0].migration.name}: run `rovitracker migrate up`"
        )
