"""Offsets: a machine's hours and odometer go on after its device was replaced, whenever the readings come."""

import asyncio
import math

import pytest

from app.aemp.history.history import NamedReading
from app.aemp.model.identifiers import Name
from app.aemp.model.series import Metric
from app.aemp.model.values import Distance, Hours
from app.aemp.read.read import Place
from app.aemp.read.report import Report
from app.flows.fleet.find_machine import MachineError
from app.flows.fleet.set_offset import OffsetError, set_offset
from app.flows.fleet.write_telemetry import write_telemetry
from app.oauth.actor import COMMAND_LINE
from tests.support.history import HOUR, THEN, add, figures, snapshot
from tests.support.people import World

HOURS = Metric.CUMULATIVE_OPERATING_HOURS
KM = Metric.DISTANCE


async def tell(world: World, *readings: NamedReading) -> None:
    report = Report(Place(1), Name("pin", "P1"), readings)
    written = await write_telemetry(world.context, world.member.customer_id, iter([report]))
    assert written.accepted == len(readings)


def hours(step: int, value: float) -> NamedReading:
    return "CumulativeOperatingHours", Hours(THEN + step * HOUR, value)


@pytest.fixture
async def swapped(world: World) -> World:
    """P1 counted to 100.25 hours and 500 km; its new device began at zero with the third hour."""
    await add(world.context, world.member.customer_id, "P1")
    await tell(world, hours(0, 90), hours(1, 100.25), ("Distance", Distance(THEN, 500)))
    await tell(world, hours(2, 0.5), hours(3, 1.5))
    return world


async def values(world: World) -> list[float]:
    return [value for _, value in await figures(world.context, world.member.customer_id, HOURS)]


async def test_figures_go_on_from_where_they_stood(swapped: World) -> None:
    """Figures that came before the offset was set go on, those after, and the newest."""
    customer_id = swapped.member.customer_id
    done = await set_offset(swapped.context, COMMAND_LINE, swapped.member, "p1", THEN + 2 * HOUR, values={})
    assert (done.values, done.restated) == ({HOURS: 100.25, KM: 500}, 2)
    assert await values(swapped) == [90, 100.25, 100.75, 101.75]
    shown = await snapshot(swapped.context, customer_id, "P1")
    assert shown.cumulative_operating_hours == Hours(THEN + 3 * HOUR, 101.75)
    await tell(swapped, hours(4, 2.5), ("Distance", Distance(THEN + 4 * HOUR, 7)))
    assert (await values(swapped))[-1] == 102.75
    shown = await snapshot(swapped.context, customer_id, "P1")
    assert shown.distance == Distance(THEN + 4 * HOUR, 507)


async def test_a_late_reading_of_the_old_device_stays_as_it_is(swapped: World) -> None:
    await set_offset(
        swapped.context, COMMAND_LINE, swapped.member, "P1", THEN + 2 * HOUR, values={HOURS: 100}
    )
    await tell(swapped, ("CumulativeOperatingHours", Hours(THEN + HOUR / 2, 95)), hours(2, 0.5))
    assert await values(swapped) == [90, 95, 100.25, 100.5, 101.5]


async def test_the_same_again_changes_nothing_and_another_figure_replaces_it(swapped: World) -> None:
    for added, restated, expected in ((100, 2, 101.5), (100, 0, 101.5), (120, 2, 121.5)):
        done = await set_offset(
            swapped.context, COMMAND_LINE, swapped.member, "P1", THEN + 2 * HOUR, values={HOURS: added}
        )
        assert done.restated == restated
        assert (await values(swapped))[-1] == expected


async def test_of_two_who_set_it_at_once_the_second_sees_what_the_first_did(swapped: World) -> None:
    """Figures that were restated by both would be off by an offset for ever."""
    calls = [
        set_offset(
            swapped.context, COMMAND_LINE, swapped.member, "P1", THEN + 2 * HOUR, values={HOURS: 100 + n}
        )
        for n in range(6)
    ]
    await asyncio.gather(*calls)
    await set_offset(
        swapped.context, COMMAND_LINE, swapped.member, "P1", THEN + 2 * HOUR, values={HOURS: 100}
    )
    assert await values(swapped) == [90, 100.25, 100.5, 101.5]


async def test_a_second_replacement_leaves_the_first_one_in_force_before_it(swapped: World) -> None:
    await set_offset(
        swapped.context, COMMAND_LINE, swapped.member, "P1", THEN + 3 * HOUR, values={HOURS: 200}
    )
    await set_offset(
        swapped.context, COMMAND_LINE, swapped.member, "P1", THEN + 2 * HOUR, values={HOURS: 100}
    )
    assert await values(swapped) == [90, 100.25, 100.5, 201.5]


async def test_what_is_not_clear_changes_nothing(swapped: World) -> None:
    for name, added, refusal, reason in (
        ("P2", {}, MachineError, "Hillside Plant Hire has no machine P2"),
        ("P1", {}, OffsetError, "nothing is known of P1 before then"),
        ("P1", {HOURS: math.nan}, OffsetError, "nan cannot be added to any figure"),
        ("P1", {KM: -math.inf}, OffsetError, "-inf cannot be added to any figure"),
        ("P1", {HOURS: 1, KM: 2e12}, OffsetError, r"2e\+12 cannot be added to any figure"),
    ):
        with pytest.raises(refusal, match=reason):
            await set_offset(swapped.context, COMMAND_LINE, swapped.member, name, THEN, values=added)
    assert await values(swapped) == [90, 100.25, 0.5, 1.5]
