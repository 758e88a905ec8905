"""What is wrong with a document is named with its place and the reason, and what is good is kept."""

import json
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.aemp.model.errors import ReadError
from app.aemp.model.values import Equipment, EquipmentHeader, Hours
from app.aemp.read.read_file import read_file
from tests.aemp.machines import FIXTURES, machines_in, read_document, told

AT = "2024-05-06T12:00:00Z"
BOMB = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))


def refusal(document: bytes | str, *, max_bytes: int = 1_000_000) -> str:
    """Why the whole document is refused."""
    data = document.encode() if isinstance(document, str) else document
    with pytest.raises(ReadError) as refused:
        read_file(data, "fleet", max_bytes=max_bytes)
    return str(refused.value)


def refused(document: str) -> str:
    """What the one refusal of a document says, of which the rest is kept."""
    [only] = told(read_file(document.encode(), "fleet"))
    return only


def with_reading(name: str, **children: Any) -> str:
    """Two machines, of which the second has the reading; a number that JSON cannot write may come as text."""
    machines = [{"EquipmentHeader": {"PIN": pin}} for pin in ("P-1", "P-2")]
    machines[1][name] = {"datetime": AT} | children
    return json.dumps({"Equipment": machines})


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        pytest.param("", "neither XML nor JSON", id="empty"),
        pytest.param("a,b,c", "neither XML nor JSON", id="table"),
        pytest.param("\ufeff", "neither XML nor JSON", id="only a mark"),
        pytest.param("{} {}", "line 1: not JSON", id="two documents"),
        pytest.param('{\n"Equipment": [,]}', "line 2: not JSON", id="broken JSON"),
        pytest.param("{}", "neither a fleet nor a machine", id="empty object"),
        pytest.param(
            '{"Links": [], "CumulativeLoadCount": []}', "does not say which machine", id="nameless series"
        ),
        pytest.param("[[[[]]]]", "neither a fleet nor a machine", id="lists of lists"),
        pytest.param("<Fleet>\n<Equipment>\n</Fleet>", "line 3: not well-formed XML", id="broken XML"),
        pytest.param("<Messages/>", "the root is 'messages'", id="another root"),
        pytest.param(b"[\xff]", "byte 1 is not UTF-8", id="no UTF-8"),
        pytest.param(
            '<?xml version="1.0" encoding="none"?><Fleet/>', "not well-formed XML", id="no encoding"
        ),
    ],
)
def test_documents_that_are_no_fleet_are_refused(document: bytes | str, reason: str) -> None:
    message = refusal(document)
    assert message.startswith("fleet: ")
    assert reason in message


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ('{"Equipment": [5]}', "machine 1"),
        ('{"Equipment": null}', "machine 1"),
        ("<Fleet><Equipment/></Fleet>", "line 1, machine 1"),
    ],
)
def test_a_machine_that_is_none_is_named_by_its_place(document: str, place: str) -> None:
    assert refused(document) == f"fleet: {place}: not an object with a machine's readings"


@pytest.mark.parametrize(
    ("name", "children", "reason"),
    [
        ("Location", {"Latitude": 90.1, "Longitude": 0}, "Location: Latitude is 90.1, outside -90 to 90"),
        ("Location", {"Latitude": 0, "Longitude": -180.5}, "Location: Longitude is -180.5, outside"),
        ("Location", {"Latitude": 1}, "Location: Longitude is missing; what is there is Latitude"),
        (
            "Location",
            {"Latitude": 1, "Longitude": {"deg": 1}},
            "Location: Longitude is \"{'deg': 1}\", not a value",
        ),
        ("FuelRemaining", {"Percent": 100.01}, "FuelRemaining: Percent is 100.01, outside 0 to 100"),
        ("DEFRemaining", {"Percent": -1}, "DEFRemaining: Percent is -1, outside"),
        ("CumulativeOperatingHours", {"Hour": -0.5}, "Hour is -0.5, outside"),
        ("CumulativeOperatingHours", {"Hour": "nan"}, "Hour is 'nan', not a number"),
        ("CumulativeOperatingHours", {"Hour": "1e999"}, "Hour is not a finite number"),
        ("CumulativeOperatingHours", {"Hour": "1_000"}, "Hour is '1_000', not a number"),
        ("CumulativeOperatingHours", {"Hour": "12,5"}, "Hour is '12,5', not a number"),
        ("CumulativeOperatingHours", {"Hour": True}, "Hour is 'True', not a number"),
        ("CumulativeOperatingHours", {"Hour": "P1M"}, "'P1M' is not a duration"),
        ("CumulativeOperatingHours", {"Hour": 1e13}, "Hour is 1e+13, outside"),
        ("CumulativeOperatingHours", {"Hour": 5, "datetime": "2024-05-06T12:00:00"}, "with a zone"),
        ("CumulativeOperatingHours", {"Hour": 5, "datetime": "2300-01-01T00:00:00Z"}, "outside the years"),
        ("CumulativeOperatingHours", {"Hour": 5, "datetime": None}, "it has no datetime"),
        ("CumulativeOperatingHours", {"Hour": [1, 2]}, "Hour stands there 2 times"),
        ("CumulativeLoadCount", {"Count": 5.5}, "Count is 5.5, not a whole number"),
        ("EngineStatus", {"Running": "maybe"}, "Running is 'maybe', neither true nor false"),
        ("EngineStatus", {"Running": True, "EngineNumber": [["x"]]}, "EngineNumber is not a text"),
        ("EngineStatus", {"Running": True, "EngineNumber": "x" * 256}, "longer than 255"),
        ("Distance", {"Odometer": 5, "OdometerUnits": "furlong"}, "'furlong' is not a unit"),
        ("Distance", {"Odometer": 5, "OdometerUnits": "litre"}, "'litre' is not a unit"),
        ("CumulativePayloadTotals", {"Payload": 5, "PayloadUnits": "ton"}, "'ton' is not a unit"),
    ],
)
def test_false_figure_names_machine_element_and_reason(
    name: str, children: dict[str, Any], reason: str
) -> None:
    document = with_reading(name, **children)
    message = refused(document)
    assert message.startswith(f"fleet: machine 2 ('P-2'): {name}: ")
    assert reason in message
    assert [machine.header.pin for machine in machines_in(read_file(document.encode(), "fleet"))] == [
        "P-1",
        "P-2",
    ]


