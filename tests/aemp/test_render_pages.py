"""A document of many machines, written element by element, is to the byte what one machine after the other gives."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.aemp.address.negotiation import Representation
from app.aemp.model.columns import NEVER, Machines, flatten, side_by_side
from app.aemp.model.elements import ELEMENTS, HEADER, Child, Kind
from app.aemp.model.text import clean, decimal_writer
from app.aemp.model.times import format_time
from app.aemp.model.values import Equipment, Hours
from app.aemp.write.render_json import render_fleet_v2_json
from app.aemp.write.render_xml import render_fleet_v1_xml, render_fleet_v2_xml
from app.aemp.write.snapshot import Snapshot, take_snapshot
from tests.aemp.fleets import FLEETS, MOMENTS
from tests.aemp.machines import BARE_MACHINE, FULL_MACHINE, NOON, at

_XML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}


def figure(child: Child, value: Any) -> str:
    match child.kind:
        case Kind.BOOLEAN:
            return "true" if value else "false"
        case Kind.INTEGER:
            return str(value)
        case Kind.DECIMAL:
            return decimal_writer(child.decimals)(value)
        case Kind.TIME:
            return format_time(value)
    return clean(value or "")


def told(children: tuple[Child, ...], holder: Any) -> Iterator[tuple[Child, str]]:
    for child in children:
        value = getattr(holder, child.attribute)
        if value is not None or child.always:
            yield child, figure(child, value)


def in_json(children: tuple[Child, ...], holder: Any, *times: str) -> str:
    members = []
    for child, text in told(children, holder):
        value = orjson.dumps(text).decode() if child.kind in (Kind.TEXT, Kind.TIME) else text
        pair = [f'"{child.name}":{value}']
        unit = [f'"{child.unit.name}":"{child.unit.spelling}"'] if child.unit else []
        members += pair + unit if child.unit and child.unit.after else unit + pair
    members += [f'"{name}":"{format_time(holder.at)}"' for name in times]
    return f"{{{','.join(members)}}}"


def in_xml(children: tuple[Child, ...], holder: Any) -> str:
    written = ""
    for child, text in told(children, holder):
        value = re.sub("[&<>\r]", lambda found: _XML[found[0]], text)
        pair = f"<{child.name}>{value}</{child.name}>"
        unit = f"<{child.unit.name}>{child.unit.spelling}</{child.unit.name}>" if child.unit else ""
        written += pair + unit if child.unit and child.unit.after else unit + pair
    return written


def machine_in_json(machine: Equipment, *times: str) -> str:
    header = f'"EquipmentHeader":{in_json(HEADER, machine.header)}'
    elements = (
        f'"{element.name}":{in_json(element.children, reading, *times)}'
        for element in ELEMENTS
        if (reading := getattr(machine, element.attribute))
    )
    return f"{{{','.join((header, *elements))}}}"


def machine_in_xml(machine: Equipment) -> str:
    written = f"<EquipmentHeader>{in_xml(HEADER, machine.header)}</EquipmentHeader>"
    for element in ELEMENTS:
        if reading := getattr(machine, element.attribute):
            inner = in_xml(element.children, reading)
            written += f'<{element.name} datetime="{format_time(reading.at)}">{inner}</{element.name}>'
    return f"<Equipment>{written}</Equipment>"


def rows_of(machines: Machines) -> list[dict[str, Any]]:
    """The rows that PostgreSQL would give."""
    return [
        dict(zip(machines.columns, row, strict=True)) for row in zip(*machines.columns.values(), strict=True)
    ]


@given(FLEETS)
def test_json_is_that_of_one_machine_after_the_other(fleet: list[Equipment]) -> None:
    snapshot = Snapshot(NOON, tuple(fleet))
    plain = ",".join(machine_in_json(machine, "datetime") for machine in fleet)
    head = '{"snapshotTime":"2024-05-06T12:00:00Z","version":"1","Links":[],'
    assert render_fleet_v2_json(snapshot).decode() == f'{head}"Equipment":[{plain}]}}'
    vendor = ",".join(machine_in_json(machine, "datetime", "Datetime") for machine in fleet)
    written = render_fleet_v2_json(snapshot, Representation.SNAPSHOT_JSON).decode()
    assert written.partition('"Equipment":')[2] == f"[{vendor}]}}"


@given(FLEETS)
def test_xml_is_that_of_one_machine_after_the_other(fleet: list[Equipment]) -> None:
    written = render_fleet_v2_xml(Snapshot(NOON, tuple(fleet))).decode()
    plain = "".join(map(machine_in_xml, fleet))
    assert written.partition('snapshotTime="2024-05-06T12:00:00Z">')[2] == f"{plain}</Fleet>\n"


@given(FLEETS)
def test_aemp_1_2_of_many_machines_is_that_of_each(fleet: list[Equipment]) -> None:
    """One machine's form is judged in test_render_xml."""
    empty = render_fleet_v1_xml(Snapshot(NOON, ())).decode()
    opening = empty.removesuffix("</Fleet>\n")
    each = [render_fleet_v1_xml(Snapshot(NOON, (machine,))).decode() for machine in fleet]
    inner = "".join(one.removeprefix(opening).removesuffix("</Fleet>\n") for one in each)
    assert render_fleet_v1_xml(Snapshot(NOON, tuple(fleet))).decode() == f"{opening}{inner}</Fleet>\n"


