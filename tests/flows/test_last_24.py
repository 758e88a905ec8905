"""The figures of the last 24 hours: computed from history up to the newest reading, told ones left alone."""

import asyncio
from datetime import timedelta

from app.aemp.history.history import NamedReading
from app.aemp.model.identifiers import Name
from app.aemp.model.series import Metric
from app.aemp.model.values import FuelConsumed, Percentage, Speed
from app.aemp.read.read import Place
from app.aemp.read.report import Report
from app.flows.fleet.last_24 import refresh_last_24
from app.flows.fleet.write_telemetry import write_telemetry
from app.storage.fleet.fleet_import import ingest
from tests.support.changing import until_somebody_waits
from tests.support.history import HOUR, THEN, add, figures, snapshot
from tests.support.people import World

DAY = timedelta(days=1)


async def tell(world: World, *readings: NamedReading) -> None:
    await write_telemetry(
        world.context, world.member.customer_id, iter([Report(Place(1), Name("pin", "P1"), readings)])
    )


def speed(at: timedelta, kmh: float) -> NamedReading:
    return "Speed", Speed(THEN + at, kmh)


def fuel(at: timedelta, litres: float) -> NamedReading:
    return "FuelUsed", FuelConsumed(THEN + at, litres)


def load(at: timedelta, percent: float) -> NamedReading:
    return "EngineLoad", Percentage(THEN + at, percent)


async def test_figures_are_of_the_day_before_the_newest_reading(world: World) -> None:
    customer_id = world.member.customer_id
    await add(world.context, customer_id, "P1")
    await tell(world, speed(-DAY, 90), speed(-HOUR, 40), speed(timedelta(), 12))
    await tell(
        world,
        fuel(-DAY - HOUR, 100),
        fuel(-5 * HOUR, 130),
        fuel(-HOUR, 142),
        load(-HOUR, 50),
        load(-2 * HOUR, 70),
    )
    assert await refresh_last_24(world.context) >= 1
    shown = await snapshot(world.context, customer_id, "P1")
    assert shown.maximum_speed_last_24 == Speed(THEN, 40)
    assert shown.fuel_used_last_24 == FuelConsumed(THEN, 42)
    assert shown.average_load_factor_last_24 == Percentage(THEN, 60)
    for metric, value in (
        (Metric.MAXIMUM_SPEED_LAST_24, 40),
        (Metric.FUEL_USED_LAST_24, 42),
        (Metric.AVERAGE_LOAD_FACTOR_LAST_24, 60),
    ):
        assert await figures(world.context, customer_id, metric) == [(THEN, value)]
    assert await refresh_last_24(world.context) == 0, "nothing new, nothing to do"


async def test_a_figure_the_machine_tells_itself_stands(world: World) -> None:
    customer_id = world.member.customer_id
    await add(world.context, customer_id, "P1")
    await tell(
        world, fuel(-2 * HOUR, 130), fuel(timedelta(), 142), ("FuelUsedLast24", FuelConsumed(THEN, 99))
    )
    await refresh_last_24(world.context)
    shown = await snapshot(world.context, customer_id, "P1")
    assert shown.fuel_used_last_24 == FuelConsumed(THEN, 99)
    assert await figures(world.context, customer_id, Metric.FUEL_USED_LAST_24) == [(THEN, 99)]
    assert shown.maximum_speed_last_24 is None


async def test_what_is_told_while_figures_are_computed_stands(world: World) -> None:
    """A figure never goes back to an older one."""
    await add(world.context, world.member.customer_id, "P1")
    await tell(world, fuel(-2 * HOUR, 130), fuel(timedelta(), 142))
    async with ingest(world.context.database) as writer:
        told = "UPDATE equipment_latest SET fuel_used_last_24_at = $1, fuel_used_last_24_l = 99 WHERE customer_id = $2"
        assert await writer.count(told, THEN + HOUR, world.member.customer_id) == 1
        refreshed = asyncio.create_task(refresh_last_24(world.context))
        await until_somebody_waits(world.context, "equipment_latest")
    assert await refreshed >= 1
    shown = await snapshot(world.context, world.member.customer_id, "P1")
    assert shown.fuel_used_last_24 == FuelConsumed(THEN + HOUR, 99)


async def test_more_machines_than_a_batch_are_all_refreshed(world: World) -> None:
    pins = [f"M{number}" for number in range(450)]
    await add(world.context, world.member.customer_id, *pins)
    reports = [Report(Place(1), Name("pin", pin), (speed(timedelta(), 5),)) for pin in pins]
    await write_telemetry(world.context, world.member.customer_id, iter(reports))
    assert await refresh_last_24(world.context) >= len(pins)
    peaks = await figures(world.context, world.member.customer_id, Metric.MAXIMUM_SPEED_LAST_24)
    assert peaks == [(THEN, 5)] * len(pins)