def test_bad_machine_in_xml_is_named_by_its_line() -> None:
    document = (FIXTURES / "iso_fleet.xml").read_text().replace("51.51", "151.51")
    line = document[: document.index("<EquipmentHeader>\n            <EquipmentID>Tower")].count("\n")
    assert refused(document) == (
        f"fleet: line {line}, machine 2 ('004412'): Location: Latitude is 151.51, outside -90 to 90"
    )


def test_bad_asset_is_named_by_its_id_and_counted_with_the_areas() -> None:
    document = (FIXTURES / "rovi_assets.json").read_text().replace('"value": 5400000', '"value": "long"')
    assert refused(document) == "fleet: machine 3 ('thing:2'): engine-runtime is 'long', not a number"


@pytest.mark.parametrize(
    ("metrics", "reason"),
    [
        ([], None),
        ([1], "metrics is not an object"),
        ({"gps": 5}, "gps is not an object"),
        ({"gps": {"value": "north", "meta": {"collectedOn": AT}}}, "gps is not an object"),
        ({"gps": {"value": {"lat": 1, "lng": 2}}}, "Location: it has no datetime"),
        ({"fuel": {"value": 101, "meta": {"collectedOn": AT}}}, "Percent is 101"),
    ],
)
def test_broken_metrics_are_refused(metrics: Any, reason: str | None) -> None:
    document = json.dumps([{"assetId": "thing:7", "name": "Van", "metrics": metrics}])
    if reason is None:
        assert told(read_file(document.encode(), "fleet")) == []
    else:
        assert reason in refused(document)
    assert len(read_document(document.encode(), "fleet")) == 1


@pytest.mark.parametrize(
    "header", [{}, {"OEMName": "Nordhoff", "Model": "NX 220"}, {"PIN": "missing", "SerialNumber": "N/A"}]
)
def test_machine_without_identifier_is_refused(header: dict[str, str]) -> None:
    """It would be a new machine at every import."""
    assert "no PIN, SerialNumber or EquipmentID" in refused(json.dumps([{"EquipmentHeader": header}]))


def test_a_broken_install_time_is_named_and_its_machine_kept() -> None:
    document = json.dumps([{"EquipmentHeader": {"PIN": "P-1", "UnitInstallDateTime": "last year"}}])
    assert "('P-1'): UnitInstallDateTime: 'last year' is not" in refused(document)
    [machine] = read_document(document.encode(), "fleet")
    assert machine.header == EquipmentHeader(pin="P-1")


@pytest.mark.parametrize("name", ["PIN", "SerialNumber", "Model"])
def test_a_machine_whose_name_cannot_be_read_is_refused(name: str) -> None:
    """It could be taken for another one."""
    document = json.dumps([{"EquipmentHeader": {"EquipmentID": "7", name: {"text": "P-1"}}}])
    assert refused(document).endswith(f"{name} is not a text")
    assert read_document(document.encode(), "fleet") == ()


