"""Series: names, roots and elements as readers of the standard expect each, in both formats."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from app.aemp.address.negotiation import Representation
from app.aemp.model.elements import Kind
from app.aemp.model.series import (
    CAUTION_CODES,
    FAULTS,
    LOCATIONS,
    SERIES,
    SWITCH_METRICS,
    Metric,
    Series,
    find_series,
)
from app.aemp.model.values import Fault, Hours, Location, Reading, SwitchStatus, TankLevel
from app.aemp.write.render_json import render_series_json
from app.aemp.write.render_xml import render_series_xml
from app.aemp.write.snapshot import SeriesPage
from tests.aemp.machines import FULL_MACHINE, NOON, at, links_of

ISO = "http://standards.iso.org/iso/15143/-3"
BASE = "https://data.example/api/v2/Fleet/Equipment/X/Distance/2024-05-06T00:00:00Z/2024-05-07T00:00:00Z"

# Segment, root, element and its children in order, written apart from the table they judge.
EXPECTED = {
    "Locations": ("LocationMessages", "Location", "Latitude Longitude Altitude AltitudeUnits"),
    "CumulativeOperatingHours": ("CumulativeOperatingHoursMessages", "CumulativeOperatingHours", "Hour"),
    "CumulativeIdleHours": ("CumulativeIdleHoursMessages", "CumulativeIdleHours", "Hour"),
    "CumulativeNonProductiveIdleHours": (
        "CumulativeNonproductiveIdleHoursMessages",
        "CumulativeNonproductiveIdleHours",
        "Hour",
    ),
    "CumulativeFuelUsed": ("FuelUsedMessages", "FuelUsed", "FuelUnits FuelConsumed"),
    "FuelUsedInThePreceding24Hours": ("FuelUsedLast24Messages", "FuelUsedLast24", "FuelUnits FuelConsumed"),
    "FuelRemainingRatio": (
        "FuelRemainingMessages",
        "FuelRemaining",
        "Percent FuelTankCapacityUnits FuelTankCapacity",
    ),
    "DEFRemainingRatio": (
        "DEFRemainingMessages",
        "DEFRemaining",
        "Percent DEFTankCapacityUnits DEFTankCapacity",
    ),
    "Distance": ("DistanceMessages", "Distance", "OdometerUnits Odometer"),
    "EngineCondition": ("EngineStatusMessages", "EngineStatus", "EngineNumber Running"),
    "CumulativeLoadCount": ("CumulativeLoadCountMessages", "CumulativeLoadCount", "Count"),
    "CumulativePayloadTotals": (
        "CumulativePayloadTotalMessages",
        "CumulativePayloadTotals",
        "PayloadUnits Payload",
    ),
    "CumulativeActiveRegenerationHours": (
        "CumulativeActiveRegenerationHoursMessages",
        "CumulativeActiveRegenerationHours",
        "Hour",
    ),
    "CumulativePowerTakeOffHours": (
        "CumulativePowerTakeOffHoursMessages",
        "CumulativePowerTakeOffHours",
        "Hour",
    ),
    "AverageDailyEngineLoadFactors": (
        "AverageLoadFactorLast24Messages",
        "AverageLoadFactorLast24",
        "Percent",
    ),
    "PeakDailySpeed": ("MaximumSpeedLast24Messages", "MaximumSpeedLast24", "SpeedUnits Speed"),
    "SwitchStatus": ("SwitchStatusMessages", "SwitchStatus", "SwitchNumber SwitchState"),
    "Faults": ("FaultCodeMessages", "FaultCode", "CodeIdentifier CodeDescription CodeSeverity CodeSource"),
    "CautionCodes": (
        "CautionMessages",
        "CautionCode",
        "CodeIdentifier CodeDescription CodeSeverity CodeSource",
    ),
}

OWN: dict[Series, Reading] = {
    LOCATIONS: Location(at(1), 51.5, -0.25, 12.0),
    FAULTS: Fault(at(1), "SPN 94", "Fuel pressure", "2", "Engine"),
    CAUTION_CODES: Fault(at(1), "E04", "Water in fuel", "1", "Engine"),
}


def one_of(series: Series) -> Reading:
    """A reading with every child there is."""
    if series in OWN:
        return OWN[series]
    latest = getattr(FULL_MACHINE, series.element.attribute, None)
    [reading] = series.readings_of([(at(1), 1.0, series.metrics[0])], latest)
    return reading


@pytest.mark.parametrize("series", SERIES, ids=lambda each: each.name)
def test_xml_has_the_root_the_links_first_and_the_children_in_order(series: Series) -> None:
    """R-69."""
    root_name, element_name, children = EXPECTED[series.name]
    page = SeriesPage(series, (one_of(series),), links_of(BASE, 2, 3))
    root = etree.fromstring(render_series_xml(page))
    assert root.tag == f"{{{ISO}}}{root_name}"
    assert [etree.QName(each).localname for each in root] == ["Links"] * 5 + [element_name]
    assert root[-1].items() == [("datetime", "2024-05-06T12:00:01Z")]
    assert [etree.QName(each).localname for each in root[-1]] == children.split()


@pytest.mark.parametrize("series", SERIES, ids=lambda each: each.name)
def test_json_has_the_same_names_and_figures(series: Series) -> None:
    _, element_name, children = EXPECTED[series.name]
    page = SeriesPage(series, (one_of(series),), links_of(BASE, 1, 1))
    document = json.loads(render_series_json(page))
    assert list(document) == ["Links", element_name]
    assert [link["rel"] for link in document["Links"]] == ["self", "first", "last"]
    [reading] = document[element_name]
    assert list(reading) == [*children.split(), "datetime"]
    in_xml = etree.fromstring(render_series_xml(page))[-1]
    for child in in_xml:
        value = reading[etree.QName(child).localname]
        assert (str(value).lower() if isinstance(value, bool) else str(value)) in (
            child.text,
            (child.text or "").rstrip("0") + "0" * (child.text or "").endswith(".00"),
        )


def test_every_series_is_expected_and_numbers_are_given_once() -> None:
    assert {series.name for series in SERIES} == set(EXPECTED)
    numbers = [metric for series in SERIES for metric in series.metrics]
    assert sorted(numbers) == [*range(1, 16), *SWITCH_METRICS]
    assert sorted(Metric) == list(range(1, 18))
    assert {series.fault_kind for series in SERIES} == {None, 1, 2}


@pytest.mark.parametrize(
    ("segment", "name"),
    [
        ("Location", "Locations"),
        ("LOCATIONS", "Locations"),
        ("DEFRemaining", "DEFRemainingRatio"),
        ("defremainingratio", "DEFRemainingRatio"),
        ("cumulativeNonProductiveIdleHours", "CumulativeNonProductiveIdleHours"),
    ],
)
def test_series_are_found_in_every_spelling(segment: str, name: str) -> None:
    series = find_series(segment)
    assert series is not None
    assert series.name == name


def test_what_does_not_change_with_time_stands_in_every_reading() -> None:
    """A level without its tank says half; an engine's number is the machine's own."""
    fuel = find_series("FuelRemainingRatio")
    assert fuel is not None
    rows = [(at(1), 50.0, 6), (at(2), 49.5, 6)]
    assert fuel.readings_of(rows, TankLevel(at(0), 1.0, 400.0)) == (
        TankLevel(at(1), 50.0, 400.0),
        TankLevel(at(2), 49.5, 400.0),
    )
    assert fuel.readings_of(rows[:1], None) == (TankLevel(at(1), 50.0),)


def test_engine_without_a_number_has_an_empty_one_in_every_reading() -> None:
    engines = find_series("EngineCondition")
    assert engines is not None
    page = SeriesPage(engines, engines.readings_of([(at(1), 1.0, 9), (at(2), 0.0, 9)], None))
    assert render_series_xml(page).count(b"<EngineNumber></EngineNumber>") == 2
    readings = json.loads(render_series_json(page))["EngineStatus"]
    assert [list(each)[:2] for each in readings] == [["EngineNumber", "Running"]] * 2
    assert {each["EngineNumber"] for each in readings} == {""}


def test_each_input_is_a_switch_of_its_own_number() -> None:
    switches = find_series("SwitchStatus")
    assert switches is not None
    rows = [(at(1), 1.0, 101), (at(1), 0.0, 116)]
    assert switches.readings_of(rows, None) == (
        SwitchStatus(at(1), 1, on=True),
        SwitchStatus(at(1), 16, on=False),
    )


def test_2020_edition_differs_by_its_namespace_alone() -> None:
    page = SeriesPage(LOCATIONS, (OWN[LOCATIONS],))
    later = render_series_xml(page, Representation.XML_20190501).decode()
    namespace = "http://www.jcmanet.or.jp/english2017/ISO/15143/-3/20190501"
    assert later == render_series_xml(page).decode().replace(ISO, namespace)


def test_vendor_type_carries_both_spellings() -> None:
    page = SeriesPage(LOCATIONS, (OWN[LOCATIONS], Location(at(2), 1.0, 2.0)), links_of(BASE, 1, 2))
    document = json.loads(render_series_json(page, Representation.SNAPSHOT_JSON))
    assert [link["Rel"] for link in document["Links"]] == ["Self", "First", "Next", "Last"]
    times = [(reading["datetime"], reading["Datetime"]) for reading in document["Location"]]
    assert times == [("2024-05-06T12:00:01Z",) * 2, ("2024-05-06T12:00:02Z",) * 2]


def test_empty_series_is_a_document_without_readings() -> None:
    page = SeriesPage(FAULTS, (), links_of(BASE, 1, 1))
    assert len(etree.fromstring(render_series_xml(page))) == 3
    assert json.loads(render_series_json(page))["FaultCode"] == []


ANY_TEXT = st.text(st.characters(exclude_categories=())) | st.sampled_from(
    ["<&>\"'\\", "]]>", "\r\n", "\x00", "\x00" * 3, "\ud800", "\uffff", "{0}%s{}", '","', "\U0001f69c"]
)


@given(st.lists(ANY_TEXT, max_size=5), st.integers(0, 10**6))
def test_hostile_text_neither_breaks_a_document_nor_takes_a_times_place(
    texts: list[str], seconds: int
) -> None:
    """R-69: what marks a time's place in the text can be in no name."""
    moment = NOON + timedelta(seconds=seconds)
    page = SeriesPage(FAULTS, tuple(Fault(moment, text or "-", text) for text in texts))
    written = moment.isoformat().replace("+00:00", "Z")
    in_xml = etree.fromstring(render_series_xml(page))
    in_json = json.loads(render_series_json(page))["FaultCode"]
    assert [each.get("datetime") for each in in_xml] == [written] * len(texts)
    assert [each["datetime"] for each in in_json] == [written] * len(texts)
    for sent, one, other in zip(texts, in_xml, in_json, strict=True):
        assert len(one[0].text or "") == len(other["CodeIdentifier"]) == len(sent or "-")


@given(st.floats(0, 1e12, allow_subnormal=False) | st.just(-0.0))
def test_figures_read_back_as_they_were_to_two_decimals(hours: float) -> None:
    series = find_series("CumulativeOperatingHours")
    assert series is not None
    page = SeriesPage(series, (Hours(NOON, hours),))
    text = etree.fromstring(render_series_xml(page)).findtext(f".//{{{ISO}}}Hour") or ""
    assert float(text) == pytest.approx(hours, abs=0.00501, rel=1e-15)
    assert "e" not in text
    assert not text.startswith("-")
    assert json.loads(render_series_json(page))["CumulativeOperatingHours"][0]["Hour"] == float(text)


def test_required_children_are_what_a_row_holds() -> None:
    """A series of one metric has exactly one child that changes with time."""
    for series in SERIES:
        if len(series.metrics) == 1:
            [required] = [child for child in series.element.children if child.required]
            assert required.kind in (Kind.DECIMAL, Kind.INTEGER, Kind.BOOLEAN)
