"""Machines that leave: the pages close up, the period ends, and nobody sees what another's machine reported."""

import asyncio
from uuid import UUID

import pytest

from app.aemp.history.settle import WAITS
from app.context import Context
from app.flows.fleet.change_owner import release_machine, transfer_machine
from app.flows.fleet.find_machine import MachineError
from app.flows.fleet.import_fleet import import_machines
from app.flows.upkeep.maintain import maintain
from app.oauth.actor import COMMAND_LINE
from app.storage.fleet.fleet_import import ingest
from tests.support.fleets import fill, find, machine, pins_of, seen_by
from tests.support.people import World

PERIODS = "SELECT lower(during) AS since, upper(during) AS until FROM equipment_ownership ORDER BY during"


async def neighbour(world: World) -> World:
    return await World.make(world.context)


async def figures_of(world: World, pin: str) -> object:
    found = await find(world.context, world.member.customer_id, pin)
    return found and found.cumulative_operating_hours


async def test_the_last_machine_takes_the_place_of_one_that_left(world: World, context: Context) -> None:
    customer_id = world.member.customer_id
    await fill(context, customer_id, "A", "B", "C", "D")
    left = [await release_machine(context, COMMAND_LINE, world.member, pin) for pin in ("B", "C")]
    assert [header.pin for header in left] == ["B", "C"]
    assert await pins_of(context, customer_id) == ["A", "D"]
    await release_machine(context, COMMAND_LINE, world.member, "D")
    await release_machine(context, COMMAND_LINE, world.member, "A")
    assert await pins_of(context, customer_id) == []


async def test_a_machine_that_left_is_found_by_no_name_and_comes_back_as_a_new_one(
    world: World, context: Context
) -> None:
    customer_id = world.member.customer_id
    known = machine("A", hours=5, serial_number="S-1", equipment_id="Pit 3")
    await import_machines(context, customer_id, [known])
    await release_machine(context, COMMAND_LINE, world.member, "pit  3 ")
    for name in ("A", "S-1", "PIT 3"):
        assert await find(context, customer_id, name) is None
        with pytest.raises(MachineError, match=f"has no machine {name}"):
            await release_machine(context, COMMAND_LINE, world.member, name)
    again = await import_machines(context, customer_id, [known])
    assert (again.added, again.updated) == (1, 0)
    assert await pins_of(context, customer_id) == ["A"]


async def test_the_new_owner_gets_the_machine_by_each_of_its_names_and_none_of_its_figures(
    world: World, context: Context
) -> None:
    """R-71."""
    other = await neighbour(world)
    handed = machine("A", hours=5, serial_number="S-1", equipment_id="Pit 3")
    await import_machines(context, world.member.customer_id, [handed, machine("B", hours=2)])
    await fill(context, other.member.customer_id, "X")
    await transfer_machine(context, COMMAND_LINE, world.member, other.member, "S-1")
    assert await pins_of(context, world.member.customer_id) == ["B"]
    assert await pins_of(context, other.member.customer_id) == ["X", "A"]
    for name in ("A", "S-1", "PIT 3"):
        found = await find(context, other.member.customer_id, name)
        assert found is not None
        assert found.cumulative_operating_hours is None
        assert await find(context, world.member.customer_id, name) is None
    late, later = machine("A", hours=5.5), machine("A", hours=6, at=context.now())
    await import_machines(context, other.member.customer_id, [late])
    assert await figures_of(other, "A") is None
    await import_machines(context, other.member.customer_id, [later])
    assert await figures_of(other, "A") == later.cumulative_operating_hours


async def test_one_period_of_ownership_ends_where_the_next_begins(world: World, context: Context) -> None:
    """Each owner sees their own period alone."""
    other = await neighbour(world)
    await fill(context, world.member.customer_id, "A")
    await transfer_machine(context, COMMAND_LINE, world.member, other.member, "A")
    await transfer_machine(context, COMMAND_LINE, other.member, world.member, "A")
    await release_machine(context, COMMAND_LINE, world.member, "A")
    first, third = await seen_by(context, world.member.customer_id, PERIODS)
    [second] = await seen_by(context, other.member.customer_id, PERIODS)
    assert first["until"] == second["since"] < second["until"] == third["since"] < third["until"]


async def test_of_two_machines_of_one_name_none_is_taken(world: World, context: Context) -> None:
    customer_id = world.member.customer_id
    makes = {"A": "Kranich", "B": "Nordhoff"}
    twins = [machine(pin, serial_number="7", oem_name=make) for pin, make in makes.items()]
    await import_machines(context, customer_id, [*twins, machine("C", equipment_id="7")])
    with pytest.raises(
        MachineError, match=r"2 machines .* go by 7: Kranich \(PIN A\) and Nordhoff \(PIN B\)"
    ):
        await release_machine(context, COMMAND_LINE, world.member, "7")
    await release_machine(context, COMMAND_LINE, world.member, "B")
    assert (
        await release_machine(context, COMMAND_LINE, world.member, "7")
    ).pin == "A"  # a serial number beats an id
    assert (await release_machine(context, COMMAND_LINE, world.member, "7")).pin == "C"


async def test_a_machine_takes_the_place_of_the_one_that_waited_for_it(
    world: World, context: Context
) -> None:
    other = await neighbour(world)
    for owner in (world, other):
        await import_machines(context, owner.member.customer_id, [machine("A", hours=5)])
    await fill(context, other.member.customer_id, "B")
    assert await figures_of(other, "A") is None
    await transfer_machine(context, COMMAND_LINE, world.member, other.member, "A")
    assert await pins_of(context, world.member.customer_id) == []
    assert sorted(map(str, await pins_of(context, other.member.customer_id))) == ["A", "B"]
    later = machine("A", hours=6, at=context.now())
    assert (await import_machines(context, other.member.customer_id, [later])).refused == ()
    assert await figures_of(other, "A") == later.cumulative_operating_hours
    [waits] = (await import_machines(context, world.member.customer_id, [later])).refused
    assert waits.reason == WAITS


