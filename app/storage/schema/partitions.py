"""Partitions whose every row is past: detached without stopping anybody, then dropped, on the owner's connection."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg

from app.storage.postgres.database import outcomes
from app.storage.schema.owner import owner_connection

# Any number will do as long as every version of this service takes the same one.
_LOCK = 7_684_868_402
_LOCK_TIMEOUT_MS = 2000

# The column that tells when a row is past, for each table partitioned by id; a test holds that the retention table
# names no other. A partition of a week is past with the last moment it may hold.
_PAST_AT = {"strict_token": "expires_at", "refresh_token": "absolute_expires_at", "audit_event": "at"}

# It finds partitions that are attached or being detached, and those that an earlier run detached and did not get to
# drop, which are known by their names alone.
SELECT_PARTITIONS = r"""
SELECT r.name AS parent, r.partition_step AS step, c.oid::regclass::text AS child, coalesce(i.inhdetachpending, false) AS pending,
       i.inhrelid IS NOT NULL AS attached, r.keep, pg_has_role(c.relowner, 'USAGE') AS owned
FROM retention r
JOIN pg_class c ON c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
     AND c.relname ~ ('^' || r.name || CASE r.partition_step WHEN 'month' THEN '_\d{6}$' ELSE '_\d{8}$' END)
LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
WHERE r.kind = 'partitions' AND r.keep IS NOT NULL
  -- Twice the step beyond the time the name begins with, since create_partitions() always keeps one step back.
  AND to_timestamp(substring(c.relname FROM '\d+$'), CASE r.partition_step WHEN 'month' THEN 'YYYYMM' ELSE 'YYYYMMDD' END)
      + ('2 ' || r.partition_step)::interval + r.keep < clock_timestamp()
ORDER BY child
"""


@dataclass(frozen=True, slots=True)
class DroppedPartitions:
    """Names of partitions. postponed: in use, or of an owner whose login this is not; another run will drop them."""

    dropped: tuple[str, ...]
    postponed: tuple[str, ...]


async def drop_past_partitions(
    owner_url: str, *, lock_timeout_ms: int = _LOCK_TIMEOUT_MS
) -> DroppedPartitions:
    """Drop past partitions, unless another run holds the lock and is doing so.

    lock_timeout_ms: how long it may stand in front of those who read a table.
    """
    async with owner_connection(owner_url) as connection:
        with outcomes:
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
                return DroppedPartitions((), ())
            await connection.execute("SET timezone = 'UTC'")
            await connection.execute(f"SET lock_timeout = {lock_timeout_ms}")
            partitions = await connection.fetch(SELECT_PARTITIONS)
            past = [each for each in partitions if not each["owned"] or await _is_past(connection, each)]
            spread = await _spread(connection)
            done = {
                each["child"]: each["owned"]
                and await _drop(connection, each, concurrently=each["parent"] not in spread)
                for each in past
            }
    return DroppedPartitions(
        dropped=tuple(child for child, dropped in done.items() if dropped),
        postponed=tuple(child for child, dropped in done.items() if not dropped),
    )


async def _is_past(connection: Any, partition: Any) -> bool:
    """Lifetimes may have been longer once than they are set now, so the rows themselves are asked."""
    if partition["step"] == "week":
        return True
    living = await connection.fetchval(
        f"SELECT EXISTS (SELECT 1 FROM {partition['child']} "
        f"WHERE {_PAST_AT[partition['parent']]} > clock_timestamp() - $1::interval)",
        partition["keep"],
    )
    return not living


async def _spread(connection: Any) -> set[str]:
    """Tables that Citus spreads over its nodes, where no partition can be detached concurrently."""
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')"):
        return set()
    rows = await connection.fetch("SELECT logicalrelid::regclass::text AS name FROM pg_dist_partition")
    return {row["name"] for row in rows}


async def _drop(connection: Any, partition: Any, *, concurrently: bool) -> bool:
    """Drop one partition; False when somebody uses it and goes on using it."""
    try:
        for statement in _statements(partition, concurrently=concurrently):
            await connection.execute(statement)
    except asyncpg.LockNotAvailableError:
        return False
    return True


def _statements(partition: Any, *, concurrently: bool) -> Iterator[str]:
    """The statements left to run. CONCURRENTLY allows no transaction, so a killed run may leave any of these behind."""
    detach = f"ALTER TABLE {partition['parent']} DETACH PARTITION {partition['child']}"
    if partition["pending"]:
        yield f"{detach} FINALIZE"
    elif partition["attached"]:
        yield f"{detach} CONCURRENTLY" if concurrently else detach
    yield f"DROP TABLE {partition['child']}"
