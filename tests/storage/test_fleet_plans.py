"""Reading a large fleet costs the rows of the page, wherever it lies, as the service's own sessions plan it."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from app.oauth.token_string import new_id
from app.storage.fleet.changed_figures import SELECT_CHANGED_FIGURES
from app.storage.fleet.fleet import COUNT_HEARD, SELECT_EQUIPMENT, SELECT_FLEET_PAGE, SELECT_MAPPED_PAGE
from app.storage.fleet.shares import SELECT_SHARED_PAGE
from app.storage.fleet.view import FleetView, fleet_of, in_view
from app.storage.postgres.database import Database, open_database
from tests.conftest import make_database
from tests.support.changing import until_true
from tests.support.plans import nodes_of, plan_of

# A fleet of 10,000, of which 500 stand where others left, having stood behind the rest, and the last 200 joined since.
FILL = """
WITH owners AS (
    SELECT $1::uuid AS id, 10000 AS machines UNION ALL SELECT gen_random_uuid(), 50 FROM generate_series(1, 40)
), customers AS (
    INSERT INTO customer (id, name) SELECT id, 'x' FROM owners RETURNING id
)
SELECT id, machines FROM owners, (SELECT count(*) FROM customers) AS written
"""
FILL_FLEET = """
INSERT INTO fleet (customer_id, machine_count, map_version, joined) VALUES ($1, $2, 500, $2 + 700)
"""
FILL_EQUIPMENT = """
WITH made AS (
    INSERT INTO equipment (customer_id, position, joined, pin)
    SELECT $1, n, CASE WHEN n <= 500 THEN $2 + n WHEN n <= $2 - 200 THEN n ELSE 700 + n END, 'PIN' || n
    FROM generate_series(1, $2) AS n
    RETURNING key, customer_id, position, pin
), named AS (
    INSERT INTO equipment_identifier (customer_id, value, kind, equipment_key) SELECT customer_id, pin, 1, key FROM made
), known AS (
    INSERT INTO equipment_latest (equipment_key, customer_id) SELECT key, customer_id FROM made
)
INSERT INTO equipment_move (customer_id, equipment_key, map_version, from_position)
SELECT customer_id, key, position, $2 + position FROM made WHERE position <= 500
"""
# A share has 50 of them, from all over the fleet, and another all but one.
FILL_SHARES = """
WITH few AS (INSERT INTO share (customer_id) VALUES ($1) RETURNING number),
     most AS (INSERT INTO share (customer_id) VALUES ($1) RETURNING number),
     chosen AS (
    SELECT number, key, equipment.position FROM few, equipment WHERE customer_id = $1 AND equipment.position % 200 = 0
    UNION ALL SELECT number, key, equipment.position FROM most, equipment WHERE customer_id = $1 AND equipment.position > 1
), listed AS (
    INSERT INTO share_machine (share, position, equipment_key)
    SELECT number, row_number() OVER (PARTITION BY number ORDER BY position), key FROM chosen
)
SELECT few.number AS few, most.number AS most FROM few, most
"""
PINNED = (0, 10_500, 10_500)  # before any of them moved
PAGES = (1, 5_001, 9_901, 10_001, 10_401, 10_501, 10_601)


@pytest.fixture(scope="module")
async def large(servers: tuple[str, str], worker: int) -> AsyncIterator[tuple[Database, UUID]]:
    """The service's connections to a database of 41 fleets, one of them large, and whose that is."""
    url = await make_database(servers[0], f"fleets_{worker}")
    owner = await asyncpg.connect(url)
    customer_id = new_id()
    owners = await owner.fetch(FILL, customer_id)
    async with owner.transaction():
        await owner.execute("SET LOCAL ROLE rovitracker_ingest")
        for each in owners:
            await owner.execute(FILL_FLEET, each["id"], each["machines"])
            await owner.execute(FILL_EQUIPMENT, each["id"], each["machines"])
    await owner.execute("ANALYZE")
    await until_true(partial(is_seen_as_past, owner, await owner.fetchval("SELECT pg_current_xact_id()")), 60)
    await owner.close()
    database = await open_database(url, connections=1)
    yield database, customer_id
    await database.close()


async def is_seen_as_past(owner: asyncpg.Connection, xid: int) -> bool:
    """Whether no transaction of the whole server is older, another worker's among them: rows then count as unchanged."""
    return bool(await owner.fetchval("SELECT pg_snapshot_xmin(pg_current_snapshot()) > $1::xid8", xid))


def rows_read(plan: dict[str, Any]) -> float:
    """The rows that all scans read, with those they read in vain."""
    counted = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
    scans = [each for each in nodes_of(plan) if "Relation Name" in each]
    return float(sum(each.get(name, 0) * each["Actual Loops"] for each in scans for name in counted))


CASES = [
    *(pytest.param(SELECT_FLEET_PAGE, (first, first + 99), id=f"in force {first}") for first in PAGES[:3]),
    *(
        pytest.param(SELECT_MAPPED_PAGE, (first, first + 99, *PINNED), id=f"pinned {first}")
        for first in PAGES
    ),
    pytest.param(SELECT_EQUIPMENT, ("PIN9999", "{1,2,3}", None, None), id="one machine"),
]


@pytest.mark.parametrize(("statement", "arguments"), CASES)
async def test_a_page_reads_its_own_rows_and_no_table_from_end_to_end(
    statement: str, arguments: tuple[object, ...], large: tuple[Database, UUID]
) -> None:
    """It reads at most a page of machines, of their figures and of where they stood, never the other 9,900."""
    database, customer_id = large
    literals = ["NULL" if each is None else f"'{each}'" for each in (customer_id, *arguments)]
    async with fleet_of(database, FleetView(customer_id)) as transaction:
        plan = await plan_of(transaction, statement, *literals)
    assert [each["Node Type"] for each in nodes_of(plan) if "Seq Scan" in each["Node Type"]] == []
    assert rows_read(plan) <= 501


