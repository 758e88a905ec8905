"""Contexts whose way to PostgreSQL leads through a proxy, or to another database."""

from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from app.context import Context
from app.process.background import Background
from app.storage.postgres.changes import Changes
from app.storage.postgres.connections import Timeouts
from app.storage.postgres.database import Database, open_database
from app.storage.postgres.gather import Bounds
from app.storage.token.gathered import Gathered, gather_statements
from app.storage.valkey.valkey import Valkey
from tests.support.proxy import Proxy, proxy_to


def valkey_socket(redis_url: str) -> str:
    """Its path, as it stands in the address."""
    return unquote(urlsplit(redis_url).path)


@asynccontextmanager
async def context_through_proxy(
    context: Context, database_url: str, *, connections: int = 4, timeouts: Timeouts | None = None
) -> AsyncIterator[tuple[Context, Proxy]]:
    """A context that reaches PostgreSQL through a proxy. All else is the given context's: its Valkey, keys and policy.

    connections: of its pool. What follows its answers is done before the pool is closed.
    """
    address = urlsplit(database_url)
    [folder] = parse_qs(address.query)["host"]
    async with proxy_to(str(Path(folder) / ".s.PGSQL.5432")) as proxy:
        query = urlencode({"host": Path(proxy.path).parent})
        url = address._replace(query=query).geturl()
        database = await open_database(url, connections=connections, timeouts=timeouts or Timeouts())
        gathered = gathered_on(context, database)
        through = replace(context, database=database, gathered=gathered, background=Background())
        try:
            yield through, proxy
        finally:
            await through.background.settle()
            await gathered.close()
            await database.close()


def gathered_on(
    context: Context,
    database: Database,
    changes: Changes | None = None,
    legacy_until: datetime | None = None,
) -> Gathered:
    """The statements of the token path on another database; without changes to listen to nothing is remembered."""
    policy = context.policy
    return gather_statements(
        database,
        changes or Changes(),
        bounds=Bounds(wait_s=5),
        most_tokens=1000,
        audience=policy.audience,
        lifetimes=policy.lifetimes,
        legacy_until=legacy_until,
    )


async def put(valkey: Valkey, key: str, value: bytes, *, life_ms: int = 60_000) -> None:
    """Write a key past the service. life_ms: until Valkey forgets it."""
    await valkey._call("SET", key, value, "PX", str(life_ms))


def take(valkey: Valkey, key: str) -> Coroutine[Any, Any, bytes | None]:
    """A value, once: of two who take it, one gets it."""
    return valkey._call("GETDEL", key)
