"""Fleets: positions without gaps, machines recognised, figures that never go back, documents whole or not at all."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from app.aemp.history.settle import WAITS
from app.aemp.model.errors import ReadError
from app.aemp.model.identifiers import sought_by
from app.aemp.model.values import Equipment, EquipmentHeader, Hours, Location
from app.context import Context
from app.flows.fleet.import_fleet import Imported, import_machines
from app.flows.fleet.read_fleet import read_equipment, read_fleet_page
from app.simulation.fleet import simulate_fleet
from app.storage.errors import StatementRefusedError
from app.storage.fleet.fleet import select_fleet_page
from app.storage.fleet.view import FleetView
from tests.support.fleets import NOW, machine, seen_by
from tests.support.people import World


def fleet_of(count: int, seed: int) -> tuple[Equipment, ...]:
    return tuple(simulate_fleet(machines=count, days=1, interval_s=3600, seed=seed, now=NOW))


async def test_the_same_document_twice_adds_no_machine(world: World) -> None:
    machines = fleet_of(40, seed=1)
    customer_id = world.member.customer_id
    first = await import_machines(world.context, customer_id, machines)
    assert (first.added, first.updated, first.repeated) == (40, 0, 0)
    assert await import_machines(world.context, customer_id, machines) == Imported(0, 40, 0)
    page = await read_fleet_page(world.context, FleetView(customer_id), 1)
    assert [each.header.pin for each in page.machines] == [each.header.pin for each in machines]


async def test_imports_at_once_leave_no_gap_in_the_positions(world: World) -> None:
    customer_id = world.member.customer_id
    await asyncio.gather(
        *(import_machines(world.context, customer_id, fleet_of(30, seed)) for seed in range(2, 6))
    )
    rows = await seen_by(world.context, customer_id, "SELECT position FROM equipment ORDER BY position")
    assert [row["position"] for row in rows] == list(range(1, 121))
    page = await select_fleet_page(world.context.database, FleetView(customer_id), first=101, last=200)
    assert (len(page.machines), page.machine_count) == (20, 120)


async def test_late_data_never_moves_a_figure_back(world: World) -> None:
    customer_id = world.member.customer_id
    later, earlier = NOW, NOW - timedelta(hours=3)
    there = Location(at=earlier, latitude=1, longitude=2)
    for each in (
        machine("P1", hours=50, at=later),
        replace(machine("P1", hours=40, at=earlier), location=there),
    ):
        await import_machines(world.context, customer_id, [each])
    found = (await read_equipment(world.context, FleetView(customer_id), sought_by("P1"))).equipment
    assert found.cumulative_operating_hours == Hours(at=later, hours=50)
    assert found.location == there


async def test_what_a_document_leaves_out_stays_known(world: World) -> None:
    customer_id = world.member.customer_id
    await import_machines(
        world.context, customer_id, [machine("P2", hours=5, oem_name="Kranich", model="K 8")]
    )
    await import_machines(world.context, customer_id, [machine("P2")])
    found = (await read_equipment(world.context, FleetView(customer_id), sought_by("P2"))).equipment
    assert (found.header.oem_name, found.header.model) == ("Kranich", "K 8")
    assert found.cumulative_operating_hours == Hours(at=NOW, hours=5)


async def test_a_machine_nobody_could_ask_for_refuses_the_whole_document(world: World) -> None:
    customer_id = world.member.customer_id
    nameless = Equipment(header=EquipmentHeader(model="X"))
    with pytest.raises(ReadError, match="machine 3 "):
        await import_machines(
            world.context, customer_id, [*fleet_of(2, seed=9), nameless, *fleet_of(2, seed=10)]
        )
    assert (
        await select_fleet_page(world.context.database, FleetView(customer_id), first=1, last=9)
    ).machine_count == 0


async def test_a_machine_the_database_refuses_takes_its_whole_document_with_it(world: World) -> None:
    """The first 500 were written by then, in a batch of their own."""
    customer_id = world.member.customer_id
    await import_machines(world.context, customer_id, [machine("P7", hours=7)])
    machines = (machine("P7", hours=8), *fleet_of(520, seed=11), machine("P8", model="\0"))
    with pytest.raises(StatementRefusedError, match="22P05"):
        await import_machines(world.context, customer_id, machines)
    page = await select_fleet_page(world.context.database, FleetView(customer_id), first=1, last=9)
    assert page.machine_count == 1
    [kept] = page.machines
    assert kept.cumulative_operating_hours == Hours(at=NOW, hours=7)


async def test_a_bare_serial_number_of_two_machines_is_refused_with_both_named(world: World) -> None:
    customer_id = world.member.customer_id
    twins = [
        Equipment(
            header=EquipmentHeader(serial_number="79", oem_name=make, model="K 8", equipment_id=f"Our {make}")
        )
        for make in ("Kranich", "Nordhoff")
    ]
    await import_machines(world.context, customer_id, twins)
    bare = Equipment(header=EquipmentHeader(serial_number=" 79 "), cumulative_operating_hours=Hours(NOW, 5))
    imported = await import_machines(world.context, customer_id, [bare, machine("P9")])
    assert (imported.added, imported.updated) == (1, 0)
    [refused] = imported.refused
    assert (refused.place.machine, refused.reason) == (
        1,
        "more than one machine goes by '79': Kranich K 8 (id Our Kranich) and Nordhoff K 8 (id Our Nordhoff)",
    )
    named = Equipment(header=EquipmentHeader(serial_number="79", oem_name="KRANICH", model="k 8"))
    assert (await import_machines(world.context, customer_id, [named])).updated == 1


async def test_a_pin_beats_a_serial_number_beats_an_id(world: World) -> None:
    customer_id = world.member.customer_id
    same = "SAME"
    machines = [
        machine("PIN-1", equipment_id=same),
        machine("PIN-2", serial_number=same),
        machine(same),
    ]
    for count, winner in ((1, "PIN-1"), (2, "PIN-2"), (3, same)):
        await import_machines(world.context, customer_id, machines[:count])
        found = (await read_equipment(world.context, FleetView(customer_id), sought_by(same))).equipment
        assert found.header.pin == winner


async def test_of_owners_of_the_same_pin_the_first_has_the_readings_and_the_import_tells_the_other(
    world: World, context: Context
) -> None:
    other = await World.make(context)
    told = []
    for owner, hours in ((world, 10.0), (other, 20.0)):
        machines = [machine("SHARED", hours=hours), machine(f"OWN-{owner.client_id}", hours=hours)]
        told.append(await import_machines(context, owner.member.customer_id, machines))
    assert [(each.added, [(no.place.machine, no.reason) for no in each.refused]) for each in told] == [
        (2, []),
        (2, [(1, WAITS)]),
    ]
    assert "Hillside" not in WAITS
    for owner, shown in ((world, Hours(at=NOW, hours=10)), (other, None)):
        found = (
            await read_equipment(context, FleetView(owner.member.customer_id), sought_by("SHARED"))
        ).equipment
        assert found.cumulative_operating_hours == shown
    silent = await import_machines(context, other.member.customer_id, [machine("SHARED")])
    assert [(each.element, each.reason) for each in silent.refused] == [(None, WAITS)]
