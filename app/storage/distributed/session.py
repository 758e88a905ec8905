"""Sessions with the coordinator of Citus: each sends what Citus takes, in place of what plain PostgreSQL takes."""

from typing import Any

import asyncpg

from app.storage.distributed.statements import ON_CITUS
from app.storage.postgres.database import BY_KEY, Dialect

_INTERNAL = "XX000"


class CitusSession(asyncpg.Connection):  # type: ignore[misc]  # the driver has no types
    """A driver's connection, which knows the statements of the token path."""

    async def execute(self, query: str, *arguments: Any, **options: Any) -> Any:
        try:
            return await super().execute(ON_CITUS.get(query, query), *arguments, **options)
        except asyncpg.InternalServerError as error:
            raise _judged(error) from error

    async def fetch(self, query: str, *arguments: Any, **options: Any) -> Any:
        try:
            return await super().fetch(ON_CITUS.get(query, query), *arguments, **options)
        except asyncpg.InternalServerError as error:
            raise _judged(error) from error

    async def fetchrow(self, query: str, *arguments: Any, **options: Any) -> Any:
        try:
            return await super().fetchrow(ON_CITUS.get(query, query), *arguments, **options)
        except asyncpg.InternalServerError as error:
            raise _judged(error) from error

    async def prepare(self, query: str, **options: Any) -> Any:
        return await super().prepare(ON_CITUS.get(query, query), **options)


def _judged(error: asyncpg.InternalServerError) -> Exception:
    """Tell the loss of a node, for which Citus has no SQLSTATE of its own, as what it is: nobody knows the outcome.

    It says so when a worker is lost at a commit, and when the coordinator's first process is gone before the others.
    """
    return ConnectionError(str(error)) if error.sqlstate == _INTERNAL else error


# A statement of one row keeps its plan, and finds its shard when it runs. One over several shards is planned each time,
# since Citus has no plan for all of its values. Hiding shards from catalogues made the driver's first look at types take
# 1.5 s in each session, longer than a shared statement may take.
CITUS = Dialect(
    CitusSession,
    {"plan_cache_mode": "auto", "citus.override_table_visibility": "off", **BY_KEY},
)