@given(FLEETS, st.sampled_from([datetime(1970, 1, 1, tzinfo=UTC)]) | MOMENTS)
def test_rows_are_machines_without_what_they_told_before(fleet: list[Equipment], since: datetime) -> None:
    rows = rows_of(flatten(fleet))
    assert list(side_by_side(rows)) == fleet
    shown = [_since(machine, since) for machine in fleet]
    cut = side_by_side(rows, since=since)
    assert list(cut) == shown
    assert render_fleet_v2_json(take_snapshot(cut, (), now=NOON)) == render_fleet_v2_json(
        take_snapshot(tuple(shown), (), now=NOON)
    )
    newest = [max((reading.at for _, reading in _readings([machine])), default=None) for machine in shown]
    assert cut.newest == [at.timestamp() if at else NEVER for at in newest]


def _since(machine: Equipment, since: datetime) -> Equipment:
    readings = {element.attribute: getattr(machine, element.attribute) for element in ELEMENTS}
    kept = {name: reading for name, reading in readings.items() if reading and reading.at >= since}
    return Equipment(header=machine.header, **kept)


def _readings(fleet: list[Equipment]) -> Iterator[tuple[str, Any]]:
    for machine in fleet:
        for element in ELEMENTS:
            if reading := getattr(machine, element.attribute):
                yield element.name, reading


def test_values_without_their_time_are_no_reading() -> None:
    [row] = rows_of(flatten([FULL_MACHINE]))
    times = {element.at_column: None for element in ELEMENTS}
    machines = side_by_side([row | times])
    header = Snapshot(NOON, (Equipment(header=FULL_MACHINE.header),))
    for render in (render_fleet_v2_json, render_fleet_v2_xml, render_fleet_v1_xml):
        assert render(Snapshot(NOON, machines)) == render(header)
    assert machines.newest == [NEVER]


def test_reading_of_1970_is_a_reading() -> None:
    """Its time is zero."""
    machine = replace(BARE_MACHINE, cumulative_operating_hours=Hours(datetime(1970, 1, 1, tzinfo=UTC), 1.0))
    assert flatten([machine]).newest == [0.0]
    assert take_snapshot((machine,), (), now=at(1)).snapshot_at == datetime(1970, 1, 1, tzinfo=UTC)
    assert b'"datetime":"1970-01-01T00:00:00Z"' in render_fleet_v2_json(Snapshot(NOON, (machine,)))


@pytest.mark.parametrize("hours", [-0.0, -0.004])
def test_figure_that_is_nothing_but_a_sign_has_none(hours: float) -> None:
    """The machines beside it keep their figures."""
    readings = [Hours(NOON, each) for each in (7.125, hours, -3.5)]
    machines = tuple(replace(BARE_MACHINE, cumulative_operating_hours=each) for each in readings)
    document = render_fleet_v2_json(Snapshot(NOON, machines))
    assert re.findall(rb'"Hour":([^,]+)', document) == [b"7.12", b"0.00", b"-3.50"]
