"""Shares under row-level security: what was chosen is shown, in every table, and nothing where nothing is named."""

import asyncio
import math
import re
from datetime import timedelta

import pytest

from app.context import Context
from app.flows.account.prove import FieldError
from app.flows.account.rights import RoleError
from app.flows.approval.terms import ConnectionChangedError, Terms, change_terms, read_terms
from app.flows.fleet.change_owner import release_machine, transfer_machine
from app.flows.fleet.import_fleet import import_machines
from app.flows.fleet.read_fleet import read_fleet_page
from app.oauth.actor import COMMAND_LINE, Actor
from app.oauth.token_string import new_id
from app.storage.fleet.changed_figures import SELECT_CHANGED_FIGURES
from app.storage.fleet.fleet import NAMED_KEYS, NAMED_MACHINES
from app.storage.fleet.view import FleetView, fleet_of
from app.storage.schema.maintenance import call_delete_past_rows
from app.storage.token.connections import connect
from tests.support.fleets import NOW, fill, machine, seen_by
from tests.support.people import World
from tests.support.sharing import row_of

TABLES = {
    "equipment": "key",
    "equipment_latest": "equipment_key",
    "equipment_identifier": "equipment_key",
    "reading": "equipment_key",
}


@pytest.fixture
async def shared(world: World) -> World:
    """A customer of three machines whose application is connected."""
    await fill(world.context, world.member.customer_id, "A1", "B2", "C3")
    await connect(
        world.context.database,
        world.member.customer_id,
        world.registered.client.id,
        route="code",
        approved_by=world.member.id,
    )
    return world


async def choose(world: World, *pins: str, **limits: object) -> FleetView:
    """Share these machines; what the application sees from then on."""
    parties = world.member.customer_id, world.registered.client.id
    statement = "SELECT key FROM equipment WHERE pin = ANY($1::text[])"
    rows = await seen_by(world.context, world.member.customer_id, statement, list(pins))
    _, version = await read_terms(world.context, *parties)
    terms = Terms(frozenset(row["key"] for row in rows) if pins else None, **limits)  # type: ignore[arg-type]
    await change_terms(world.context, world.member.actor, *parties, terms, version=version)
    return await view_of(world)


async def view_of(world: World) -> FleetView:
    """The view that the connection's row gives the application."""
    row = await row_of(world)
    return FleetView(world.member.customer_id, row["share"], row["history_from"])


async def pins_in(context: Context, view: FleetView, page: int = 1) -> list[str | None]:
    found = await read_fleet_page(context, view, page)
    return [each.header.pin for each in found.machines]


@pytest.mark.parametrize("chosen", [(), ("A1", "C3"), ("B2",)])
async def test_a_name_leads_to_the_machines_that_are_shown(chosen: tuple[str, ...], shared: World) -> None:
    """R-71: a page of a series finds a machine without a look at its own row, and nobody finds more by that."""
    view = await choose(shared, *chosen)
    other = await World.make(shared.context)
    for seen in (view, FleetView(other.member.customer_id)):
        async with fleet_of(shared.context.database, seen) as transaction:
            for pin in ("A1", "B2", "C3"):
                asked = view.customer_id, pin, [1, 2, 3], None, None
                keys = await transaction.rows(f"SELECT i.equipment_key AS key {NAMED_KEYS}", *asked)
                assert keys == await transaction.rows(f"SELECT e.key {NAMED_MACHINES}", *asked)
                assert len(keys) == (seen is view and (not chosen or pin in chosen))


@pytest.mark.parametrize("table", TABLES)
async def test_a_share_shows_its_machines_alone_in_every_table(table: str, shared: World) -> None:
    """R-71: a statement without any condition, under the second lock; and nothing for what is no share of theirs."""
    context, statement = shared.context, f"SELECT DISTINCT {TABLES[table]} AS key FROM {table}"
    everything = await seen_by(context, shared.member.customer_id, statement)
    assert len(everything) == 3
    view = await choose(shared, "A1", "C3")
    assert view.share is not None
    async with fleet_of(context.database, view) as transaction:
        assert len(await transaction.rows(statement)) == 2
    stranger = (await World.make(context)).member.customer_id
    for other in (FleetView(stranger, view.share), FleetView(view.customer_id, view.share + 1000)):
        async with fleet_of(context.database, other) as transaction:
            assert await transaction.rows(statement) == []


