"""A database is made anew whoever is at work in the old one: sessions, and autovacuum too."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from bench.ground.database import connected, create_database
from tests.failover.servers import Postgres, two_postgres
from tests.support.changing import until, until_true

# It rests for 100 ms at each of its pages, so that autovacuum is still there when the database is dropped.
LONG_TO_VACUUM = """
CREATE TABLE sparse WITH (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1) AS
SELECT i, repeat('x', 1000) AS filler FROM generate_series(1, 10000) i;
DELETE FROM sparse WHERE i % 2 = 0
"""
AT_WORK = (
    "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query = 'autovacuum: VACUUM ANALYZE public.sparse')"
)


@pytest.fixture
async def vacuuming(tmp_path: Path) -> AsyncIterator[Postgres]:
    """A server that vacuums each second."""
    with two_postgres(tmp_path / "data") as (primary, standby):
        standby.stop()
        primary.stop()
        primary.start(autovacuum="on", autovacuum_naptime="1s")
        yield primary


async def test_a_database_is_made_anew_though_autovacuum_and_a_session_are_in_it(vacuuming: Postgres) -> None:
    url = await create_database(vacuuming.url, "sparse")
    async with connected(url) as filling:  # what it changed is counted when it ends
        await filling.execute(LONG_TO_VACUUM)
    session = await asyncpg.connect(url)

    async def is_vacuumed() -> bool:
        return bool(await vacuuming.tell(AT_WORK))

    await until_true(is_vacuumed)
    async with connected(vacuuming.url) as owner:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await owner.execute("DROP DATABASE sparse WITH (FORCE)")
    assert await create_database(vacuuming.url, "sparse") == url
    await until(session.is_closed)
    async with connected(url) as empty:
        assert await empty.fetchval("SELECT to_regclass('sparse')") is None
