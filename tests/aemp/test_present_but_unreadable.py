"""What is there and cannot be read is named, with its place; a default is for what is not there."""

import json
from typing import Any

import pytest

from app.aemp.model.errors import FlawError
from app.aemp.read.read_file import read_file
from app.aemp.read.report import Report, read_lines, read_reports
from tests.aemp.machines import read_document, told

AT = "2026-05-04T12:00:00Z"


def json_report(element: str, told: Any) -> Report:
    (report,) = read_lines(json.dumps({"PIN": "P", element: told}).encode())
    return report


def xml_document(elements: str) -> bytes:
    header = "<EquipmentHeader><PIN>P</PIN></EquipmentHeader>"
    return f"<Fleet><Equipment>{header}{elements}</Equipment></Fleet>".encode()


def xml_report(elements: str) -> Report:
    (report,) = read_reports(xml_document(elements))
    return report


@pytest.mark.parametrize("unit", [1, True, {"Unit": "litre"}, {"uom": 3}], ids=json.dumps)
@pytest.mark.parametrize(
    ("element", "child", "units"),
    [
        ("FuelUsed", "FuelConsumed", "FuelUnits"),
        ("Distance", "Odometer", "OdometerUnits"),
        ("CumulativePayloadTotals", "Payload", "PayloadUnits"),
        ("MaximumSpeedLast24", "Speed", "SpeedUnits"),
    ],
)
def test_a_unit_that_is_no_text_is_refused_by_name_and_never_taken_for_ours(
    element: str, child: str, units: str, unit: Any
) -> None:
    report = json_report(element, {child: 5, units: unit, "datetime": AT})
    [rejection] = report.rejections
    assert (report.readings, rejection.element) == ((), element)
    assert rejection.reason.startswith(f"{element}: {units} is ")
    assert rejection.reason.endswith(", not a unit")


@pytest.mark.parametrize("unit", [None, "", "  "])
def test_a_unit_that_is_not_there_is_the_standards(unit: str | None) -> None:
    report = json_report("FuelUsed", {"FuelConsumed": 5, "FuelUnits": unit, "datetime": AT})
    assert [reading.fuel_l for _, reading in report.readings] == [5]  # type: ignore[union-attr]  # FuelConsumed


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ("<CumulativeIdleHours datetime='{AT}'><Minutes>90</Minutes></CumulativeIdleHours>", "Hour is missing; what is there is minutes"),
        ("<CumulativeIdleHours datetime='{AT}'><Hour>1</Hour><Minutes>30</Minutes></CumulativeIdleHours>", "minutes beside its value is not read"),
        ("<FuelUsed datetime='{AT}'>5</FuelUsed>", "FuelConsumed is missing; what is there is #text"),
        ("<FuelUsed datetime='{AT}'/>", "it holds no value"),
        ("<FuelUsed datetime='{AT}'><FuelConsumed unit='gallon'>5</FuelConsumed></FuelUsed>", "FuelConsumed is "),
        ("<FuelUsed datetime='{AT}' unit='gallon'><FuelConsumed>5</FuelConsumed></FuelUsed>", "unit beside its value is not read"),
        ("<FuelUsed datetime='{AT}'><FuelUnit>gallon</FuelUnit><FuelConsumed>5</FuelConsumed></FuelUsed>", "fuelunit beside its value is not read"),
        ("<FuelUsed datetime='{AT}'><FuelUnits>n/a</FuelUnits><FuelConsumed>5</FuelConsumed></FuelUsed>", "FuelUnits: 'n/a' is not a unit"),
        ("<FuelRemaining datetime='{AT}'><FuelTankCapacity>300</FuelTankCapacity></FuelRemaining>", "Percent is missing; what is there is FuelTankCapacity"),
        ("<EngineStatus datetime='{AT}'><State>on</State></EngineStatus>", "Running is missing; what is there is state"),
        ("<Distance datetime='{AT}'><Odometer>5<Note/></Odometer></Distance>", "Odometer is "),
        ("<Location datetime='{AT}'><Latitude>1</Latitude><Longitude>2</Longitude><Altitude><Feet>5</Feet></Altitude><AltitudeUnits>metre</AltitudeUnits></Location>", "AltitudeUnits is 'metre', but the value is in feet"),
        ("<Location datetime='{AT}'><Latitude>1</Latitude><Longitude>2</Longitude><Altitude><Feet>5</Feet><Metres>2</Metres></Altitude></Location>", "Altitude is "),
    ],
)  # fmt: skip
def test_an_element_whose_value_cannot_be_read_does_not_vanish(elements: str, reason: str) -> None:
    report = xml_report(elements.format(AT=AT))
    [rejection] = report.rejections
    assert report.readings == ()
    assert reason in rejection.reason
    assert rejection.place.line == 1


