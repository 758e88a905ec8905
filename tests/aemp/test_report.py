"""Batches of readings: each line and each element judged by itself, and what is wrong with it said."""

import json
from contextlib import suppress
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.aemp.model.errors import FlawError, ReadError
from app.aemp.model.identifiers import Name
from app.aemp.model.values import (
    EquipmentHeader,
    Fault,
    FuelConsumed,
    Hours,
    LoadCount,
    Payload,
    Speed,
    SwitchStatus,
)
from app.aemp.read.read import Place
from app.aemp.read.read_file import read_file
from app.aemp.read.report import Rejection, Report, read_all, read_lines, read_reports
from tests.aemp.machines import told

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)
TIME = b'"datetime": "2026-05-04T12:00:00Z"'


def line(text: bytes) -> Report:
    (report,) = read_lines(text.replace(b"TIME", TIME))
    return report


def reason_of(report: Report) -> str:
    (rejection,) = report.rejections
    return rejection.reason


def test_a_line_is_a_machine_and_its_readings() -> None:
    report = line(
        b'{"PIN": " ab1 ", "FuelUsed": [{"FuelConsumed": 5, TIME}, {"FuelUnits": "gallon", "FuelConsumed": 2, TIME}], '
        b'"Speed": {"SpeedUnits": "m/s", "Speed": 2, TIME}, '
        b'"SwitchStatus": {"SwitchNumber": 3, "SwitchState": true, TIME}, '
        b'"FaultCode": {"CodeIdentifier": "SPN 100", "CodeSeverity": "red", TIME}}'
    )
    assert report == Report(
        Place(1),
        Name("pin", "AB1"),
        (
            ("FuelUsed", FuelConsumed(AT, 5)),
            ("FuelUsed", FuelConsumed(AT, 2 * 3.785411784)),
            ("SwitchStatus", SwitchStatus(AT, 3, on=True)),
            ("FaultCode", Fault(AT, "SPN 100", severity="red")),
            ("Speed", Speed(AT, 7.2)),
        ),
        header=EquipmentHeader(pin="ab1"),
    )


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (b'"EquipmentHeader": {"SerialNumber": "7", "PIN": "P"}', ("pin", "P")),
        (b'"EquipmentID": "x", "SerialNumber": "7"', ("serial_number", "7")),
        (b'"equipmentheader": {"equipmentID": " no  5 "}', ("equipment_id", "NO 5")),
    ],
)
def test_the_best_identifier_names_the_machine(header: bytes, name: tuple[str, str]) -> None:
    assert line(b'{%b, "FuelUsed": {"FuelConsumed": 5, TIME}}' % header).name == Name(*name)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"{", "not JSON"),
        (b"[1]", "not an object with a machine's readings"),
        (b'"P"', "not an object with a machine's readings"),
        (b'{"FuelUsed": {"FuelConsumed": 5, TIME}}', "no PIN, SerialNumber or EquipmentID"),
        (b'{"PIN": "P", "PIN": "Q"}', "stands twice"),
    ],
)
def test_a_line_that_says_nothing_of_a_machine_is_rejected_whole(text: bytes, reason: str) -> None:
    report = line(text)
    assert reason in reason_of(report)
    assert (report.name, report.readings) == (None, ())


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        (b'"FuelUsed": {"FuelConsumed": -1, TIME}', "FuelUsed: FuelConsumed is -1 litre, outside"),
        (b'"FuelUsed": {"FuelConsumed": 1}', "FuelUsed: it has no datetime"),
        (b'"FuelUsed": {"FuelConsumed": 1, "datetime": "2026-05-04T12:00:00"}', "with a zone"),
        (b'"FuelUsed": {"Fuel": 1, TIME}', "FuelConsumed is missing; what is there is fuel"),
        (b'"FuelUsd": {"FuelConsumed": 1, TIME}', "no element that is kept"),
        (
            b'"SwitchStatus": {"SwitchNumber": 17, "SwitchState": true, TIME}',
            "SwitchStatus: SwitchNumber is 17, outside 1 to 16",
        ),
        (b'"FuelUsed": {"FuelConsumed": NaN, TIME}', "NaN is not a number"),
    ],
)
def test_a_reading_that_cannot_be_true_is_rejected_and_the_rest_is_kept(element: bytes, reason: str) -> None:
    report = line(b'{"PIN": "P", "CumulativeOperatingHours": {"Hour": 1, TIME}, %b}' % element)
    assert reason in reason_of(report)
    if report.name:  # but where the line itself is no JSON
        assert report.readings == (("CumulativeOperatingHours", Hours(AT, 1)),)


