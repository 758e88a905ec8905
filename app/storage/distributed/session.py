"""Sessions with the coordinator of Citus: each sends what Citus takes, in place of what plain PostgreSQL takes."""

from typing import Any

import asyncpg

from app.storage.distributed.statements import ON_CITUS
from app.storage.postgres.database import Dialect


class CitusSession(asyncpg.Connection):  # type: ignore[misc]  # the driver has no types
    """A driver's connection, which knows the statements of the token path."""

    async def execute(self, query: str, *arguments: Any, **options: Any) -> Any:
        return await super().execute(ON_CITUS.get(query, query), *arguments, **options)

    async def fetch(self, query: str, *arguments: Any, **options: Any) -> Any:
        return await super().fetch(ON_CITUS.get(query, query), *arguments, **options)

    async def fetchrow(self, query: str, *arguments: Any, **options: Any) -> Any:
        return await super().fetchrow(ON_CITUS.get(query, query), *arguments, **options)

    async def prepare(self, query: str, **options: Any) -> Any:
        return await super().prepare(ON_CITUS.get(query, query), **options)


# A statement of one row keeps its plan, and finds its shard when it runs. One over several shards is planned each time,
# since Citus has no plan for all of its values. Hiding shards from catalogues made the driver's first look at types take
# 1.5 s in each session, longer than a shared statement may take.
CITUS = Dialect(
    CitusSession,
    {"plan_cache_mode": "auto", "enable_seqscan": "off", "citus.override_table_visibility": "off"},
)