@pytest.mark.parametrize(
    ("element", "told", "reason"),
    [
        ("FuelUsed", {"FuelConsumed": 5, "datetime": 1778000000}, "datetime is '1778000000', not a date"),
        ("FuelUsed", {"FuelConsumed": 5, "datetime": [AT, AT]}, "datetime stands there 2 times"),
        ("FuelUsed", {"FuelConsumed": 5, "FuelConsumedSpecified": "maybe", "datetime": AT}, "FuelConsumedSpecified is"),
        ("FuelUsed", 5, "it is missing or holds no elements"),
        ("FuelUsed", {"FuelConsumed": {"#text": "5"}, "datetime": AT}, "not a value"),
        ("CumulativeIdleHours", {"minutes": 90, "datetime": AT}, "Hour is missing; what is there is minutes"),
    ],
)  # fmt: skip
def test_the_other_types_of_json_are_named_too(element: str, told: Any, reason: str) -> None:
    [rejection] = json_report(element, told).rejections
    assert reason in rejection.reason


@pytest.mark.parametrize(
    "told",
    [
        {"Percent": "", "FuelTankCapacity": "N/A", "datetime": AT},
        {"Percent": None},
        {"Percent": 0, "PercentSpecified": False, "datetime": AT},
        {"Percent": 5, "datetime": "0001-01-01T00:00:00Z"},
        {},
        None,
        " ",
    ],
    ids=json.dumps,
)
def test_what_its_sender_declares_absent_is_absent(told: Any) -> None:
    report = json_report("FuelRemaining", told)
    assert (report.readings, report.rejections) == ((), ())


def test_a_value_under_its_second_name_counts_when_the_first_is_empty() -> None:
    document = {"EquipmentHeader": {"PIN": "P", "OEMName": "", "Make": "Kranich"}}
    [machine] = read_document(json.dumps(document).encode(), "fleet")
    assert machine.header.oem_name == "Kranich"


@pytest.mark.parametrize("header", [5, "P", [{"PIN": "P"}, {"PIN": "Q"}]], ids=json.dumps)
def test_a_header_that_cannot_be_read_is_not_taken_for_none(header: Any) -> None:
    (report,) = read_lines(json.dumps({"PIN": "P", "EquipmentHeader": header}).encode())
    [rejection] = report.rejections
    assert report.name is None
    assert "EquipmentHeader" in rejection.reason


@pytest.mark.parametrize(
    ("metrics", "reason"),
    [
        ("none", "metrics is not an object"),
        (0, "metrics is not an object"),
        ({"fuel": {"val": 5}}, "fuel has no value"),
        ({"fuel": {"value": 5, "meta": AT}}, "meta of fuel is not an object"),
        ({"fuel": {"value": 5, "meta": {"collectedOn": 17}}}, "datetime is '17', not a date"),
        ({"input1": {"value": "up", "meta": {"collectedOn": AT}}}, "SwitchState is 'up'"),
    ],
)
def test_metrics_of_an_asset_do_not_vanish(metrics: Any, reason: str) -> None:
    asset = {"assetId": "thing:7", "name": "Van", "metrics": metrics}
    [refused] = told(read_file(json.dumps([asset]).encode(), "fleet"))
    assert refused.startswith("fleet: machine 1 ('thing:7'): ")
    assert reason in refused


def test_text_in_place_of_a_series_is_no_empty_series() -> None:
    with pytest.raises(FlawError, match="the root holds the text 'offline' and no elements"):
        tuple(read_reports(b"<FuelUsedMessages>offline</FuelUsedMessages>"))
