"""JSON documents: the XML's names and figures, in the two spellings that clients read."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.aemp.address.negotiation import Representation
from app.aemp.model.series import LOCATIONS
from app.aemp.model.values import EngineStatus, Equipment, EquipmentHeader, Location
from app.aemp.write.render_json import render_fleet_v2_json, render_series_json
from app.aemp.write.snapshot import SeriesPage, Snapshot
from app.simulation.fleet import simulate_fleet
from tests.aemp.machines import BARE_MACHINE, FIXTURES, FULL_MACHINE, NOON, at, links_of, read_document

BASE = "https://data.example/api/v2/Fleet"
PAGE_1 = Snapshot(NOON, (FULL_MACHINE, BARE_MACHINE), links_of(BASE, 1, 2))


def load(snapshot: Snapshot, representation: Representation = Representation.JSON) -> Any:
    return json.loads(render_fleet_v2_json(snapshot, representation))


def test_full_machine_is_written_as_the_fixture_spells_it() -> None:
    """Names, order, numbers as numbers, booleans, units: as a provider's own reference has every element."""
    expected = json.loads((FIXTURES / "bare_all_elements.json").read_text())["Equipment"][0]
    written = load(PAGE_1)["Equipment"][0]
    assert written == expected
    assert json.dumps(list(written)) == json.dumps(list(expected))
    assert list(written["Distance"]) == ["OdometerUnits", "Odometer", "datetime"]
    assert list(written["Location"])[:4] == ["Latitude", "Longitude", "Altitude", "AltitudeUnits"]


def test_document_has_time_version_links_and_machines() -> None:
    document = load(PAGE_1)
    assert list(document) == ["snapshotTime", "version", "Links", "Equipment"]
    assert document["snapshotTime"] == "2024-05-06T12:00:00Z"
    links = {link["rel"]: link["href"] for link in document["Links"]}
    assert links == {"self": f"{BASE}/1", "first": f"{BASE}/1", "next": f"{BASE}/2", "last": f"{BASE}/2"}


def without_case(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object as parsers read it that have no regard to case: the last of two names stays."""
    return {name.lower(): value for name, value in pairs}


@pytest.mark.parametrize("render", [render_fleet_v2_json, render_series_json])
def test_links_of_plain_json_are_read_by_either_spelling_and_without_case(
    render: Callable[[Any], bytes],
) -> None:
    """Some readers send `application/json`, know only `Rel` and `Href`, and took the first page for all."""
    page = SeriesPage(LOCATIONS, (), PAGE_1.links) if render is render_series_json else PAGE_1
    document = json.loads(render(page))
    expected = {"self": 1, "first": 1, "next": 2, "last": 2}
    assert [list(link) for link in document["Links"]] == [["Rel", "Href", "rel", "href"]] * 4
    small = {link["rel"]: link["href"] for link in document["Links"]}
    capital = {link["Rel"]: link["Href"] for link in document["Links"]}
    lowered = json.loads(render(page), object_pairs_hook=without_case)
    caseless = {link["rel"]: link["href"] for link in lowered["links"]}
    assert small == caseless == {rel: f"{BASE}/{to}" for rel, to in expected.items()}
    assert capital == {rel.capitalize(): f"{BASE}/{to}" for rel, to in expected.items()}


def test_absent_data_is_absent_and_lists_are_lists() -> None:
    document = load(Snapshot(NOON, (BARE_MACHINE,)))
    assert document["Equipment"] == [{"EquipmentHeader": {"Model": "", "PIN": "9NRA2B3C4M0030012"}}]
    empty = {"snapshotTime": "2024-05-06T12:00:00Z", "version": "1", "Links": [], "Equipment": []}
    assert load(Snapshot(NOON, ())) == empty


def test_vendor_type_carries_both_spellings() -> None:
    """Clients of this type compare `Next` or `Last` to the letter and read `SnapshotTime` and `Datetime`."""
    document = load(PAGE_1, Representation.SNAPSHOT_JSON)
    assert document["Version"] == document["version"] == "1"
    assert document["SnapshotTime"] == document["snapshotTime"]
    assert [link["Rel"] for link in document["Links"]] == ["Self", "First", "Next", "Last"]
    assert document["Links"][2] == {"rel": "Next", "href": f"{BASE}/2", "Rel": "Next", "Href": f"{BASE}/2"}
    assert list(document["Links"][2]) == ["Rel", "Href", "rel", "href"]
    hours = document["Equipment"][0]["CumulativeOperatingHours"]
    assert hours["Datetime"] == hours["datetime"] == "2024-05-06T12:00:07Z"


def test_engine_without_a_number_has_an_empty_one() -> None:
    """Every real feed carries it, often empty."""
    machine = Equipment(header=BARE_MACHINE.header, engine_status=EngineStatus(at(1), running=False))
    written = load(Snapshot(NOON, (machine,)))["Equipment"][0]["EngineStatus"]
    assert list(written.items())[:2] == [("EngineNumber", ""), ("Running", False)]
    assert read_document(render_fleet_v2_json(Snapshot(NOON, (machine,))), "page") == (machine,)


def test_small_figures_have_no_exponent() -> None:
    machine = Equipment(header=BARE_MACHINE.header, location=Location(at(1), 0.0000001, -0.0000123))
    document = render_fleet_v2_json(Snapshot(NOON, (machine,)))
    assert b'"Latitude":0.0000001,"Longitude":-0.0000123' in document


@given(
    st.text(st.characters(exclude_categories=()))
    | st.sampled_from(["\ud800", "\x00\x1b", '"\\', "\U0001f69c"])
)
def test_any_name_gives_a_valid_document(text: str) -> None:
    """R-69 in JSON: lone surrogates cannot be written as UTF-8."""
    header = EquipmentHeader(oem_name=text, equipment_id=text)
    written = load(Snapshot(NOON, (Equipment(header=header),)))["Equipment"][0]["EquipmentHeader"]
    assert len(written["OEMName"]) == len(text)
    assert all(own == sent for own, sent in zip(written["OEMName"], text, strict=True) if own != "\ufffd")


@pytest.mark.parametrize("representation", [Representation.JSON, Representation.SNAPSHOT_JSON])
def test_rendered_fleet_is_read_back_whole(representation: Representation) -> None:
    fleet = (FULL_MACHINE, BARE_MACHINE, *simulate_fleet(98, 5, 300, 3, NOON))
    assert read_document(render_fleet_v2_json(Snapshot(NOON, fleet), representation), "page") == fleet