@pytest.mark.parametrize(
    "document",
    [
        '<!DOCTYPE Fleet [<!ENTITY e0 "ha">' + BOMB + "]><Fleet><Equipment>&e11;</Equipment></Fleet>",
        '<!DOCTYPE Fleet [<!ENTITY e0 "ha">' + BOMB + ']><Fleet version="&e11;"/>',
        '<!DOCTYPE Fleet [<!ENTITY f SYSTEM "file:///etc/passwd">]><Fleet><Equipment>&f;</Equipment></Fleet>',
        '<!DOCTYPE Fleet SYSTEM "http://127.0.0.1:9/fleet.dtd"><Fleet/>',
        '<!DOCTYPE Fleet [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p"> %p;]><Fleet/>',
        "<!DOCTYPE Fleet><Fleet/>",
        "<Fleet><Equipment>&unknown;</Equipment></Fleet>",
    ],
    ids=[
        "bomb",
        "bomb in attribute",
        "file",
        "remote type",
        "parameter entity",
        "bare type",
        "undefined entity",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_document_types_and_entities_are_refused_quickly(document: str, encoding: str) -> None:
    """R-70, in an encoding where a search for the bytes of `<!DOCTYPE` finds nothing too."""
    started = time.perf_counter()
    message = refusal(document.encode(encoding))
    assert time.perf_counter() - started < 1
    assert "root:" not in message


def test_file_named_by_an_entity_is_not_opened(tmp_path: Path) -> None:
    """R-70: its content would break the document, so that another refusal would show that it was read."""
    named = tmp_path / "secret.xml"
    named.write_text("<never closed")
    document = f'<!DOCTYPE Fleet [<!ENTITY f SYSTEM "{named.as_uri()}">]><Fleet>&f;</Fleet>'
    assert refusal(document) == "fleet: line 1: a document type declaration is refused"


@pytest.mark.parametrize(
    "document",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"Fleet":' * 500 + "1" + "}" * 500,
        "<Fleet>" * 300 + "</Fleet>" * 300,
        '{"Equipment": [' + "1" * 10_000 + "]}",
    ],
    ids=["lists", "objects", "wrappers", "elements", "digits"],
)
def test_endless_nesting_and_digits_are_refused(document: str) -> None:
    assert refusal(document).startswith("fleet: ")


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_constants_that_are_no_json_are_refused(constant: str) -> None:
    assert f"{constant} is not a number in JSON" in refusal(f'{{"Equipment": [{constant}]}}')


def test_number_beyond_all_bounds_is_refused() -> None:
    document = with_reading("CumulativeOperatingHours", Hour=777).replace("777", "1e999")
    assert "Hour is not a finite number" in refused(document)


def test_name_standing_twice_is_refused() -> None:
    """Parsers differ in which of the two counts."""
    assert "'Equipment' stands twice" in refusal('{"Equipment": [], "Equipment": []}')
    assert "stands twice" in refusal('{"Equipment": [{"EquipmentHeader": {"PIN": "1", "pin": "2"}}]}')


def test_an_element_that_stands_twice_is_two_readings_and_the_newest_is_shown() -> None:
    """By the rule of telemetry."""
    hours = "".join(
        f'<CumulativeOperatingHours datetime="2024-05-06T{hour}:00:00Z"><Hour>{hour}</Hour></CumulativeOperatingHours>'
        for hour in (11, 13, 12)
    )
    document = f"<Fleet><Equipment><EquipmentHeader><PIN>1</PIN></EquipmentHeader>{hours}</Equipment></Fleet>"
    [machine] = read_document(document.encode(), "fleet")
    assert machine.cumulative_operating_hours == Hours(datetime(2024, 5, 6, 13, tzinfo=UTC), 13)
    assert sorted(reading.hours for _, reading in machine.further) == [11, 12]  # type: ignore[union-attr]  # they are Hours


def test_document_beyond_the_bound_is_refused_unread() -> None:
    assert refusal("x" * 11, max_bytes=10) == "fleet: larger than 10 bytes"


@given(st.sampled_from(sorted(FIXTURES.iterdir())), st.data())
@settings(max_examples=200, deadline=None)
def test_damaged_documents_are_read_or_refused_but_never_crash(path: Path, data: st.DataObject) -> None:
    """One span of a good document replaced by anything: a machine comes out whole, or ReadError says why not."""
    document = path.read_bytes()
    begin = data.draw(st.integers(0, len(document)))
    end = data.draw(st.integers(begin, min(len(document), begin + 40)))
    filling = data.draw(
        st.binary(max_size=12)
        | st.sampled_from(
            [b"null", b"[]", b"{}", b'""', b"-1", b"1e999", b"true", b"<a/>", b"&lt;", b"\xff\xfe"]
        )
    )
    machines: tuple[Equipment, ...] = ()
    with suppress(ReadError):  # and nothing else
        machines = read_document(document[:begin] + filling + document[end:], path.name)
    assert all(m.header.pin or m.header.serial_number or m.header.equipment_id for m in machines)
