"""Which fleets changed, as PostgreSQL's own transactions tell it, and when that is forgotten."""

from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest

from app.context import Context
from app.storage.fleet.fleet import select_fleet_page
from app.storage.fleet.unchanged import Seen, call_delete_past_fleet_changes, select_unchanged
from app.storage.fleet.view import FleetView
from tests.support.fleets import fill
from tests.support.people import World

TOUCH = "UPDATE equipment SET model = 'other' WHERE customer_id = $1"
ROWS = "SELECT count(*) FROM fleet_change WHERE customer_id = $1"
AGE = "UPDATE fleet_change_look SET taken_at = taken_at - interval '2 hours'"


@pytest.fixture
async def fleet(world: World) -> UUID:
    await fill(world.context, world.member.customer_id, "A", "B")
    return world.member.customer_id


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def seen(context: Context, customer_id: UUID) -> Seen:
    page = await select_fleet_page(context.database, FleetView(customer_id), first=1, last=100)
    return Seen(customer_id, page.snapshot)


async def is_unchanged(context: Context, *pages: Seen) -> list[bool]:
    return await select_unchanged(context.database, pages)


async def test_each_page_is_judged_by_what_it_saw(
    context: Context, fleet: UUID, owner: asyncpg.Connection
) -> None:
    other = (await World.make(context)).member.customer_id
    await fill(context, other, "C")
    before, of_other = await seen(context, fleet), await seen(context, other)
    assert await is_unchanged(context, before, of_other, before) == [True, True, True]
    await owner.execute(TOUCH, fleet)
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
        "INSERT INTO equipment_latest (equipment_key, customer_id) SELECT key, $1 FROM made",
        "DELETE FROM fleet WHERE customer_id = $1",
        "DELETE FROM share_machine WHERE share IN (SELECT number FROM share WHERE customer_id = $1)",
        "UPDATE share_machine SET position = 9 WHERE share IN (SELECT number FROM share WHERE customer_id = $1)",
    ],
)
async def test_every_write_to_what_a_page_shows_is_noted(
    statement: str, context: Context, fleet: UUID, owner: asyncpg.Connection
) -> None:
    """One row for the transaction, however often it writes; and none when it is rolled back."""
    if "share_machine" in statement:
        share = await owner.fetchval("INSERT INTO share (customer_id) VALUES ($1) RETURNING number", fleet)
        await owner.execute(
            "INSERT INTO share_machine SELECT $1, 1, min(key) FROM equipment WHERE customer_id = $2",
            share,
            fleet,
        )
    if "FROM made" in statement:
        make = "INSERT INTO equipment (customer_id, position, joined) VALUES ($1, 3, 3) RETURNING key"
        statement = f"WITH made AS ({make}) {statement}"
    page, rows = await seen(context, fleet), await owner.fetchval(ROWS, fleet)
    transaction = owner.transaction()
    await transaction.start()
    await owner.execute(statement, fleet)
    await transaction.rollback()
    assert await is_unchanged(context, page) == [True]
    await owner.execute(statement, fleet)
    assert await is_unchanged(context, page) == [False]
    assert await owner.fetchval(ROWS, fleet) == rows + 1


@pytest.mark.parametrize("table", ["equipment_latest", "share_machine"])
async def test_an_emptied_table_changes_every_fleet(
    table: str, context: Context, fleet: UUID, owner: asyncpg.Connection
) -> None:
    """Rolled back here, since other tests have machines too."""
    page, transaction = await seen(context, fleet), owner.transaction()
    await transaction.start()
    await owner.execute(f"TRUNCATE {table}")
    assert await owner.fetchval(f"{ROWS} AND xid = pg_current_xact_id()", fleet) == 1
    await transaction.rollback()
    assert await is_unchanged(context, page) == [True]


async def test_a_change_under_way_counts_once_it_is_committed(
    context: Context, fleet: UUID, owner: asyncpg.Connection
) -> None:
    """The page was read after the change was written, and before it could be seen."""
    transaction = owner.transaction()
    await transaction.start()
    await owner.execute(TOUCH, fleet)
    page = await seen(context, fleet)
    assert await is_unchanged(context, page) == [True]
    await transaction.commit()
    assert await is_unchanged(context, page) == [False]


async def test_the_inner_part_of_a_transaction_is_noted_with_it(
    context: Context, fleet: UUID, owner: asyncpg.Connection
) -> None:
    page = await seen(context, fleet)
    async with owner.transaction():
        inner = owner.transaction()
        await inner.start()
        await owner.execute(TOUCH, fleet)
        await inner.rollback()
        await owner.execute("SELECT pg_current_xact_id()")
    assert await is_unchanged(context, page) == [True]
    async with owner.transaction(), owner.transaction():
        await owner.execute(TOUCH, fleet)
    assert await is_unchanged(context, page) == [False]


async def test_changes_are_forgotten_when_an_old_look_saw_them(
    context: Context, fleet: UUID, owner: asyncpg.Connection, database_url: str
) -> None:
    """Not by the time they were made: a transaction may take hours until anybody sees what it did."""
    await owner.execute(AGE)
    await call_delete_past_fleet_changes(context.database)  # a look that saw all that is committed
    transaction = owner.transaction()
    await transaction.start()
    await owner.execute(TOUCH, fleet)
    other = await asyncpg.connect(database_url)
    try:
        assert await other.fetchval(ROWS, fleet) > 0
        assert await call_delete_past_fleet_changes(context.database) == 0  # the look is new
        await other.execute(AGE)
        assert await call_delete_past_fleet_changes(context.database) > 0
        assert await other.fetchval(ROWS, fleet) == 0
        page = await seen(context, fleet)
        await transaction.commit()
        await other.execute(AGE)
        await call_delete_past_fleet_changes(context.database)
        assert await is_unchanged(context, page) == [False]  # the look before the commit did not see it
        await other.execute(AGE)
        await call_delete_past_fleet_changes(context.database)
        assert await other.fetchval(ROWS, fleet) == 0
    finally:
        await other.close()


async def test_what_came_with_another_servers_dump_is_forgotten_at_once(
    context: Context, fleet: UUID, owner: asyncpg.Connection
) -> None:
    """No transaction of this server has such a number yet, and its fleet would never count as unchanged."""
    foreign = "INSERT INTO fleet_change (customer_id, xid) VALUES ($1, '9000000000000000000')"
    await owner.execute(foreign, fleet)
    page = await seen(context, fleet)
    assert await is_unchanged(context, page) == [False]
    await owner.execute(AGE)
    await call_delete_past_fleet_changes(context.database)
    assert await is_unchanged(context, page) == [True]