def test_an_odd_time_loses_its_own_reading_and_no_other() -> None:
    told = b'"FuelUsed": [{"FuelConsumed": 1, "datetime": "2026-05-04T12:00:61Z"}, {"FuelConsumed": 2, TIME}]'
    report = line(b'{"PIN": "P", %b}' % told)
    assert report.readings == (("FuelUsed", FuelConsumed(AT, 2)),)
    assert reason_of(report) == "FuelUsed: 2026-05-04T12:00:61Z is no date of the calendar"


def test_a_customers_name_of_a_machine_in_a_providers_words_is_no_reading() -> None:
    report = line(b'{"BodasMachineID": "7", "Make": "Kranich", "FuelUsed": {"FuelConsumed": 5, TIME}}')
    assert (report.name, report.rejections) == (Name("equipment_id", "7"), ())


@pytest.mark.parametrize(
    "body", [b"0\n" * 25_000, b'{"PIN": "P", "Speed": [' + b"1," * 25_000 + b"1]}", b"{}\n" * 25_000]
)
def test_what_is_no_batch_at_all_is_refused_whole(body: bytes) -> None:
    """R-75: to name everything in a mebibyte of it takes seconds, and an answer of forty mebibytes."""
    with pytest.raises(FlawError, match="more than 20000"):
        read_all(read_lines(body))


def test_a_rejection_names_line_element_and_time() -> None:
    first, second = read_lines(b'\n{"PIN": "P"}\r\n{"PIN": "P", "Distance": {"Odometer": -1, %b}}\n' % TIME)
    assert (first.place, first.rejections) == (Place(2), ())
    reason = "Distance: Odometer is -1 kilometre, outside 0 to 10,000,000 kilometre"
    assert second.rejections == (Rejection(Place(3), "Distance", AT, reason),)


def test_a_document_of_machines_is_a_batch_too() -> None:
    document = (
        b'<Fleet xmlns="http://standards.iso.org/iso/15143/-3">\n<Equipment><EquipmentHeader><PIN>P</PIN></EquipmentHeader>'
        b'<FuelUsed datetime="2026-05-04T12:00:00Z"><FuelConsumed>5</FuelConsumed></FuelUsed>'
        b'<FuelUsed datetime="x"><FuelConsumed>6</FuelConsumed></FuelUsed></Equipment></Fleet>'
    )
    (report,) = read_reports(document)
    assert report.readings == (("FuelUsed", FuelConsumed(AT, 5)),)
    assert [(each.place, each.at) for each in report.rejections] == [(Place(2, 1), None)]


@pytest.mark.parametrize("document", [b"", b"PIN,5", b"<!DOCTYPE x><Fleet/>", b"<Other/>"])
def test_what_is_no_document_is_refused_whole(document: bytes) -> None:
    """R-70."""
    with pytest.raises(FlawError):
        tuple(read_reports(document))


def test_a_document_is_parsed_by_whoever_goes_through_it() -> None:
    """A thread does, while the event loop serves others."""
    reports = read_reports(b"not a document")
    with pytest.raises(FlawError, match="neither XML nor JSON"):
        next(reports)


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=20) | st.integers(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    ["PIN", "Location", "Latitude", "FuelUsed", "FuelConsumed", "datetime", "Links", "href"]
                )
                | st.text(max_size=9),
                inner,
                max_size=6,
            )
        ),
        max_leaves=20,
    ).map(lambda document: json.dumps(document).encode())
)
def test_whatever_is_sent_is_read_or_named_and_can_be_answered(body: bytes) -> None:
    """Half a character in a name would otherwise fail the answer, a NUL the database."""
    reports = list(read_lines(body))
    with suppress(FlawError):
        reports += read_reports(body)
    for report in reports:
        for rejection in report.rejections:
            orjson.dumps([rejection.element, rejection.reason])
        if report.name:
            assert "\0" not in report.name.value
            orjson.dumps(tuple(report.name))