async def test_a_claim_passes_to_the_next_when_the_first_lets_its_machine_go(
    world: World, context: Context
) -> None:
    other = await neighbour(world)
    for owner in (world, other):
        await fill(context, owner.member.customer_id, "A")
    await release_machine(context, COMMAND_LINE, world.member, "A")
    later = machine("A", hours=6, at=context.now())
    assert (await import_machines(context, other.member.customer_id, [later])).refused == ()
    assert await figures_of(other, "A") == later.cumulative_operating_hours


async def test_a_fleet_has_no_machine_twice(world: World, context: Context) -> None:
    """An import could not tell which of the two it is about; nothing of the attempt stays."""
    other = await neighbour(world)
    for owner in (other, world):
        await fill(context, owner.member.customer_id, "A")
    with pytest.raises(MachineError, match="has a machine A already"):
        await transfer_machine(context, COMMAND_LINE, world.member, other.member, "A")
    with pytest.raises(MachineError, match="the same account"):
        await transfer_machine(context, COMMAND_LINE, world.member, world.member, "A")
    for owner in (world, other):
        assert await pins_of(context, owner.member.customer_id) == ["A"]
        [period] = await seen_by(context, owner.member.customer_id, PERIODS)
        assert period["until"] is None


async def test_a_serial_number_of_another_make_is_another_machine(world: World, context: Context) -> None:
    other = await neighbour(world)
    for owner, make in ((world, "Kranich"), (other, "Nordhoff")):
        one = machine("", serial_number="7", oem_name=make)
        await import_machines(context, owner.member.customer_id, [one])
    await transfer_machine(context, COMMAND_LINE, world.member, other.member, "7")
    assert len(await pins_of(context, other.member.customer_id)) == 2


async def test_exchanges_at_once_lose_no_machine_and_leave_no_gap(world: World, context: Context) -> None:
    """Two fleets hand each other machines while a third party removes and adds some; nobody waits for ever."""
    other = await neighbour(world)
    ours, theirs = [f"A{number}" for number in range(8)], [f"B{number}" for number in range(8)]
    await fill(context, world.member.customer_id, *ours)
    await fill(context, other.member.customer_id, *theirs)
    await asyncio.gather(
        *(transfer_machine(context, COMMAND_LINE, world.member, other.member, pin) for pin in ours[:5]),
        *(transfer_machine(context, COMMAND_LINE, other.member, world.member, pin) for pin in theirs[:4]),
        *(release_machine(context, COMMAND_LINE, world.member, pin) for pin in ours[6:]),
        fill(context, world.member.customer_id, "C0", "C1"),
    )
    mine, yours = [await pins_of(context, each.member.customer_id) for each in (world, other)]
    assert sorted(map(str, mine)) == [ours[5], *theirs[:4], "C0", "C1"]
    assert sorted(map(str, yours)) == [*ours[:5], *theirs[4:]]


async def test_of_several_who_take_one_machine_one_does(world: World, context: Context) -> None:
    customer_id = world.member.customer_id
    others = [await neighbour(world) for _ in range(3)]
    await fill(context, customer_id, "A", "B")
    outcomes = await asyncio.gather(
        *(transfer_machine(context, COMMAND_LINE, world.member, each.member, "A") for each in others),
        release_machine(context, COMMAND_LINE, world.member, "A"),
        return_exceptions=True,
    )
    assert sum(isinstance(each, MachineError) for each in outcomes) == 3
    assert await pins_of(context, customer_id) == ["B"]


@pytest.mark.parametrize("verb", ["release", "transfer"])
async def test_who_did_it_stands_in_the_trail_of_every_owner(
    verb: str, world: World, context: Context
) -> None:
    other = await neighbour(world)
    await fill(context, world.member.customer_id, "A")
    if verb == "release":
        await release_machine(context, COMMAND_LINE, world.member, "A")
        expected = {world.member.customer_id: ["machine.released"], other.member.customer_id: []}
    else:
        await transfer_machine(context, COMMAND_LINE, world.member, other.member, "A")
        expected = {
            world.member.customer_id: ["machine.given"],
            other.member.customer_id: ["machine.received"],
        }
    for customer_id, events in expected.items():
        assert await trail_of(context, customer_id) == events


async def test_moves_are_forgotten_when_no_reader_can_have_begun_before_them(
    world: World, context: Context, database_url: str
) -> None:
    """R-108: an hour after; the pins they serve live for half of that."""
    customer_id = world.member.customer_id
    await fill(context, customer_id, *"ABC")
    await release_machine(context, COMMAND_LINE, world.member, "A")
    async with ingest(context.database) as transaction:
        await transaction.count(
            "INSERT INTO equipment_move (customer_id, equipment_key, map_version, from_position, moved_at) "
            "SELECT customer_id, key, 0, 99, now() - interval '61 minutes' FROM equipment WHERE customer_id = $1",
            customer_id,
        )
    assert (await maintain(context, database_url)).rows_deleted >= 2
    [kept] = await seen_by(context, customer_id, "SELECT from_position FROM equipment_move")
    assert kept["from_position"] == 3


async def trail_of(context: Context, customer_id: UUID) -> list[str]:
    rows = await context.database.rows(
        "SELECT event FROM audit_event WHERE customer_id = $1 AND event LIKE 'machine.%'", customer_id
    )
    return [row["event"] for row in rows]
