"""Reading a series costs a walk along one machine's part of the index, as the service's own sessions plan it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import pytest

from app.aemp.address.paging import PAGE_SIZE
from app.aemp.model.series import FAULTS, LOCATIONS, OPERATING_HOURS, SWITCHES, Series
from app.oauth.token_string import new_id
from app.storage.fleet.series import SELECT_REPORTED, page_statement
from app.storage.fleet.view import FleetView, SeenFleet, in_view, walking
from app.storage.postgres.database import BY_KEY, Database, Dialect, open_database
from tests.conftest import make_database
from tests.support.plans import nodes_of, plan_of

MACHINES, DAYS, STEP = 4, 21, timedelta(minutes=5)

FILL_EQUIPMENT = """
WITH owner AS (INSERT INTO customer (id, name) VALUES ($1, 'Large') RETURNING id)
SELECT id FROM owner
"""
FILL_FLEET = """
WITH numbered AS (INSERT INTO fleet (customer_id, machine_count) VALUES ($1, $2) RETURNING number), made AS (
    INSERT INTO equipment (customer_id, position, joined, pin) SELECT $1, n, n, 'PIN' || n FROM generate_series(1, $2) AS n
    RETURNING key, pin
), named AS (
    INSERT INTO equipment_identifier (customer_id, value, kind, equipment_key) SELECT $1, pin, 1, key FROM made
), known AS (
    INSERT INTO equipment_latest (equipment_key, customer_id) SELECT key, $1 FROM made
)
INSERT INTO equipment_ownership (equipment_key, customer_id, during) SELECT key, $1, '(,)' FROM made
"""
FILL_READINGS = """
INSERT INTO reading (at, value, equipment_key, fleet_number, metric)
SELECT at, 1, e.key, f.number, metric
FROM generate_series($1::timestamptz, $2::timestamptz, '5 minutes') AS at, equipment e, fleet f, generate_series(1, 2) AS metric
ORDER BY at
"""
FILL_POSITIONS = """
INSERT INTO position (at, latitude, longitude, equipment_key, fleet_number)
SELECT at, 1, 2, e.key, f.number
FROM generate_series($1::timestamptz, $2::timestamptz, '5 minutes') AS at, equipment e, fleet f ORDER BY at
"""


SESSIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "Citus": {"dialect": Dialect(asyncpg.Connection, {"plan_cache_mode": "auto", **BY_KEY})},
    "pooled": {"pooled": True},
}


@pytest.fixture(scope="module", params=SESSIONS)
async def large(
    request: pytest.FixtureRequest, filled: tuple[str, UUID, datetime]
) -> AsyncIterator[tuple[Database, UUID, datetime]]:
    """The service's connections to those rows, as it has them: alone, as on Citus, and behind a pooler."""
    url, customer_id, since_at = filled
    database = await open_database(url, connections=1, **SESSIONS[request.param])
    yield database, customer_id, since_at
    await database.close()


@pytest.fixture(scope="module", params=["ANALYZE", "VACUUM ANALYZE"])
async def filled(
    request: pytest.FixtureRequest, servers: tuple[str, str], worker: int
) -> tuple[str, UUID, datetime]:
    """A database with 75,000 rows of three weeks, whose they are, and since when.

    Before a vacuum PostgreSQL looks at the rows of a walk, and takes to fetch them all and sort them for cheaper where a
    page that is read out of order costs more.
    """
    url = await make_database(servers[0], f"series_{request.param[0]}_{worker}".lower())
    owner = await asyncpg.connect(url)
    customer_id = new_id()
    until_at = datetime.now(UTC)
    since_at = until_at - timedelta(days=DAYS) + STEP
    await owner.execute(FILL_EQUIPMENT, customer_id)
    async with owner.transaction():
        await owner.execute("SET LOCAL ROLE rovitracker_ingest")
        await owner.execute(FILL_FLEET, customer_id, MACHINES)
        weeks = [since_at + timedelta(days=day) for day in range(DAYS)]
        await owner.fetch("SELECT create_partitions_of($1)", weeks)
        for statement in (FILL_READINGS, FILL_POSITIONS):
            await owner.execute(statement, since_at, until_at)
    await owner.execute(request.param)
    await owner.close()
    return url, customer_id, since_at


Large: TypeAlias = tuple[Database, UUID, datetime]


