"""A figure of the right type is no reading yet: what devices send when they know nothing is refused by name."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from app.aemp.model.elements import Child, Element, Kind
from app.aemp.model.plausible import EVERYWHERE, NO_CLOCK, OF_CHILD
from app.aemp.model.times import format_time
from app.aemp.model.values import Location
from app.aemp.read.interpret import ALL_ELEMENTS
from app.aemp.read.report import Report, read_lines, read_reports

AT = "2026-05-04T12:00:00Z"
OPERATORS = Path("docs/operators.md")


def report(element: str, **children: Any) -> Report:
    (read,) = read_lines(json.dumps({"PIN": "P", element: {"datetime": AT, **children}}).encode())
    return read


def others(element: Element, child: Child) -> dict[str, Any]:
    """Good values for the other children that an element needs."""
    return {each.name: 1 for each in element.children if each.required and each is not child}


FIGURES = [
    (element, child)
    for element in ALL_ELEMENTS
    for child in element.children
    if child.kind in (Kind.DECIMAL, Kind.INTEGER) and child.name != "SwitchNumber"
]
REQUIRED = [(element, child) for element, child in FIGURES if child.required]


@pytest.mark.parametrize(("element", "child"), REQUIRED, ids=lambda part: part.name)
def test_a_figure_that_says_not_available_is_refused_by_name(element: Element, child: Child) -> None:
    for figure, sign in {**EVERYWHERE, **OF_CHILD.get(child.name, {})}.items():
        if child.kind is Kind.INTEGER or figure == round(figure, 2):
            read = report(element.name, **{child.name: figure, **others(element, child)})
            assert read.readings == ()
            [rejection] = read.rejections
            assert rejection.reason.startswith(f"{element.name}: {child.name} is ")
            assert rejection.reason.endswith(f", which says that there is none ({sign})")


def test_rounded_figures_that_say_not_available_are_recognised() -> None:
    for element, child, figure in (("Speed", "Speed", 256.0), ("Location", "Latitude", 219.497)):
        [rejection] = report(element, **{child: figure, "Longitude": 1}).rejections
        assert "which says that there is none" in rejection.reason


def test_what_need_not_be_there_and_says_not_available_is_left_out() -> None:
    [(_, place)] = report("Location", Latitude=1, Longitude=2, Altitude=5691.88).readings
    assert isinstance(place, Location)
    assert place.altitude_m is None
    tank = report("FuelRemaining", Percent=50, FuelTankCapacity=65535)
    assert [(reading.percent, reading.capacity_l) for _, reading in tank.readings] == [(50, None)]  # type: ignore[union-attr]  # a tank


@pytest.mark.parametrize(("element", "child"), FIGURES, ids=lambda part: part.name)
def test_a_figure_beyond_the_range_of_its_metric_is_refused_with_the_range(
    element: Element, child: Child
) -> None:
    for figure in (child.lowest - 1, child.highest + 1_000):
        read = report(
            element.name,
            **{child.name: figure, **{each.name: 1 for each in element.children if each is not child}},
        )
        [rejection] = read.rejections
        unit = f" {child.unit.spelling}" if child.unit else ""
        bounds = f"{child.lowest:,g} to {child.highest:,.0f}{unit}"
        assert f"{child.name} is {figure:.12g}{unit}, outside {bounds}" in rejection.reason


def test_a_refused_figure_is_told_as_it_was_seen() -> None:
    [rejection] = report("MaximumSpeedLast24", Speed=200, SpeedUnits="mph").rejections
    assert rejection.reason == "MaximumSpeedLast24: Speed is 200 mph, outside 0 to 250 kilometres per hour"


@pytest.mark.parametrize("place", [(0, 0), (0.0, -0.0), ("0.0000000", "0.0000004")])
def test_a_position_of_0_0_is_none(place: tuple[Any, Any]) -> None:
    read = report("Location", Latitude=place[0], Longitude=place[1])
    assert read.readings == ()
    assert [each.reason for each in read.rejections] == [
        "Location: Latitude and Longitude are 0/0: the device had no position"
    ]


@pytest.mark.parametrize("place", [(0, 9.45), (51.5, 0), (-0.5, 0.5)])
def test_a_position_on_the_equator_or_at_greenwich_is_one(place: tuple[float, float]) -> None:
    read = report("Location", Latitude=place[0], Longitude=place[1])
    assert (len(read.readings), read.rejections) == (1, ())


@pytest.mark.parametrize("at", NO_CLOCK)
def test_a_reading_of_a_device_without_a_clock_is_refused(at: Any) -> None:
    read = report("FuelUsed", FuelConsumed=5, datetime=format_time(at))
    [rejection] = read.rejections
    assert (read.readings, rejection.at) == ((), at)
    assert rejection.reason.endswith("begins: the device had no time")


@pytest.mark.parametrize("name", ["engine-runtime", "odometer", "speed"])
def test_a_figure_of_an_asset_is_judged_before_it_is_converted(name: str) -> None:
    """Four thousand million milliseconds are a plausible number of hours."""
    metrics = {name: {"value": 4294967295, "meta": {"collectedOn": AT}}}
    (read,) = read_reports(json.dumps([{"assetId": "7", "metrics": metrics}]).encode())
    [rejection] = read.rejections
    assert rejection.reason == f"{name} is 4294967295, which says that there is none (0xFFFFFFFF)"


def test_the_operators_guide_lists_each_figure_that_says_nothing() -> None:
    told = OPERATORS.read_text().split("### Readings that are none")[1].split("\n## ")[0]
    listed = {float(figure.replace(",", "")) for figure in re.findall(r"`([0-9][0-9,.]*)`", told)}
    figures = {*EVERYWHERE, *(figure for signs in OF_CHILD.values() for figure in signs)}
    ranges = {child.highest for _, child in FIGURES if child.highest < 1e12}
    assert figures | ranges <= listed
