"""The statements of the token path take the right index, on tables so large that the planner has to choose."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from app.oauth.token_string import new_id
from app.storage.token.connection_lists import SELECT_CONNECTIONS, SELECT_LISTED_CONNECTION
from app.storage.token.grants import SELECT_GRANTS
from app.storage.token.legacy_tokens import SELECT_LEGACY_TOKENS
from app.storage.token.reads import SELECT_READS_BY_DAY
from app.storage.token.refresh_tokens import INSERT_SUCCESSORS, SELECT_REFRESH_TOKENS, Rotation
from app.storage.token.tokens import SELECT_CLASSIC_TOKENS
from tests.conftest import make_database

FILL = """
WITH owner AS (INSERT INTO customer (id, name) VALUES ($1, 'Large')), client AS (
    INSERT INTO application (id, kind, public, name, company, status, grants, scope, redirect_uris)
    VALUES ($1, 'classic', false, 'Large', 'Large', 'active', '{}', 'aemp:read', '{}')
), connected AS (
    INSERT INTO connection (customer_id, application_id, approved_at, route) VALUES ($1, $1, now() - interval '1 day', 'code')
), numbered AS (
    SELECT number, uuidv7(number * interval '1 s') AS id, uuidv7(number * interval '1 s') AS grant_id FROM generate_series(1, 5000) AS number
), granted AS (
    INSERT INTO authorization_grant (id, bucket, application_id, customer_id, first_token_id, scope, approved_at)
    SELECT grant_id, bucket_of(grant_id), $1, $1, id, 'aemp:read', now() FROM numbered
), imported AS (
    INSERT INTO legacy_token (id, bucket, digest, application_id, customer_id, scope, approved_at)
    SELECT id, bucket_of(id), sha256(number::text::bytea), $1, id, 'aemp:read', now() FROM numbered
)
INSERT INTO classic_token (id, bucket, digest, grant_id, application_id, customer_id, scope, approved_at,
                           issued_at, used_at, expires_at, absolute_expires_at)
SELECT id, bucket_of(id), sha256(number::text::bytea), grant_id, $1, $1, 'aemp:read', now(), now(), now(),
       now() + number * interval '1 hour', now() + interval '3 years' FROM numbered
"""
# A family that was refreshed 5,000 times, of a grant of its own.
FILL_FAMILY = """
WITH begun AS (SELECT uuidv7() AS grant_id), granted AS (
    INSERT INTO authorization_grant (id, bucket, application_id, customer_id, first_token_id, scope, approved_at, expires_at)
    SELECT grant_id, bucket_of(grant_id), $1, $1, grant_id, 'aemp:read', now(), now() + interval '1 year' FROM begun
), numbered AS (
    SELECT number, uuidv7(number * interval '1 ms') AS id FROM generate_series(1, 5000) AS number
)
INSERT INTO refresh_token (id, bucket, digest, grant_id, application_id, customer_id, scope, successor_id, approved_at,
                           issued_at, expires_at, absolute_expires_at)
SELECT id, bucket_of(id), sha256(number::text::bytea), grant_id, $1, $1, 'aemp:read',
       CASE WHEN number < 5000 THEN id END, now(), now(), now() + interval '30 days', now() + interval '1 year'
FROM numbered, begun
"""

MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
async def large(servers: tuple[str, str], worker: int) -> AsyncIterator[tuple[asyncpg.Connection, UUID]]:
    """The owner's connection to a database of 5,000 tokens of one customer."""
    owner = await asyncpg.connect(await make_database(servers[0], f"large_{worker}"))
    customer_id = new_id()
    try:
        await owner.execute(FILL, customer_id)
        await owner.execute(FILL_FAMILY, customer_id)
        await owner.execute("ANALYZE")
        yield owner, customer_id
    finally:
        await owner.close()


async def plan_of(owner: asyncpg.Connection, statement: str, *arguments: object) -> str:
    rows = await owner.fetch(f"EXPLAIN (COSTS OFF) {statement}", *arguments)
    return "\n".join(row[0] for row in rows)


async def test_token_look_ups_take_the_primary_key(large: tuple[asyncpg.Connection, UUID]) -> None:
    owner, _ = large
    ids = [row["id"] for row in await owner.fetch("SELECT id FROM classic_token LIMIT 3")]
    plan = await plan_of(owner, SELECT_CLASSIC_TOKENS, ids, "none")
    assert "using classic_token_pkey" in plan
    assert "using authorization_grant_pkey" in plan
    assert "Seq Scan on classic_token" not in plan
    assert "using authorization_grant_pkey" in await plan_of(owner, SELECT_GRANTS, ids)
    imported = [row["id"] for row in await owner.fetch("SELECT id FROM legacy_token LIMIT 3")]
    plan = await plan_of(owner, SELECT_LEGACY_TOKENS, imported, "none", None)
    assert "using legacy_token_pkey" in plan
    assert "Seq Scan on legacy_token" not in plan


