"""The questions that `doctor` asks the stores about themselves."""

from dataclasses import dataclass
from datetime import datetime

from app.storage.postgres.database import Statements
from app.storage.valkey.node import Node


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """connections: how many may be open in all; fsync: whether what is committed outlives a power cut."""

    version: str
    version_number: int
    now: datetime
    connections: int
    fsync: bool


SELECT_DATABASE_FACTS = """
SELECT current_setting('server_version') AS version,
       current_setting('server_version_num')::integer AS version_number,
       clock_timestamp() AS now,
       current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
       - coalesce(current_setting('reserved_connections', true)::integer, 0) AS connections,
       current_setting('fsync') = 'on' AS fsync
"""


async def select_database_facts(statements: Statements) -> DatabaseFacts:
    [row] = await statements.rows(SELECT_DATABASE_FACTS)
    return DatabaseFacts(**row)


@dataclass(frozen=True, slots=True)
class PartitionFacts:
    """ahead: partitions that stand from the present one on without a gap; pending: a detach was interrupted."""

    name: str
    step: str
    ahead: int
    pending: bool


SELECT_PARTITION_FACTS = """
SELECT r.name, r.partition_step AS step,
       (SELECT count(*) FROM (
           SELECT bool_and(i.inhrelid IS NOT NULL) OVER (ORDER BY n) AS unbroken
           FROM generate_series(0, 31) AS n
           LEFT JOIN pg_inherits i ON NOT i.inhdetachpending AND i.inhrelid = to_regclass(format('public.%s_%s', r.name,
               to_char(date_trunc(r.partition_step, clock_timestamp()) + n * ('1 ' || r.partition_step)::interval,
                       CASE r.partition_step WHEN 'month' THEN 'YYYYMM' ELSE 'YYYYMMDD' END)))
       ) AS steps WHERE unbroken)::integer AS ahead,
       EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = to_regclass('public.' || r.name) AND i.inhdetachpending) AS pending
FROM retention r WHERE r.kind = 'partitions' ORDER BY r.name
"""


async def select_partition_facts(statements: Statements) -> tuple[PartitionFacts, ...]:
    return tuple(PartitionFacts(**row) for row in await statements.rows(SELECT_PARTITION_FACTS))


@dataclass(frozen=True, slots=True)
class ValkeyFacts:
    """evicts: it may throw away a code to make room; persistent: a restart keeps what was written.

    replica: it follows another, and takes no writes. mode: `standalone`, `cluster` or `sentinel`. now: None of a sentinel,
    which does not tell.
    """

    version: str
    now: datetime | None
    connections: int
    evicts: bool
    persistent: bool
    replica: bool = False
    mode: str = "standalone"


async def read_valkey_facts(server: Node) -> ValkeyFacts:
    info = await server.info()
    mode = info.get("server_mode") or info.get("redis_mode") or "standalone"
    return ValkeyFacts(
        version=str(info.get("valkey_version") or info.get("redis_version")),
        now=await server.time() if mode != "sentinel" else None,
        connections=int(info.get("maxclients", 0)),
        evicts=str(info.get("maxmemory_policy")) != "noeviction",
        persistent=info.get("aof_enabled") == "1",
        replica=info.get("role") != "master",
        mode=mode,
    )