@pytest.mark.parametrize(
    ("statement", "arguments"),
    [
        *CASES,
        pytest.param(SELECT_CHANGED_FIGURES, ("{1,2,3}", "3:3:"), id="changed"),
        pytest.param(SELECT_SHARED_PAGE, (1, 1, 100), id="share"),
        pytest.param(COUNT_HEARD, ("2026-01-01",), id="heard"),
    ],
)
async def test_a_view_is_set_before_any_row_is_looked_at(
    statement: str, arguments: tuple[object, ...], large: tuple[Database, UUID]
) -> None:
    """R-71: in the plan of the one statement that does both. Else row-level security would show no fleet."""
    database, customer_id = large
    asked = (customer_id, *arguments)
    literals = ["NULL" if each is None else f"'{each}'" for each in (*asked, customer_id, "all", "-infinity")]
    async with database.transaction() as transaction:
        plan = await plan_of(transaction, in_view(statement, len(asked)), *literals)
    assert plan["Node Type"] == "Result"
    [shown] = [each for each in plan["Plans"] if each["Parent Relationship"] == "Outer"]
    # PostgreSQL runs a plan of this kind when it is first asked for, and the filter asks for none but this one.
    begun = [each for each in plan["Plans"] if each["Parent Relationship"] == "InitPlan"]
    [setting] = [each for each in begun if f"({each['Subplan Name']})." in plan["One-Time Filter"]]
    assert not any("Relation Name" in each for each in nodes_of(setting))
    assert [each["Node Type"] for each in nodes_of(shown) if "Seq Scan" in each["Node Type"]] == []
    assert rows_read(shown) <= 501 or statement is COUNT_HEARD
    assert plan["Actual Rows"] >= 1


async def test_those_pages_are_what_they_are_said_to_be(large: tuple[Database, UUID]) -> None:
    """The cheap plans above find the machines that stand there."""
    database, customer_id = large
    found = {}
    for first in PAGES:
        async with fleet_of(database, FleetView(customer_id)) as transaction:
            rows = await transaction.rows(SELECT_MAPPED_PAGE, customer_id, first, first + 99, *PINNED)
        found[first] = [row["pin"] for row in rows if row["key"] is not None]
    assert found[1] == []  # they left
    assert found[5_001] == [f"PIN{number}" for number in range(5_001, 5_101)]
    assert found[10_001] == [f"PIN{number}" for number in range(1, 101)]  # they moved
    assert found[10_401] == [f"PIN{number}" for number in range(401, 501)]
    assert found[10_501] == [f"PIN{number}" for number in range(9_801, 9_901)]  # they joined
    assert found[10_601] == [f"PIN{number}" for number in range(9_901, 10_001)]


SELECT_KEYS = "SELECT key FROM equipment WHERE customer_id = $1 AND position BETWEEN $2 AND $3"


@pytest.mark.parametrize("first", PAGES[:3])
async def test_figures_that_changed_are_found_among_those_of_the_page(
    first: int, large: tuple[Database, UUID]
) -> None:
    """However many changed: each machine's figures, and no machine."""
    database, customer_id = large
    async with fleet_of(database, FleetView(customer_id)) as transaction:
        rows = await transaction.rows(SELECT_KEYS, customer_id, first, first + 99)
        keys = ",".join(str(row["key"]) for row in rows)
        now = await transaction.rows("SELECT pg_current_snapshot()::text AS snapshot")
        for snapshot, most in (("3:3:", 111), (now[0]["snapshot"], 111)):
            literals = (f"'{customer_id}'", f"'{{{keys}}}'", f"'{snapshot}'")
            plan = await plan_of(transaction, SELECT_CHANGED_FIGURES, *literals)
            assert [each["Node Type"] for each in nodes_of(plan) if "Seq Scan" in each["Node Type"]] == []
            assert rows_read(plan) <= most


@pytest.fixture(scope="module")
async def shares(large: tuple[Database, UUID]) -> tuple[int, int]:
    """The numbers of a small share of the large fleet, and of one of nearly all."""
    database, customer_id = large
    async with fleet_of(database, FleetView(customer_id)) as transaction:
        [row] = await transaction.rows(FILL_SHARES, customer_id)
    return row["few"], row["most"]


@pytest.mark.parametrize(("size", "first"), [(0, 1), (1, 1), (1, 5_001), (1, 9_901)])
async def test_a_page_of_a_share_reads_its_own_rows_too(
    size: int, first: int, large: tuple[Database, UUID], shares: tuple[int, int]
) -> None:
    """However many machines the fleet and the share have: its places, its machines, and each once more by the lock."""
    database, customer_id = large
    literals = [f"'{each}'" for each in (customer_id, shares[size], first, first + 99)]
    async with fleet_of(database, FleetView(customer_id, shares[size])) as transaction:
        plan = await plan_of(transaction, SELECT_SHARED_PAGE, *literals)
        rows = await transaction.rows(SELECT_SHARED_PAGE, customer_id, shares[size], first, first + 99)
    assert len(rows) == (50 if size == 0 else min(100, 9_999 - first + 1))
    assert [each["Node Type"] for each in nodes_of(plan) if "Seq Scan" in each["Node Type"]] == []
    assert rows_read(plan) <= 601