LOADS = b"""<CumulativeLoadCountMessages xmlns="http://standards.iso.org/iso/15143/-3">
<Links><rel>self</rel><href>/Fleet/Equipment/B%20%2F7/CumulativeLoadCount/a/b/1</href></Links>
<CumulativeLoadCount datetime="2026-05-04T12:00:00Z"><Count>13000</Count></CumulativeLoadCount>
<CumulativeLoadCount datetime="2026-05-04T12:00:00Z"><Count>13050</Count></CumulativeLoadCount>
</CumulativeLoadCountMessages>"""


def series(data: bytes, name: str, machine: str | None) -> tuple[Report, ...]:
    file = read_file(data, name, machine)
    return file.reports if file.is_series else ()


def test_a_series_is_of_the_machine_its_links_name() -> None:
    (report,) = series(LOADS, "loads.xml", None)
    assert report.name == Name(None, "B /7")
    assert [reading for _, reading in report.readings] == [LoadCount(AT, 13000), LoadCount(AT, 13050)]


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/aemp/v2/Fleet/Equipment/ID/12/Distance", Name("equipment_id", "12")),
        (
            "/api/v2/Fleet/Equipment/ID/12/Distance?page=2&addMetadata=true",
            Name("equipment_id", "12"),
        ),
        (
            "https://x.example/fleet/equipment/makeModelSerial/Cat/D6/77/distance/a/b",
            Name("serial_number", "77", "Cat", "D6"),
        ),
        ("/Fleet/Equipment/Cat/D%206/77/distance/a/b", Name("serial_number", "77", "Cat", "D 6")),
        ("/Fleet/Equipment/Cat//77/distance/a/b", Name("serial_number", "77", "Cat", "")),
        ("/Fleet/Equipment/Distance/Distance/a/b/1", Name(None, "DISTANCE")),
    ],
)
def test_every_form_of_address_names_its_machine(address: str, name: Name) -> None:
    document = f'[{{"links": [{{"rel": "self", "href": "{address}"}}], "Distance": []}}]'
    (report,) = series(document.encode(), "x", None)
    assert report.name == name


HEADER = '{"OEMName": "Kranich", "Model": "K 8", "SerialNumber": "77"}'
FUEL = '"FuelUsed": [{"FuelConsumed": 5, "datetime": "2026-05-04T12:00:00Z"}, {"FuelConsumed": 6, "datetime": "2026-05-04T12:05:00Z"}]'


@pytest.mark.parametrize(
    "document",
    [
        f'[{{{FUEL}, "EquipmentHeader": {HEADER}, "links": [{{"rel": "self", "href": "/Fleet/Equipment/OTHER/CumulativeFuelUsed/a/b/1"}}]}}]',
        f'{{"EquipmentHeader": {HEADER}, {FUEL}, "Version": "1"}}',
        """<FuelUsedMessages><EquipmentHeader><OEMName>Kranich</OEMName><Model>K 8</Model><SerialNumber>77</SerialNumber>
        </EquipmentHeader><FuelUsed datetime="2026-05-04T12:00:00Z"><FuelConsumed>5</FuelConsumed></FuelUsed>
        <FuelUsed datetime="2026-05-04T12:05:00Z"><FuelConsumed>6</FuelConsumed></FuelUsed></FuelUsedMessages>""",
    ],
    ids=["list of pages", "page without links", "XML"],
)
def test_a_series_with_a_header_is_of_the_machine_that_the_header_names(document: str) -> None:
    file = read_file(document.encode(), "x")
    [report] = file.reports
    assert (file.is_series, file.rejections, file.ignored) == (True, (), ())
    assert report.name == Name("serial_number", "77", "Kranich", "K 8")
    assert [reading.fuel_l for _, reading in report.readings] == [5, 6]  # type: ignore[union-attr]  # FuelConsumed
    assert [each.name for each in read_reports(document.encode())] == [report.name]