async def nodes_run(large: Large, statement: str, *arguments: object) -> list[dict[str, Any]]:
    """The nodes that ran of the plan made once for all."""
    database, customer_id, _ = large
    asked = (customer_id, *arguments)
    literals = ["NULL" if each is None else f"'{each}'" for each in (*asked, customer_id, "all", "-infinity")]
    async with walking(database) as transaction:
        plan = await plan_of(transaction, in_view(statement, len(asked)), *literals)
    assert plan["Actual Rows"] >= 1
    return [node for node in nodes_of(plan) if node["Actual Loops"]]


async def page_run(
    large: Large,
    series: Series,
    *kind: object,
    page: int = 1,
    by_make: bool = False,
    counted: bool = False,
    days: int = DAYS,
) -> list[dict[str, Any]]:
    """Run a page of the first days. kind: of the rows of the series. by_make: by the empty make and model, too."""
    since_at = large[2]
    within = (since_at, since_at + timedelta(days=days))
    named = ("PIN1", "{1,2,3}", *(("", "") if by_make else (None, None)))
    statement = page_statement(series, by_make=by_make, counted=counted)
    return await nodes_run(large, statement, *named, *within, (page - 1) * PAGE_SIZE, *kind)


def rows_read(nodes: list[dict[str, Any]], table: str) -> float:
    """Rows read of a table's partitions, with those thrown away."""
    read = [node for node in nodes if node.get("Relation Name", "").startswith(f"{table}_")]
    assert all(node["Node Type"] in ("Index Scan", "Index Only Scan") for node in read)
    return sum(
        float((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
        for node in read
    )


def steps_of(nodes: list[dict[str, Any]]) -> set[str]:
    return {node["Node Type"] for node in nodes if node["Actual Rows"] > 1}


@pytest.mark.parametrize("by_make", [False, True])
@pytest.mark.parametrize("page", [1, 3])
async def test_a_page_reads_up_to_its_own_end_in_the_order_of_the_index(
    page: int, large: Large, *, by_make: bool
) -> None:
    nodes = await page_run(large, OPERATING_HOURS, 2, page=page, by_make=by_make)
    assert "Sort" not in steps_of(nodes)
    assert page * PAGE_SIZE - PAGE_SIZE < rows_read(nodes, "reading") <= page * PAGE_SIZE


async def test_only_the_weeks_of_the_range_are_read(large: Large) -> None:
    nodes = await page_run(large, OPERATING_HOURS, 2, counted=True, days=1)
    read = {node["Relation Name"] for node in nodes if node.get("Relation Name", "").startswith("reading_")}
    assert 1 <= len(read) <= 2
    assert rows_read(nodes, "reading") == 289 + PAGE_SIZE


async def test_positions_are_read_like_readings(large: Large) -> None:
    nodes = await page_run(large, LOCATIONS, page=2)
    assert PAGE_SIZE < rows_read(nodes, "position") <= 2 * PAGE_SIZE
    assert "Sort" not in steps_of(nodes)


@pytest.mark.parametrize(("series", "kind"), [(SWITCHES, "{1,2}"), (FAULTS, 1)])
async def test_what_has_to_be_sorted_is_found_by_the_index(
    series: Series, kind: object, large: Large
) -> None:
    nodes = await page_run(large, series, kind)
    assert rows_read(nodes, "reading") == (2 * 288 * DAYS if series is SWITCHES else 0)


async def test_periods_of_ownership_are_looked_up_once_a_page(large: Large) -> None:
    """And once more for its count, however many readings are compared with them."""
    nodes = await page_run(large, OPERATING_HOURS, 2, counted=True)
    owned = [node for node in nodes if node.get("Relation Name") == "equipment_ownership"]
    assert [node["Actual Loops"] for node in owned] == [1, 1]


async def test_whether_a_series_has_readings_is_asked_of_one_row_each(large: Large) -> None:
    within = (large[2], large[2] + timedelta(days=DAYS))
    nodes = await nodes_run(large, SELECT_REPORTED, 1, *within, "{1,2,3,4}", "{1,2}")
    assert rows_read(nodes, "reading") <= 4
    assert rows_read(nodes, "position") <= 1


async def test_each_session_walks_and_a_poolers_is_left_as_it_was(large: Large) -> None:
    database, customer_id, _ = large
    cost = "SELECT current_setting('random_page_cost') AS cost"
    [row] = await SeenFleet(database, FleetView(customer_id)).walk(cost)
    assert row["cost"] == "1"
    [row] = await database.rows(cost)
    assert row["cost"] == ("4" if database.is_pooled else "1")
