"""Reading a series costs a walk along one machine's part of the index, as the service's own sessions plan it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from app.oauth.token_string import new_id
from app.storage.fleet.series import COUNT_READINGS, SELECT_POSITIONS, SELECT_READINGS, SELECT_REPORTED
from app.storage.fleet.view import FleetView, series_of
from app.storage.postgres.database import Database, open_database
from tests.conftest import make_database
from tests.support.plans import nodes_of, plan_of

MACHINES, DAYS, STEP = 20, 21, timedelta(minutes=30)
PER_MACHINE = DAYS * 48

FILL_EQUIPMENT = """
WITH owner AS (INSERT INTO customer (id, name) VALUES ($1, 'Large') RETURNING id)
SELECT id FROM owner
"""
FILL_FLEET = """
WITH numbered AS (INSERT INTO fleet (customer_id, machine_count) VALUES ($1, $2) RETURNING number), made AS (
    INSERT INTO equipment (customer_id, position, joined, pin) SELECT $1, n, n, 'PIN' || n FROM generate_series(1, $2) AS n
    RETURNING key
)
INSERT INTO equipment_ownership (equipment_key, customer_id, during) SELECT key, $1, '(,)' FROM made
"""
FILL_READINGS = """
INSERT INTO reading (at, value, equipment_key, fleet_number, metric)
SELECT at, 1, e.key, f.number, metric
FROM generate_series($1::timestamptz, $2::timestamptz, '30 minutes') AS at, equipment e, fleet f, generate_series(1, 3) AS metric
ORDER BY at
"""
FILL_POSITIONS = """
INSERT INTO position (at, latitude, longitude, equipment_key, fleet_number)
SELECT at, 1, 2, e.key, f.number
FROM generate_series($1::timestamptz, $2::timestamptz, '30 minutes') AS at, equipment e, fleet f ORDER BY at
"""


@pytest.fixture(scope="module")
async def large(servers: tuple[str, str], worker: int) -> AsyncIterator[tuple[Database, UUID, datetime]]:
    """The service's connections to 60,000 readings of three weeks, whose they are, and since when."""
    url = await make_database(servers[0], f"series_{worker}")
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
    await owner.execute("VACUUM ANALYZE")
    await owner.close()
    database = await open_database(url, connections=1)
    yield database, customer_id, since_at
    await database.close()


async def nodes_run(
    large: tuple[Database, UUID, datetime], statement: str, days: int, *further: str
) -> list[dict[str, Any]]:
    """The nodes that ran of the plan made once for all, over the first days. further: literals."""
    database, customer_id, since_at = large
    asked = ("1", f"'{since_at}'", f"'{since_at + timedelta(days=days)}'", f"'{customer_id}'", *further)
    async with series_of(database, FleetView(customer_id)) as transaction:
        plan = await plan_of(transaction, statement, *asked)
    return [node for node in nodes_of(plan) if node["Actual Loops"]]


def rows_read(nodes: list[dict[str, Any]], table: str) -> float:
    """Rows read of a table's partitions, with those thrown away."""
    read = [node for node in nodes if node.get("Relation Name", "").startswith(f"{table}_")]
    assert all(node["Node Type"] in ("Index Scan", "Index Only Scan") for node in read)
    return sum(
        float((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
        for node in read
    )


@pytest.mark.parametrize("page", [1, 3])
async def test_a_page_reads_up_to_its_own_end_in_the_order_of_the_index(
    page: int, large: tuple[Database, UUID, datetime]
) -> None:
    nodes = await nodes_run(large, SELECT_READINGS, DAYS, "2", str((page - 1) * 100))
    assert "Sort" not in [node["Node Type"] for node in nodes]
    assert rows_read(nodes, "reading") <= page * 100


async def test_only_the_weeks_of_the_range_are_read(large: tuple[Database, UUID, datetime]) -> None:
    nodes = await nodes_run(large, COUNT_READINGS, 1, "2")
    read = {node["Relation Name"] for node in nodes if node.get("Relation Name", "").startswith("reading_")}
    assert 1 <= len(read) <= 2
    assert rows_read(nodes, "reading") == 49


async def test_positions_are_read_like_readings(large: tuple[Database, UUID, datetime]) -> None:
    nodes = await nodes_run(large, SELECT_POSITIONS, DAYS, "100")
    assert rows_read(nodes, "position") <= 200
    assert "Sort" not in [node["Node Type"] for node in nodes]


async def test_whether_a_series_has_readings_is_asked_of_one_row_each(
    large: tuple[Database, UUID, datetime],
) -> None:
    nodes = await nodes_run(large, SELECT_REPORTED, DAYS, "'{1,2,3,4}'", "'{1,2}'")
    assert rows_read(nodes, "reading") <= 4
    assert rows_read(nodes, "position") <= 1