def test_a_series_whose_header_has_no_identifier_is_of_the_machine_that_its_links_name() -> None:
    links = '[{"href": "/Fleet/Equipment/P/CumulativeFuelUsed/a/b/1"}]'
    document = f'{{"EquipmentHeader": {{"Model": "K 8"}}, {FUEL}, "links": {links}}}'
    assert [each.name for each in series(document.encode(), "x", None)] == [Name(None, "P")]


def test_a_snapshot_of_one_machine_is_no_series() -> None:
    document = b'[{"FuelUsed": {"FuelConsumed": 5, %b}, "EquipmentHeader": {"BodasMachineId": "Machine 2"}, "SnapshotTime": "x", "Version": "0.0.1"}]'
    file = read_file(document % TIME, "x")
    assert (file.is_series, file.rejections) == (False, ())
    assert [report.name for report in file.reports] == [Name("equipment_id", "MACHINE 2")]


def test_a_series_without_a_machine_needs_one_named() -> None:
    document = LOADS.replace(b"/Fleet/Equipment/B%20%2F7", b"")
    with pytest.raises(ReadError, match=r"loads\.xml: it does not say which machine") as refused:
        series(document, "loads.xml", None)
    assert refused.value.code == "nameless_series"
    assert series(document, "loads.xml", "p")[0].name == Name(None, "P")


def test_the_standards_odd_names_are_read() -> None:
    payload = b"""<CumulativePayloadTotalMessages><CumulativePayloadTotals datetime="2026-05-04T12:00:00Z">
    <PayloadUnits>tonne</PayloadUnits><Payload>2</Payload></CumulativePayloadTotals></CumulativePayloadTotalMessages>"""
    assert series(payload, "x", "P")[0].readings == (("CumulativePayloadTotals", Payload(AT, 2000)),)
    idle = b"""<CumulativeNonproductiveIdleHoursMessages><CumulativeNonproductiveIdleHours datetime="2026-05-04T12:00:00Z">
    <Hour>2</Hour></CumulativeNonproductiveIdleHours></CumulativeNonproductiveIdleHoursMessages>"""
    [(_, reading)] = series(idle, "x", "P")[0].readings
    assert reading == Hours(AT, 2)


def test_a_fault_in_a_series_loses_its_own_reading_alone() -> None:
    file = read_file(LOADS.replace(b"13050", b"-5"), "x")
    assert told(file) == [
        "x: machine 1 ('B /7'): CumulativeLoadCount: Count is -5, outside 0 to 1,000,000,000"
    ]
    [report] = file.reports
    assert [reading for _, reading in report.readings] == [LoadCount(AT, 13000)]


def test_a_fleet_is_no_series() -> None:
    assert series(b'{"Equipment": []}', "x", None) == ()
    assert series(b"<Fleet/>", "x", None) == ()


def test_an_element_that_nobody_keeps_is_named_and_refuses_nothing_of_a_file() -> None:
    file = read_file(
        LOADS.replace(b"</CumulativeLoadCountMessages>", b"<Tilt/></CumulativeLoadCountMessages>"), "x"
    )
    assert (file.ignored, file.rejections) == (("tilt",), ())


@pytest.mark.parametrize(
    "document",
    [b"{}", b'{"statusCode": 429}', b'{"Links": [{"Rel": "Self", "Href": "/Fleet/1"}]}', b'[{"a": 1}]'],
)
def test_what_names_neither_readings_nor_a_machine_is_no_series(document: bytes) -> None:
    """Imported as one it would be an import of nothing that succeeds."""
    with pytest.raises(ReadError):
        read_file(document, "x", "P")
    with pytest.raises(FlawError):
        tuple(read_reports(document))


def test_a_series_without_readings_is_one() -> None:
    assert [report.readings for report in series(b'{"Distance": []}', "x", "P")] == [()]
    links = b'{"links": [{"href": "/Fleet/Equipment/P/Distance/a/b/7"}]}'
    assert [report.name for report in series(links, "x", None)] == [Name(None, "P")]
