"""How a verb reaches the stores: it reads settings, starts or finds servers, checks the schema, opens a context."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import monotonic
from typing import TypeVar

from app.cli.output import errors, fail
from app.context import Context, open_context
from app.logs import configure_logs
from app.settings import Settings, load_settings
from app.storage.errors import StoreUnavailableError
from app.storage.postgres.connections import CONNECT_TIMEOUT_S
from app.storage.postgres.server import gets_ready
from app.storage.schema.migrations import apply_migrations, read_migrations, read_status
from app.stores import Stores, open_stores

Answer = TypeVar("Answer")

_LOOK_S = 0.5


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
def ready_stores(settings: Settings, *, patience_s: float = 0.0) -> Iterator[Stores]:
    """Stores whose schema fits: the private one is migrated, another's never is. patience_s: as in `once_it_answers`."""
    with open_stores(settings) as stores:
        asyncio.run(once_it_answers(partial(_fit, settings, stores), patience_s))
        yield stores


async def once_it_answers(work: Callable[[float], Awaitable[Answer]], patience_s: float) -> Answer:
    """Do what needs PostgreSQL, and wait for one that is slow or still starting. One line says so.

    work: takes how long a connection may take to open, in seconds; each attempt gives it twice as long as the last.
    patience_s: for all attempts to connect. A server that is not there is waited for in no case.
    Raises StoreUnavailableError.
    """
    ends_at = monotonic() + patience_s
    connect_s = CONNECT_TIMEOUT_S
    while True:
        try:
            return await work(connect_s)
        except StoreUnavailableError as error:
            left_s = ends_at - monotonic() - _LOOK_S
            if not gets_ready(error) or left_s <= 0:
                raise
            if connect_s == CONNECT_TIMEOUT_S:
                errors.print(f"PostgreSQL does not answer yet; waiting up to {patience_s:.0f} s")
            await asyncio.sleep(_LOOK_S)
            connect_s = min(2 * connect_s, left_s)


async def _fit(settings: Settings, stores: Stores, connect_s: float) -> None:
    if settings.embedded:
        await apply_migrations(stores.owner_url, read_migrations(), connect_s=connect_s)
        return
    states = await read_status(stores.owner_url, read_migrations(), connect_s=connect_s)
    if pending := [each.migration.name for each in states if each.applied_at is None]:
        fail(
            f"the database lacks {len(pending)} migration(s), first {pending[0]}: run `rovitracker migrate up`"
        )
