"""Migrations: once each, by one of several starters, resumable after a kill, and never changed afterwards."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest

from app.storage.errors import StoreUnavailableError
from app.storage.postgres.database import Transaction
from app.storage.schema.migrations import (
    DevelopmentSchemaError,
    Migration,
    MigrationError,
    apply_migrations,
    read_migrations,
    read_status,
    rights_of,
)
from app.storage.schema.rights import select_missing_rights
from tests.support.changing import as_owner
from tests.support.development_ledger import write_development_ledger

ALL = read_migrations()


@pytest.fixture
async def empty(servers: tuple[str, str]) -> AsyncIterator[str]:
    """An empty database of this test's own."""
    async for url in databases(servers[0], 1):
        yield url[0]


async def databases(owner_url: str, count: int) -> AsyncIterator[list[str]]:
    names = [f"migrate_{uuid4().hex[:12]}" for _ in range(count)]
    for name in names:
        await as_owner(owner_url, f"CREATE DATABASE {name}")
    yield [urlunsplit(urlsplit(owner_url)._replace(path=f"/{name}")) for name in names]
    for name in names:  # ends an autovacuum worker there; FORCE would need its rights
        await as_owner(owner_url, f"DROP DATABASE {name}")


async def test_two_databases_of_one_cluster_migrate_at_once(servers: tuple[str, str]) -> None:
    """Roles belong to the cluster, the lock to a database."""
    async for urls in databases(servers[0], 4):
        applied = await asyncio.gather(*(apply_migrations(url, ALL) for url in urls))
        assert applied == [len(ALL)] * 4


async def test_of_starters_at_once_one_applies_each(empty: str) -> None:
    """R-105."""
    applied = await asyncio.gather(*(apply_migrations(empty, ALL) for _ in range(4)))
    assert sorted(applied) == [0, 0, 0, len(ALL)]
    assert await apply_migrations(empty, ALL) == 0