@pytest.mark.parametrize("share", [None, ""])
async def test_where_no_share_is_named_nothing_is_shown(share: str | None, shared: World) -> None:
    """R-71: the customer alone is not enough."""
    async with shared.context.database.transaction() as transaction:
        customer = str(shared.member.customer_id)
        await transaction.row("SELECT set_config('rovitracker.customer', $1, true)", customer)
        if share is not None:
            await transaction.row("SELECT set_config('rovitracker.share', $1, true)", share)
        for table in TABLES:
            assert await transaction.rows(f"SELECT FROM {table}") == []


async def test_figures_that_changed_are_shown_to_nobody_else(shared: World) -> None:
    """R-71: a statement without its conditions on whose they are, under the second lock, whatever keys it is given."""
    context, customer_id = shared.context, shared.member.customer_id
    rows = await seen_by(context, customer_id, "SELECT key, pin FROM equipment")
    pins = {row["key"]: row["pin"] for row in rows}
    opened = re.sub(r"\bl\.customer_id = \$1", "$1::uuid IS NOT NULL", SELECT_CHANGED_FIGURES)

    async def changed(view: FleetView, statement: str) -> set[str]:
        async with fleet_of(context.database, view) as transaction:
            rows = await transaction.rows(statement, customer_id, [*pins], "3:3:")
        return {pins[row["key"]] for row in rows if row["key"]}

    whole = FleetView(customer_id)
    assert await changed(whole, opened) == await changed(whole, SELECT_CHANGED_FIGURES) == {"A1", "B2", "C3"}
    view = await choose(shared, "A1", "C3")
    assert await changed(view, opened) == {"A1", "C3"}
    stranger = (await World.make(context)).member.customer_id
    for other in (FleetView(stranger), FleetView(stranger, view.share)):
        assert await changed(other, opened) == set()


async def test_history_from_a_day_hides_what_was_before(shared: World) -> None:
    """In the tables of history by the second lock, and among the newest figures."""
    context, customer_id = shared.context, shared.member.customer_id
    await import_machines(context, customer_id, [machine("A1", hours=2, at=NOW + timedelta(hours=1))])
    view = await choose(shared, history_from=NOW + timedelta(minutes=1))
    async with fleet_of(context.database, view) as transaction:
        rows = await transaction.rows("SELECT value FROM reading")
    assert [row["value"] for row in rows] == [2]
    page = await read_fleet_page(context, view, 1)
    assert [each.cumulative_operating_hours is None for each in page.machines] == [False, True, True]


async def test_a_machine_that_leaves_leaves_every_share_for_good(shared: World) -> None:
    """Also when it comes back. The last machine takes its place, as in the fleet."""
    context = shared.context
    other = (await World.make(context)).member
    view = await choose(shared, "A1", "B2", "C3")
    await transfer_machine(context, COMMAND_LINE, shared.member, other, "A1")
    assert await pins_in(context, view) == ["C3", "B2"]
    await transfer_machine(context, COMMAND_LINE, other, shared.member, "A1")
    await release_machine(context, COMMAND_LINE, shared.member, "B2")
    assert await pins_in(context, view) == ["C3"]
    assert await pins_in(context, FleetView(shared.member.customer_id)) == ["C3", "A1"]


