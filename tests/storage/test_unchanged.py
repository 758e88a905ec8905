"""Which fleets changed, as PostgreSQL's own transactions tell it, and when that is forgotten."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from app.context import Context
from app.flows.fleet.import_fleet import import_machines
from app.storage.fleet.fleet import select_fleet_page
from app.storage.fleet.unchanged import Seen, call_delete_past_fleet_changes, select_unchanged
from app.storage.fleet.view import FleetView
from tests.support.changing import as_owner
from tests.support.fleets import NOW, fill, machine, seen_by
from tests.support.people import World

# For a machine that has no row yet; the tests before left some.
LATEST_ANEW = """
INSERT INTO equipment_latest (equipment_key, customer_id)
SELECT key, $1 FROM equipment LEFT JOIN equipment_latest l ON l.equipment_key = key WHERE l.equipment_key IS NULL LIMIT 1
"""
TOUCH = "UPDATE equipment SET model = 'other' WHERE customer_id = $1"


@pytest.fixture
async def fleet(world: World) -> UUID:
    await fill(world.context, world.member.customer_id, "A", "B")
    return world.member.customer_id


async def seen(context: Context, customer_id: UUID) -> Seen:
    page = await select_fleet_page(context.database, FleetView(customer_id), first=1, last=100)
    return Seen(customer_id, page.snapshot)


async def age(database_url: str) -> None:
    """Let two hours pass since the look."""
    await as_owner(database_url, "UPDATE fleet_change_look SET taken_at = taken_at - interval '2 hours'")


async def rows_of(database_url: str, customer_id: UUID) -> int:
    """How many rows tell of changes of this fleet."""
    owner = await asyncpg.connect(database_url)
    try:
        rows = await owner.fetchval("SELECT count(*) FROM fleet_change WHERE customer_id = $1", customer_id)
    finally:
        await owner.close()
    return int(rows)


async def is_unchanged(context: Context, *pages: Seen) -> list[bool]:
    return await select_unchanged(context.database, pages)


async def test_each_page_is_judged_by_what_it_saw(
    context: Context, fleet: UUID, writer: asyncpg.Connection
) -> None:
    other = (await World.make(context)).member.customer_id
    await fill(context, other, "C")
    before, of_other = await seen(context, fleet), await seen(context, other)
    assert await is_unchanged(context, before, of_other, before) == [True, True, True]
    await writer.execute(TOUCH, fleet)
    after = await seen(context, fleet)
    assert await is_unchanged(context, before, of_other, after) == [False, True, True]


@pytest.mark.parametrize(
    "statement",
    [
        TOUCH,
        "UPDATE equipment SET customer_id = NULL, position = NULL, joined = NULL WHERE customer_id = $1",
        "UPDATE equipment_latest SET distance_km = 1 WHERE customer_id = $1",
        "DELETE FROM equipment_latest WHERE customer_id = $1",
        "UPDATE fleet SET map_version = map_version + 1 WHERE customer_id = $1",
        "INSERT INTO equipment (customer_id, position, joined) VALUES ($1, 3, 3)",
        LATEST_ANEW,
        "DELETE FROM fleet WHERE customer_id = $1",
        "DELETE FROM share_machine WHERE share IN (SELECT number FROM share WHERE customer_id = $1)",
        "UPDATE share_machine SET position = 9 WHERE share IN (SELECT number FROM share WHERE customer_id = $1)",
        "INSERT INTO share_machine SELECT share, 2, equipment_key + 1 FROM share_machine JOIN share ON share = number WHERE customer_id = $1",
    ],
)
async def test_every_write_to_what_a_page_shows_is_noted(
    statement: str, context: Context, fleet: UUID, writer: asyncpg.Connection, database_url: str
) -> None:
    """Once it is committed, and not when it is rolled back."""
    if "share_machine" in statement:
        [key, _] = [row["key"] for row in await seen_by(context, fleet, "SELECT key FROM equipment")]
        await writer.execute("RESET ROLE")
        share = await writer.fetchval("INSERT INTO share (customer_id) VALUES ($1) RETURNING number", fleet)
        await writer.execute("INSERT INTO share_machine VALUES ($1, 1, $2)", share, key)
        other = (await World.make(context)).member.customer_id
        await writer.execute(
            "INSERT INTO share (customer_id) VALUES ($1)", other
        )  # an UPDATE may move it there
    page, rows = await seen(context, fleet), await rows_of(database_url, fleet)
    transaction = writer.transaction()
    await transaction.start()
    assert await writer.execute(statement, fleet) not in {"UPDATE 0", "DELETE 0", "INSERT 0 0"}
    await transaction.rollback()
    assert await is_unchanged(context, page) == [True]
    await writer.execute(statement, fleet)
    assert await is_unchanged(context, page) == [False]
    assert await rows_of(database_url, fleet) == rows + 1


async def test_what_goes_from_one_customer_to_another_by_hand_changes_both(
    context: Context, fleet: UUID, writer: asyncpg.Connection
) -> None:
    """A machine, and then a place in a share."""
    other = (await World.make(context)).member.customer_id
    await fill(context, other, "C")
    pages = [await seen(context, each) for each in (fleet, other)]
    move = "UPDATE equipment SET customer_id = $2, position = 9, joined = 9 WHERE customer_id = $1 AND position = 1"
    assert await writer.execute(move, fleet, other) == "UPDATE 1"
    assert await is_unchanged(context, *pages) == [False, False]
    await writer.execute("RESET ROLE")
    new = "INSERT INTO share (customer_id) VALUES ($1) RETURNING number"
    of_fleet, of_other = [await writer.fetchval(new, each) for each in (fleet, other)]
    [row, *_] = await seen_by(context, fleet, "SELECT key FROM equipment")
    await writer.execute("INSERT INTO share_machine VALUES ($1, 1, $2)", of_fleet, row["key"])
    pages = [await seen(context, each) for each in (fleet, other)]
    await writer.execute("UPDATE share_machine SET share = $2 WHERE share = $1", of_fleet, of_other)
    assert await is_unchanged(context, *pages) == [False, False]


async def test_what_is_written_as_it_was_changes_nothing_beyond_figures(
    context: Context, fleet: UUID, writer: asyncpg.Connection, database_url: str
) -> None:
    """An import locks the fleet by an update, and tells of every machine what it is called."""
    page = await seen(context, fleet)
    await writer.execute("UPDATE fleet SET machine_count = machine_count WHERE customer_id = $1", fleet)
    assert await is_unchanged(context, page) == [True]
    later = machine("A", hours=2, at=NOW + timedelta(hours=1))
    await import_machines(context, fleet, [later, machine("B", hours=1)])
    assert await is_unchanged(context, page) == [False]
    assert await is_beyond_figures(database_url, fleet) == [False]
    await import_machines(context, fleet, [replace(later, header=replace(later.header, model="other"))])
    assert True in await is_beyond_figures(database_url, fleet)


async def is_beyond_figures(database_url: str, customer_id: UUID) -> list[bool]:
    """What the newest transaction noted."""
    newest = "SELECT max(xid) FROM fleet_change WHERE customer_id = $1"
    noted = f"SELECT beyond_figures FROM fleet_change WHERE customer_id = $1 AND xid = ({newest}) ORDER BY 1"
    owner = await asyncpg.connect(database_url)
    try:
        return [row["beyond_figures"] for row in await owner.fetch(noted, customer_id)]
    finally:
        await owner.close()


async def test_figures_alone_are_told_from_what_more_may_change(
    context: Context, fleet: UUID, writer: asyncpg.Connection, database_url: str
) -> None:
    """Rows of figures tell that they changed, unless they go, or go elsewhere."""
    keys = [row["key"] for row in await seen_by(context, fleet, "SELECT key FROM equipment ORDER BY key")]
    other = (await World.make(context)).member.customer_id
    figures = "UPDATE equipment_latest SET distance_km = 1, customer_id = customer_id WHERE customer_id = $1"
    elsewhere = "UPDATE equipment_latest SET customer_id = $2 WHERE equipment_key = $1"
    gone = "DELETE FROM equipment_latest WHERE equipment_key = $1"
    again = "INSERT INTO equipment_latest (equipment_key, customer_id) VALUES ($1, $2)"
    exchanged = "UPDATE equipment_latest SET equipment_key = $2 WHERE equipment_key = $1"
    for statement, arguments, noted in (
        (figures, (fleet,), [False]),
        (TOUCH, (fleet,), [True]),
        (elsewhere, (keys[0], other), [True]),
        (elsewhere, (keys[0], fleet), [False, True]),
        (gone, (keys[1],), [True]),
        (exchanged, (keys[0], keys[1]), [False, True]),
        (again, (keys[0], fleet), [False]),
    ):
        assert (await writer.execute(statement, *arguments)).split()[-1] in {"1", "2"}
        assert await is_beyond_figures(database_url, fleet) == noted


async def test_a_transaction_leaves_one_row_however_often_it_writes(
    fleet: UUID, writer: asyncpg.Connection, database_url: str
) -> None:
    rows = await rows_of(database_url, fleet)
    async with writer.transaction():
        for _ in range(3):
            await writer.execute(TOUCH, fleet)
    assert await rows_of(database_url, fleet) == rows + 1


@pytest.mark.parametrize("table", ["equipment_latest", "share_machine"])
async def test_an_emptied_table_changes_every_fleet(
    table: str, context: Context, fleet: UUID, writer: asyncpg.Connection
) -> None:
    """Rolled back here, since other tests have machines too."""
    page, transaction = await seen(context, fleet), writer.transaction()
    await writer.execute("RESET ROLE")
    await transaction.start()
    await writer.execute(f"TRUNCATE {table}")
    noted = "SELECT count(*) FROM fleet_change WHERE customer_id = $1 AND xid = pg_current_xact_id()"
    assert await writer.fetchval(noted, fleet) == 1
    await transaction.rollback()
    assert await is_unchanged(context, page) == [True]


async def test_a_change_under_way_counts_once_it_is_committed(
    context: Context, fleet: UUID, writer: asyncpg.Connection
) -> None:
    """The page was read after the change was written, and before it could be seen."""
    transaction = writer.transaction()
    await transaction.start()
    await writer.execute(TOUCH, fleet)
    page = await seen(context, fleet)
    assert await is_unchanged(context, page) == [True]
    await transaction.commit()
    assert await is_unchanged(context, page) == [False]


async def test_the_inner_part_of_a_transaction_is_noted_with_it(
    context: Context, fleet: UUID, writer: asyncpg.Connection
) -> None:
    page = await seen(context, fleet)
    async with writer.transaction():
        inner = writer.transaction()
        await inner.start()
        await writer.execute(TOUCH, fleet)
        await inner.rollback()
        await writer.execute("SELECT pg_current_xact_id()")
    assert await is_unchanged(context, page) == [True]
    async with writer.transaction(), writer.transaction():
        await writer.execute(TOUCH, fleet)
    assert await is_unchanged(context, page) == [False]


async def test_changes_are_forgotten_when_an_old_look_saw_them(
    context: Context, fleet: UUID, writer: asyncpg.Connection, database_url: str
) -> None:
    """Not by the time they were made: a transaction may take hours until anybody sees what it did."""

    async def look() -> None:
        await age(database_url)
        await call_delete_past_fleet_changes(context.database)

    await look()  # it sees all that is committed
    transaction = writer.transaction()
    await transaction.start()
    await writer.execute(TOUCH, fleet)
    assert await rows_of(database_url, fleet) > 0
    assert await call_delete_past_fleet_changes(context.database) == 0  # the look is new
    await look()
    assert await rows_of(database_url, fleet) == 0
    page = await seen(context, fleet)
    await transaction.commit()
    await look()
    assert await is_unchanged(context, page) == [False]  # the look before the commit did not see it
    await look()
    assert await rows_of(database_url, fleet) == 0


async def test_what_came_with_another_servers_dump_is_forgotten_at_once(
    context: Context, fleet: UUID, database_url: str
) -> None:
    """No transaction of this server has such a number yet, and its fleet would never count as unchanged."""
    foreign = "INSERT INTO fleet_change (customer_id, xid, beyond_figures) VALUES ($1, '9000000000000000000', false)"
    await as_owner(database_url, foreign, fleet)
    page = await seen(context, fleet)
    assert await is_unchanged(context, page) == [False]
    await age(database_url)
    await call_delete_past_fleet_changes(context.database)
    assert await is_unchanged(context, page) == [True]