async def test_a_killed_migrator_is_taken_up_where_it_was(empty: str) -> None:
    """R-105: killed with the third migration unfinished; two stand, the rest follows."""
    script = (
        "import asyncio, sys\n"
        "from app.storage.schema.migrations import Migration, apply_migrations, read_migrations\n"
        "first, second, third, *_ = read_migrations()\n"
        "slow = Migration(3, third.name, third.sql + '; SELECT pg_sleep(60)')\n"
        "asyncio.run(apply_migrations(sys.argv[1], (first, second, slow), lambda m: print(m.number, flush=True)))\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, empty, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert [await process.stdout.readline() for _ in range(2)] == [b"1\n", b"2\n"]
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    assert [state.applied_at is not None for state in await read_status(empty, ALL)][:3] == [
        True,
        True,
        False,
    ]
    # The dead session's backend notices at its next write; until then it holds the lock, and we wait for it.
    await as_owner(
        empty,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
    )
    assert await apply_migrations(empty, ALL) == len(ALL) - 2


async def test_a_right_that_was_taken_away_is_granted_again(empty: str) -> None:
    """A dump without rights, or a hand that slipped: as many rights as there were, and `migrate up` is enough."""
    await apply_migrations(empty, ALL)
    rights = rights_of(ALL)
    owner = await asyncpg.connect(empty)
    assert await select_missing_rights(Transaction(owner), rights) == ()
    await owner.execute(
        "REVOKE INSERT ON classic_token FROM rovitracker_service; REVOKE UPDATE (status) ON application FROM rovitracker_service;"
        "REVOKE EXECUTE ON FUNCTION create_partitions() FROM rovitracker_service"
    )
    missing = [str(right) for right in await select_missing_rights(Transaction(owner), rights)]
    assert missing == [
        "rovitracker_service lacks UPDATE of status on application",
        "rovitracker_service lacks INSERT on classic_token",
        "rovitracker_service lacks EXECUTE on create_partitions()",
    ]
    assert await apply_migrations(empty, ALL) == 0
    assert await select_missing_rights(Transaction(owner), rights) == ()
    await owner.close()


def test_every_grant_of_the_migrations_is_read() -> None:
    """And none is taken away again, or it would be granted anew."""
    lines = [line for each in ALL for line in each.sql.splitlines()]
    statements = {right.statement for right in rights_of(ALL)}
    assert len(statements) == sum(line.startswith("GRANT ") for line in lines)
    assert not [line for line in lines if "REVOKE" in line and "FROM rovitracker" in line]


@pytest.mark.parametrize(
    ("made", "changed", "said"),
    [
        (
            "ENCODING 'SQL_ASCII' LOCALE 'C' LOCALE_PROVIDER 'libc' TEMPLATE template0",
            "",
            "encoding SQL_ASCII",
        ),
        ("", "SET search_path = elsewhere, public", "leads to the schema elsewhere and not to public"),
    ],
)
async def test_a_database_that_cannot_hold_the_schema_is_refused_unchanged(
    made: str, changed: str, said: str, servers: tuple[str, str], worker: int
) -> None:
    name = f"unfit_{worker}"
    url = urlsplit(servers[0])._replace(path=f"/{name}").geturl()
    await as_owner(servers[0], f"DROP DATABASE IF EXISTS {name}")
    await as_owner(servers[0], f"CREATE DATABASE {name} {made}")
    if changed:
        await as_owner(url, "CREATE SCHEMA elsewhere")
        await as_owner(servers[0], f"ALTER DATABASE {name} {changed}")
    for refused in (apply_migrations(url, ALL), read_status(url, ALL)):
        with pytest.raises(MigrationError, match=said):
            await refused
    owner = await asyncpg.connect(url)
    assert await owner.fetchval("SELECT count(*) FROM pg_tables WHERE tablename = 'schema_migration'") == 0
    await owner.close()


async def test_a_failing_migration_leaves_nothing_of_itself(empty: str) -> None:
    broken = Migration(len(ALL) + 1, "broken", "CREATE TABLE half (id int); SELECT 1 / 0")
    with pytest.raises(MigrationError, match="broken failed and was rolled back: 22012"):
        await apply_migrations(empty, (*ALL, broken))
    owner = await asyncpg.connect(empty)
    assert await owner.fetchval("SELECT to_regclass('half')") is None
    await owner.close()
    assert await apply_migrations(empty, ALL) == 0


async def test_a_changed_file_and_a_newer_database_are_refused(empty: str) -> None:
    await apply_migrations(empty, ALL)
    changed = (replace(ALL[0], sql=ALL[0].sql + "-- changed"), *ALL[1:])
    with pytest.raises(MigrationError, match="was changed after it had been applied"):
        await apply_migrations(empty, changed)
    with pytest.raises(MigrationError, match="newer than this version"):
        await read_status(empty, ALL[:-1])


@pytest.mark.parametrize("applied", [12, 8, 3])
async def test_a_development_versions_database_is_told_from_a_newer_and_from_a_changed_one(
    applied: int, empty: str
) -> None:
    await write_development_ledger(empty, applied)
    for judged in (apply_migrations(empty, ALL), read_status(empty, ALL)):
        with pytest.raises(
            DevelopmentSchemaError, match="with 0003_grants_and_tokens in place of 0003_tokens"
        ):
            await judged


async def test_a_development_version_killed_at_its_first_files_is_told_to_start_anew(empty: str) -> None:
    """These files have kept their names, so only their digests differ."""
    await write_development_ledger(empty, 2)
    with pytest.raises(MigrationError, match="or make a development database anew"):
        await apply_migrations(empty, ALL)


async def test_an_unreachable_server_is_named_without_its_password() -> None:
    with pytest.raises(StoreUnavailableError) as unreachable:
        await apply_migrations("postgresql://owner:hidden@127.0.0.1:1/rovi", ALL)
    assert "hidden" not in str(unreachable.value)


def test_files_are_numbered_without_a_gap() -> None:
    assert [migration.number for migration in ALL] == list(range(1, len(ALL) + 1))