async def test_pages_of_a_share_that_lost_machines_are_full(
    shared: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many readers take a page with fewer machines for the last one."""
    monkeypatch.setattr("app.aemp.address.paging.PAGE_SIZE", 3)
    context, member = shared.context, shared.member
    await fill(context, member.customer_id, *"DEFGHI")
    view = await choose(shared, "A1", "B2", "C3", *"DEFGHI")
    other = await choose(shared, "B2", "C3", *"EFI")
    await asyncio.gather(*(release_machine(context, COMMAND_LINE, member, pin) for pin in ("B2", "F", "I")))
    for seen, left in ((view, {"A1", "C3", *"DEGH"}), (other, {"C3", "E"})):
        numbers = range(1, math.ceil(len(left) / 3) + 1)
        *full, last = [await pins_in(context, seen, number) for number in numbers]
        assert {len(page) for page in full} <= {3}
        assert sorted(str(pin) for page in (*full, last) for pin in page) == sorted(left)


async def test_a_machine_that_joins_is_shared_where_all_are(shared: World) -> None:
    context, customer_id = shared.context, shared.member.customer_id
    some = await choose(shared, "A1")
    await fill(context, customer_id, "D4")
    assert await pins_in(context, some) == ["A1"]
    assert await pins_in(context, await choose(shared)) == ["A1", "B2", "C3", "D4"]


async def test_other_peoples_machines_are_left_out_and_none_at_all_is_refused(shared: World) -> None:
    context, parties = shared.context, (shared.member.customer_id, shared.registered.client.id)
    other = await World.make(context)
    await fill(context, other.member.customer_id, "X9")
    [theirs] = await seen_by(context, other.member.customer_id, "SELECT key FROM equipment")
    [mine] = await seen_by(context, shared.member.customer_id, "SELECT key FROM equipment WHERE pin = 'B2'")
    both = frozenset((theirs["key"], mine["key"]))
    await change_terms(context, shared.member.actor, *parties, Terms(both), version=1)
    assert await pins_in(context, await view_of(shared)) == ["B2"]
    for nothing in (frozenset[int](), frozenset((theirs["key"],))):
        with pytest.raises(FieldError, match="at least one machine") as refused:
            await change_terms(context, shared.member.actor, *parties, Terms(nothing), version=2)
        assert refused.value.field == "machines"
    past = Terms(ends_at=context.now() - timedelta(seconds=1))
    with pytest.raises(FieldError, match="still to come") as refused:
        await change_terms(context, shared.member.actor, *parties, past, version=2)
    assert refused.value.field == "ends_at"
    assert await pins_in(context, await view_of(shared)) == ["B2"]


async def test_of_two_who_change_a_connection_the_second_sees_what_the_first_did(shared: World) -> None:
    """R-12: by its version, at once or one after the other."""
    context, parties = shared.context, (shared.member.customer_id, shared.registered.client.id)
    ends = [Terms(ends_at=context.now() + timedelta(days=day)) for day in (1, 2, 3, 4)]
    changes = (change_terms(context, shared.member.actor, *parties, each, version=1) for each in ends)
    outcomes = await asyncio.gather(*changes, return_exceptions=True)
    assert [type(each) for each in outcomes].count(ConnectionChangedError) == 3
    terms, version = await read_terms(context, *parties)
    assert terms == ends[outcomes.index(None)]
    assert version == 2


async def test_who_may_not_connect_may_not_change_and_nobody_changes_what_is_not_there(shared: World) -> None:
    context, parties = shared.context, (shared.member.customer_id, shared.registered.client.id)
    with pytest.raises(RoleError):
        await change_terms(context, Actor("customer", new_id()), *parties, Terms(), version=1)
    with pytest.raises(ConnectionChangedError) as refused:
        await change_terms(context, COMMAND_LINE, parties[0], new_id(), Terms(), version=1)
    assert (refused.value.code, refused.value.status) == ("no_connection", 404)


async def test_a_replaced_share_goes_an_hour_later(shared: World) -> None:
    """Until then a process that has not heard of the change shows the machines it showed."""
    context = shared.context
    before, after = await choose(shared, "A1"), await choose(shared, "B2")
    assert await pins_in(context, before) == ["A1"]
    await context.database.count(
        "UPDATE share SET replaced_at = replaced_at - interval '61 minutes' WHERE number = $1", before.share
    )
    while await call_delete_past_rows(context.database, 100):
        pass
    assert await shares(context) >= {after.share}
    assert before.share not in await shares(context)
    assert await pins_in(context, after) == ["B2"]


async def shares(context: Context) -> set[int]:
    return {row["share"] for row in await context.database.rows("SELECT DISTINCT share FROM share_machine")}


async def test_the_same_terms_again_change_nothing(shared: World) -> None:
    parties = shared.member.customer_id, shared.registered.client.id
    first = await choose(shared, "A1", "B2")
    _, version = await read_terms(shared.context, *parties)
    assert await choose(shared, "A1", "B2") == first
    assert (await read_terms(shared.context, *parties))[1] == version
