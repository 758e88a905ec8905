"""Dropping partitions: only what is past in every row, whatever a killed run left undone, never against a reader."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from app.storage.fleet.history import select_kept
from app.storage.postgres.database import open_database
from app.storage.schema import partitions
from app.storage.schema.partitions import DroppedPartitions, drop_past_partitions
from bench.ground.database import drop_database
from tests.conftest import make_database

NOTHING = DroppedPartitions((), ())
LONG_AGO = datetime(2024, 5, 1, tzinfo=UTC)


@pytest.fixture
async def url(servers: tuple[str, str]) -> AsyncIterator[str]:
    """A migrated database of this test's own."""
    name = f"partitions_{uuid4().hex[:12]}"
    yield await make_database(servers[0], name)
    await drop_database(servers[0], name)


@pytest.fixture
async def owner(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


async def add_partition(owner: Any, *, expires_at: datetime | None = None) -> str:
    """The first of May 2024 of strict_token, with one token where its end is given."""
    await owner.execute(
        "CREATE TABLE strict_token_20240501 PARTITION OF strict_token "
        "FOR VALUES FROM (uuid_at('2024-05-01Z')) TO (uuid_at('2024-05-02Z'))"
    )
    if expires_at is not None:
        await owner.execute(
            "INSERT INTO strict_token (id, bucket, digest, application_id, scope, approved_at, issued_at, expires_at) "
            "VALUES (uuid_at('2024-05-01 12:00Z'), 0, sha256('x'), gen_random_uuid(), 'aemp:read', $1, $1, $2)",
            LONG_AGO,
            expires_at,
        )
    return "strict_token_20240501"


async def exists(owner: Any, table: str) -> bool:
    return bool(await owner.fetchval("SELECT to_regclass($1) IS NOT NULL", table))


async def test_partitions_lie_ahead_and_are_made_once(owner: Any) -> None:
    assert await owner.fetchval("SELECT create_partitions()") == 0
    for table, step, ahead in (
        ("strict_token", "day", 7),
        ("refresh_token", "month", 2),
        ("audit_event", "month", 2),
        ("reading", "week", 2),
        ("position", "week", 2),
        ("fault", "week", 2),
    ):
        partitions = await owner.fetchval(
            "SELECT count(*) FROM pg_inherits WHERE inhparent = $1::regclass", table
        )
        assert partitions == ahead + 2, f"{table} by {step}"


async def test_late_weeks_are_made_within_what_is_kept(owner: Any) -> None:
    now = datetime.now(UTC)
    kept, not_kept = [now - timedelta(days=days) for days in (100, 200, 399)], now - timedelta(days=500)
    await owner.execute("SET ROLE rovitracker_ingest")
    asked = [*kept, not_kept, now + timedelta(days=30)]
    assert [await owner.fetchval("SELECT create_partitions_of($1)", asked) for _ in range(2)] == [9, 0]
    insert = "INSERT INTO reading (at, value, equipment_key, fleet_number, metric) VALUES ($1, 1, 1, 1, 1)"
    await owner.executemany(insert, [(at,) for at in kept])
    with pytest.raises(asyncpg.CheckViolationError, match="no partition"):
        await owner.execute(insert, not_kept)


async def test_history_takes_what_each_of_its_tables_keeps(url: str, owner: Any) -> None:
    """One batch goes into all of them: what one no longer keeps would find no partition there."""
    await owner.execute("UPDATE retention SET keep = '100 days' WHERE name = 'position'")
    database = await open_database(url, connections=1)
    kept = await select_kept(database)
    await database.close()
    assert timedelta(days=99) < datetime.now(UTC) - kept.from_at < timedelta(days=101)
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute("UPDATE retention SET keep = NULL WHERE name = 'reading'")


async def test_a_partition_that_is_past_is_dropped_and_no_other(url: str, owner: Any) -> None:
    before = await owner.fetchval("SELECT count(*) FROM pg_inherits")
    table = await add_partition(owner, expires_at=LONG_AGO + timedelta(hours=13))
    assert await drop_past_partitions(url) == DroppedPartitions((table,), ())
    assert not await exists(owner, table)
    assert await owner.fetchval("SELECT count(*) FROM pg_inherits") == before
    assert await drop_past_partitions(url) == NOTHING


async def test_one_row_that_is_not_past_keeps_its_partition(url: str, owner: Any) -> None:
    """R-108: tokens may once have been issued for longer than the settings say now."""
    table = await add_partition(owner, expires_at=datetime.now(UTC) - timedelta(hours=1))
    assert await drop_past_partitions(url) == NOTHING
    assert await owner.fetchval("SELECT count(*) FROM strict_token") == 1
    await owner.execute("UPDATE retention SET keep = '10 minutes' WHERE name = 'strict_token'")
    assert (await drop_past_partitions(url)).dropped == (table,)


async def test_an_interrupted_detach_is_finished(url: str, owner: Any) -> None:
    """A detach that is killed while it waits for a reader stays pending, and nothing else may be detached until it ends."""
    table = await add_partition(owner)
    reader = await asyncpg.connect(url)
    await reader.execute("BEGIN; SELECT FROM strict_token")
    await owner.execute("SET lock_timeout = '50ms'")
    with pytest.raises(asyncpg.LockNotAvailableError):
        await owner.execute(f"ALTER TABLE strict_token DETACH PARTITION {table} CONCURRENTLY")
    assert await owner.fetchval(
        "SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = $1::regclass", table
    )
    await reader.close()
    assert (await drop_past_partitions(url)).dropped == (table,)
    assert not await exists(owner, table)


async def test_a_detached_partition_that_was_not_dropped_is_found_by_its_name(url: str, owner: Any) -> None:
    table = await add_partition(owner)
    await owner.execute(f"ALTER TABLE strict_token DETACH PARTITION {table}")
    assert (await drop_past_partitions(url)).dropped == (table,)


async def test_a_partition_in_use_is_left_for_the_next_run(url: str, owner: Any) -> None:
    """Dropping never queues in front of readers for longer than its lock time-out."""
    table = await add_partition(owner)
    reader = await asyncpg.connect(url)
    await reader.execute("BEGIN; SELECT FROM strict_token")
    assert await drop_past_partitions(url, lock_timeout_ms=50) == DroppedPartitions((), (table,))
    assert await owner.fetchval("SELECT count(*) FROM strict_token") == 0
    await reader.close()
    assert (await drop_past_partitions(url)).dropped == (table,)


async def test_a_login_that_owns_nothing_leaves_partitions_and_names_them(url: str, owner: Any) -> None:
    """The service's own login runs the upkeep too, and goes on to what it may do."""
    table = await add_partition(owner, expires_at=LONG_AGO)
    login = f"login_{uuid4().hex[:12]}"
    await owner.execute(f"CREATE ROLE {login} LOGIN PASSWORD 'x' IN ROLE rovitracker_service")
    address = urlsplit(url)
    own_url = address._replace(netloc=f"{login}:x@").geturl()
    assert await drop_past_partitions(own_url) == DroppedPartitions((), (table,))
    assert await exists(owner, table)
    await owner.execute(f"DROP ROLE {login}")
    assert (await drop_past_partitions(url)).dropped == (table,)


async def test_of_two_runs_at_once_one_does_the_work(url: str, owner: Any) -> None:
    await add_partition(owner)
    await owner.execute("SELECT pg_advisory_lock($1)", partitions._LOCK)
    assert await drop_past_partitions(url) == NOTHING


async def test_a_week_of_readings_goes_when_its_last_moment_is_past(url: str, owner: Any) -> None:
    kept, past = await owner.fetchrow(
        "SELECT week, week - interval '2 weeks' "
        "FROM (SELECT date_trunc('week', now() - keep, 'UTC') AS week FROM retention WHERE name = 'reading') AS kept"
    )
    for week in (kept, past):
        await owner.execute(
            f"CREATE TABLE reading_{week:%Y%m%d} PARTITION OF reading "
            f"FOR VALUES FROM ('{week}') TO ('{week + timedelta(weeks=1)}')"
        )
    await owner.execute(
        f"INSERT INTO reading_{past:%Y%m%d} VALUES ($1, 1, 1, 1, 1)", past + timedelta(days=6)
    )
    assert await drop_past_partitions(url) == DroppedPartitions((f"reading_{past:%Y%m%d}",), ())


async def test_every_table_partitioned_by_id_says_when_its_rows_are_past(owner: Any) -> None:
    kept = await owner.fetch(
        "SELECT name FROM retention WHERE kind = 'partitions' AND partition_step <> 'week'"
    )
    assert {row["name"] for row in kept} == partitions._PAST_AT.keys()
