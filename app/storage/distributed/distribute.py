"""Spread the tables of tokens over the nodes of Citus, table by table, on the owner's connection."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.refused import SetUpError
from app.storage.distributed.functions import DEFINITIONS, EDITION, HOLDER
from app.storage.distributed.placement import (
    BY_BUCKET,
    COLUMN,
    DistributionFacts,
    astray_told,
    select_distribution_facts,
)
from app.storage.postgres.database import Transaction
from app.storage.schema.migrations import LOCK, read_migrations, read_status
from app.storage.schema.owner import owner_connection
from app.storage.schema.requirements import require_owner

SHARDS, MOST_SHARDS = 32, 4096  # there are no more buckets


class DistributionError(SetUpError):
    """The schema cannot be distributed as it is; what was distributed before stands."""


@dataclass(frozen=True, slots=True)
class DistributedTable:
    """shards: how many parts it has. new: whether this run made them."""

    name: str
    shards: int
    new: bool


async def distribute_tables(
    owner_url: str, *, shards: int = SHARDS, told: Callable[[str], None] = lambda _: None
) -> tuple[DistributedTable, ...]:
    """Distribute what is not distributed yet. Each table is a transaction, so a run that was killed is taken up by the next.

    Nobody may write tokens meanwhile: a table is locked while its rows move. told: hears of each table before it begins.
    Raises DistributionError when it cannot be done, with the sentence that says why and what to run.
    """
    if any(state.applied_at is None for state in await read_status(owner_url, read_migrations())):
        raise DistributionError("migrations are pending", code="migrations_pending")
    async with owner_connection(owner_url) as connection:
        await require_owner(connection)
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        facts = await _require_citus(connection)
        await _refuse_obstacles(connection, facts)
        for name in facts.missing:
            told(name)
            await _distribute(connection, name, shards)
        await _define(connection)
        rows = await connection.fetch(_SHARDS, list(BY_BUCKET))
    count = {row["name"]: row["shards"] for row in rows}
    return tuple(DistributedTable(name, count[name], name in facts.missing) for name in BY_BUCKET)


_SHARDS = """
SELECT c.relname::text AS name, count(*) AS shards
FROM pg_dist_shard s JOIN pg_class c ON c.oid = s.logicalrelid WHERE c.relname = ANY($1::text[]) GROUP BY 1
"""


async def _require_citus(connection: Any) -> DistributionFacts:
    facts = await select_distribution_facts(Transaction(connection))
    if facts.version is None:
        known = await connection.fetchval(
            "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'citus')"
        )
        raise DistributionError(
            "the extension citus is not in this database: a superuser must run `CREATE EXTENSION citus`"
            if known
            else "this PostgreSQL has no Citus: use one whose server has the extension, and name its coordinator in the address"
        )
    if not await connection.fetchval("SELECT bool_and(groupid = 0) FROM pg_dist_local_group"):
        raise DistributionError("this is a worker of Citus: name the coordinator in the address")
    if facts.astray:
        raise DistributionError(f"{astray_told(facts)}, then this again")
    return facts


# What Citus would refuse, named before anything is moved. Triggers of the schema itself go with the distribution.
_OBSTACLES = """
SELECT format('the foreign key %s of %s', conname, conrelid::regclass) AS what,
       format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS remedy
FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 AND (conrelid::regclass::text = ANY($1) OR confrelid::regclass::text = ANY($1))
UNION ALL
SELECT format('the trigger %s of %s', tgname, tgrelid::regclass), format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass)
FROM pg_trigger WHERE NOT tgisinternal AND tgparentid = 0 AND tgrelid::regclass::text = ANY($1)
     AND NOT (tgname::text = ANY($2))
LIMIT 1
"""
TELLING = ("tell_ended", "tell_revoked", "tell_deleted")


async def _refuse_obstacles(connection: Any, facts: DistributionFacts) -> None:
    obstacle = await connection.fetchrow(_OBSTACLES, list(facts.missing), list(TELLING))
    if obstacle is not None:
        raise DistributionError(
            f"{obstacle['what']} stands in the way: run `{obstacle['remedy']}`, then this again"
        )


async def _distribute(connection: Any, name: str, shards: int) -> None:
    """Move one table's rows to its shards, and free the room that they took here.

    Its triggers go: a transaction that notified cannot be prepared, as Citus does over several nodes. The service tells
    what ends instead.
    """
    async with connection.transaction():
        for trigger in TELLING:
            await connection.execute(f"DROP TRIGGER IF EXISTS {trigger} ON {name}")
        if name == BY_BUCKET[0]:
            await connection.execute(
                "SELECT create_distributed_table($1::text::regclass, $2, colocate_with => 'none', shard_count => $3)",
                name,
                COLUMN,
                shards,
            )
        else:
            await connection.execute(
                "SELECT create_distributed_table($1::text::regclass, $2, colocate_with => $3)",
                name,
                COLUMN,
                BY_BUCKET[0],
            )
        await connection.execute(
            "SELECT truncate_local_data_after_distributing_table($1::text::regclass)", name
        )


async def _define(connection: Any) -> None:
    async with connection.transaction():
        for definition in DEFINITIONS:
            await connection.execute(definition)
        await connection.execute(f"COMMENT ON FUNCTION {HOLDER} IS '{EDITION}'")