async def test_refresh_look_ups_take_the_primary_key(large: tuple[asyncpg.Connection, UUID]) -> None:
    """The spent row is found, and spent, by its id in the partition of its month alone."""
    owner, _ = large
    rows = await owner.fetch("SELECT id, tableoid::regclass::text AS filled FROM refresh_token LIMIT 3")
    ids, filled = [row["id"] for row in rows], rows[0]["filled"]
    digest = bytes(32)
    rotations = [Rotation(each, digest, each, each, digest, each, digest, None, None) for each in ids]
    lives = timedelta(hours=1), timedelta(days=30)
    plan = await plan_of(owner, INSERT_SUCCESSORS, rotations, "none", *lives)
    assert plan.count(f"using {filled}_pkey") == 2  # to lock it, and to spend it
    assert f"Seq Scan on {filled}" not in plan
    assert f"using {filled}_pkey" in await plan_of(owner, SELECT_REFRESH_TOKENS, ids, "none")


async def test_connections_are_found_without_reading_spent_tokens(
    large: tuple[asyncpg.Connection, UUID],
) -> None:
    """However often a family was refreshed: its newest unspent token is at the end that is read first."""
    owner, customer_id = large
    explain = f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {SELECT_CONNECTIONS}"
    rows = await owner.fetch(explain, customer_id, datetime(2099, 1, 1, tzinfo=UTC), MINUTE)
    plan = "\n".join(row[0] for row in rows)
    assert "using authorization_grant_customer_id_idx" in plan
    assert "legacy_token_customer_id_idx" in plan
    assert re.search(r"Index Scan Backward using refresh_token_\d{6}_grant_id_id_idx", plan)
    read = re.findall(r"on refresh_token_\d{6}.*?\(actual rows=([\d.]+) loops=1\)", plan)
    assert sum(map(float, read)) == 1


async def test_one_connection_is_found_without_reading_tokens_of_other_applications(
    large: tuple[asyncpg.Connection, UUID],
) -> None:
    """Each revocation asks for it, and the customer may have thousands of others."""
    owner, customer_id = large
    explain = f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {SELECT_LISTED_CONNECTION}"
    plan = "\n".join(row[0] for row in await owner.fetch(explain, customer_id, None, MINUTE, new_id()))
    assert "classic_token_customer_id_application_id_scope_idx" in plan
    read = re.findall(r"on (?:classic|refresh)_token\S* .*?\(actual rows=([\d.]+) loops=\d+\)", plan)
    assert read, plan
    assert sum(map(float, read)) == 0, plan


# An application that asked for each of 200 machines by itself, four times a day for 60 days.
FILL_READS = """
INSERT INTO connection_read (customer_id, application_id, equipment_key, day, kind, connection_version, reads, last_at)
SELECT $1, $1, machine, current_date - day, kind, 1, 4 * CASE machine WHEN 0 THEN 200 ELSE 1 END, now() - day * interval '1 day'
FROM generate_series(0, 200) AS machine, generate_series(0, 59) AS day, generate_series(2, 4) AS kind
"""


async def test_reads_of_a_connection_are_summed_up_without_those_of_its_machines(
    large: tuple[asyncpg.Connection, UUID],
) -> None:
    """It reads 93 of 36,000 rows: one a kind and day for 30 days, and those of the last day again."""
    owner, customer_id = large
    await owner.execute(FILL_READS, customer_id)
    await owner.execute("ANALYZE connection_read")
    explain = f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {SELECT_CONNECTIONS}"
    plan = "\n".join(row[0] for row in await owner.fetch(explain, customer_id, None, MINUTE))
    read = re.findall(r"on connection_read.*?\(actual rows=([\d.]+) loops=1\)", plan)
    assert sorted(map(float, read)) == [1, 3, 90], plan
    assert plan.count("using connection_read_pkey") == 4
    # Whether anything was read is asked only of a connection that has no token.
    assert len(re.findall(r"using connection_read_pkey.*never executed", plan)) == 1
    rows = await owner.fetch(SELECT_CONNECTIONS, customer_id, None, MINUTE)
    assert [row["reads_30_days"] for row in rows] == [30 * 3 * 800]
    plan = await plan_of(owner, SELECT_READS_BY_DAY, customer_id, customer_id, 7)
    assert "connection_read_pkey" in plan


async def test_retention_finds_what_is_past_without_reading_what_lives(
    large: tuple[asyncpg.Connection, UUID],
) -> None:
    """Other servers' clean-ups read every row, and were a year behind."""
    owner, _ = large
    rows = await owner.fetch("SELECT name, past_at, key_columns FROM retention WHERE past_at IS NOT NULL")
    assert len(rows) >= 11
    # PostgreSQL reads an empty table whole, and these are to show their index.
    await owner.execute("SET enable_seqscan = off")
    for row in rows:
        statement = f"SELECT {row['key_columns']} FROM {row['name']} WHERE {row['past_at']} < $1 LIMIT 1000 FOR UPDATE SKIP LOCKED"
        plan = await plan_of(owner, statement, datetime.now(UTC))
        assert "Index Cond: " in plan, row["name"]
        if row["name"] == "connection_read":
            assert "using connection_read_expr_idx" in plan
        if row["name"] == "classic_token":
            assert "Index Scan using classic_token_least_idx" in plan
    await owner.execute("RESET enable_seqscan")
