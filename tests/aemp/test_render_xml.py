"""XML documents: namespaces, element order, units and names exactly as readers of the standards expect them."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from app.aemp.address.negotiation import Representation
from app.aemp.model.values import EngineStatus, Equipment, EquipmentHeader, Location
from app.aemp.write.render_xml import render_fleet_v1_xml, render_fleet_v2_xml
from app.aemp.write.snapshot import Snapshot
from app.simulation.fleet import simulate_fleet
from tests.aemp.machines import BARE_MACHINE, FULL_MACHINE, NOON, at, links_of, read_document

ISO = "{http://standards.iso.org/iso/15143/-3}"
AEMP = "{http://schemas.aemp.org/fleet}"
SCHEMA = etree.XMLSchema(file=str(Path(__file__).parent / "snapshot.xsd"))
PAGE_2 = Snapshot(NOON, (FULL_MACHINE, BARE_MACHINE), links_of("https://data.example/api/v2/Fleet", 2, 3))

FULL_ISO = [
    ("EquipmentHeader", None),
    ("UnitInstallDateTime", "2023-01-02T08:00:00Z"),
    ("OEMName", "Nordhoff"),
    ("Model", "NX 350 LC"),
    ("EquipmentID", "Pit 3"),
    ("SerialNumber", "30011"),
    ("PIN", "9NRA2B3C4M0030011"),
    ("AverageLoadFactorLast24", "2024-05-06T12:00:01Z"),
    ("Percent", "71.25"),
    ("Location", "2024-05-06T12:00:02Z"),
    ("Latitude", "-33.5"),
    ("Longitude", "151.25"),
    ("Altitude", "45.50"),
    ("AltitudeUnits", "metre"),
    ("CumulativeActiveRegenerationHours", "2024-05-06T12:00:03Z"),
    ("Hour", "3.00"),
    ("CumulativeIdleHours", "2024-05-06T12:00:04Z"),
    ("Hour", "4.50"),
    ("CumulativeIdleNonOperatingHours", "2024-05-06T12:00:05Z"),
    ("Hour", "5.00"),
    ("CumulativeLoadCount", "2024-05-06T12:00:06Z"),
    ("Count", "600"),
    ("CumulativeOperatingHours", "2024-05-06T12:00:07Z"),
    ("Hour", "7000.25"),
    ("CumulativePowerTakeOffHours", "2024-05-06T12:00:08Z"),
    ("Hour", "8.00"),
    ("CumulativePayloadTotals", "2024-05-06T12:00:09Z"),
    ("PayloadUnits", "kilogram"),
    ("Payload", "540000000.50"),
    ("DEFRemaining", "2024-05-06T12:00:10Z"),
    ("Percent", "85.75"),
    ("DEFTankCapacityUnits", "litre"),
    ("DEFTankCapacity", "50.00"),
    ("Distance", "2024-05-06T12:00:11Z"),
    ("OdometerUnits", "kilometre"),
    ("Odometer", "500.40"),
    ("EngineStatus", "2024-05-06T12:00:12Z"),
    ("EngineNumber", "E-12"),
    ("Running", "true"),
    ("FuelUsed", "2024-05-06T12:00:13Z"),
    ("FuelUnits", "litre"),
    ("FuelConsumed", "51.00"),
    ("FuelUsedLast24", "2024-05-06T12:00:14Z"),
    ("FuelUnits", "litre"),
    ("FuelConsumed", "14.50"),
    ("FuelRemaining", "2024-05-06T12:00:15Z"),
    ("Percent", "50.50"),
    ("FuelTankCapacityUnits", "litre"),
    ("FuelTankCapacity", "400.00"),
    ("MaximumSpeedLast24", "2024-05-06T12:00:16Z"),
    ("SpeedUnits", "kilometres per hour"),
    ("Speed", "12.50"),
]

FULL_AEMP_1_2 = [
    ("EquipmentHeader", None),
    ("UnitInstallDateTime", "2023-01-02T08:00:00Z"),
    ("Make", "Nordhoff"),
    ("Model", "NX 350 LC"),
    ("EquipmentID", "Pit 3"),
    ("SerialNumber", "30011"),
    ("Location", "2024-05-06T12:00:02Z"),
    ("Latitude", "-33.5"),
    ("Longitude", "151.25"),
    ("Altitude", None),
    ("Meters", "45.50"),
    ("AltitudeUnits", "meters"),
    ("CumulativeOperatingHours", "2024-05-06T12:00:07Z"),
    ("Hour", "P291DT16H15M0S"),
    ("FuelUsed", "2024-05-06T12:00:13Z"),
    ("FuelUnits", "liters"),
    ("FuelConsumed", "51.00"),
    ("FuelUsedLast24", "2024-05-06T12:00:14Z"),
    ("FuelUnits", "liters"),
    ("FuelConsumed", "14.50"),
    ("Distance", "2024-05-06T12:00:11Z"),
    ("OdometerUnits", "kilometers"),
    ("Odometer", "500.40"),
]


def parse(document: bytes) -> etree._Element:
    return etree.fromstring(document, etree.XMLParser(resolve_entities=False))


def outline(machine: etree._Element, namespace: str) -> list[tuple[str, str | None]]:
    """Every element below a machine in document order, with its time or else its text."""
    below = [element for element in machine.iter() if element is not machine]
    assert all(str(element.tag).startswith(namespace) for element in below)
    return [(etree.QName(element).localname, element.get("datetime") or element.text) for element in below]


def test_iso_document_holds_every_element_in_order() -> None:
    root = parse(render_fleet_v2_xml(PAGE_2))
    assert root.tag == f"{ISO}Fleet"
    assert {str(name): value for name, value in root.attrib.items()} == {
        "version": "1",
        "snapshotTime": "2024-05-06T12:00:00Z",
    }
    assert outline(root.findall(f"{ISO}Equipment")[0], ISO) == FULL_ISO


def test_namespace_is_the_default_one_without_prefix() -> None:
    """Readers that match by prefix or by the bare tag name exist; an `ns0:` loses them."""
    document = render_fleet_v2_xml(PAGE_2)
    assert document.startswith(
        b'<?xml version="1.0" encoding="UTF-8"?>\n<Fleet xmlns="http://standards.iso.org/iso/15143/-3" version="1"'
    )
    assert b"xmlns:" not in document


def test_links_stand_before_the_machines_as_child_elements() -> None:
    root = parse(render_fleet_v2_xml(PAGE_2))
    assert [etree.QName(child).localname for child in root] == ["Links"] * 5 + ["Equipment"] * 2
    links = [tuple(child.text for child in link) for link in root.findall(f"{ISO}Links")]
    base = "https://data.example/api/v2/Fleet"
    assert links == [
        ("self", f"{base}/2"),
        ("first", f"{base}/1"),
        ("prev", f"{base}/1"),
        ("next", f"{base}/3"),
        ("last", f"{base}/3"),
    ]


def test_2020_edition_differs_by_namespace_and_version_alone() -> None:
    usual = render_fleet_v2_xml(PAGE_2).decode()
    edition = render_fleet_v2_xml(PAGE_2, Representation.XML_20190501).decode()
    namespace = "http://www.jcmanet.or.jp/english2017/ISO/15143/-3/20190501"
    assert parse(edition.encode()).tag == f"{{{namespace}}}Fleet"
    assert edition == usual.replace("http://standards.iso.org/iso/15143/-3", namespace).replace(
        'version="1"', 'version="20190501"'
    )


def test_absent_data_is_absent_but_the_model() -> None:
    """A manufacturer's own client breaks on a missing Model; every other absent figure is left out."""
    root = parse(render_fleet_v2_xml(PAGE_2))
    assert outline(root.findall(f"{ISO}Equipment")[1], ISO) == [
        ("EquipmentHeader", None),
        ("Model", None),
        ("PIN", "9NRA2B3C4M0030012"),
    ]


def test_engine_without_a_number_has_an_empty_one() -> None:
    """Every real feed carries it, often empty."""
    machine = Equipment(header=BARE_MACHINE.header, engine_status=EngineStatus(at(1), running=False))
    document = render_fleet_v2_xml(Snapshot(NOON, (machine,)))
    assert b"<EngineNumber></EngineNumber><Running>false</Running></EngineStatus>" in document
    SCHEMA.assertValid(parse(document))
    assert read_document(document, "page") == (machine,)


def test_altitude_and_its_unit_are_left_out_together() -> None:
    machine = Equipment(header=BARE_MACHINE.header, location=Location(at(1), 1.5, 2.5))
    document = render_fleet_v2_xml(Snapshot(NOON, (machine,)))
    assert b"Altitude" not in document


def test_empty_fleet_is_a_document_without_machines() -> None:
    root = parse(render_fleet_v2_xml(Snapshot(NOON, (), links_of("https://data.example/Fleet", 1, 1))))
    assert [etree.QName(child).localname for child in root] == ["Links"] * 3


def test_aemp_1_2_document_holds_its_own_names_units_and_durations() -> None:
    root = parse(render_fleet_v1_xml(PAGE_2))
    assert root.tag == f"{AEMP}Fleet"
    assert {str(name): value for name, value in root.attrib.items()} == {
        "version": "1.2",
        "snapshotTime": "2024-05-06T12:00:00Z",
    }
    assert [etree.QName(child).localname for child in root] == ["Equipment", "Equipment"]
    assert outline(root[0], AEMP) == FULL_AEMP_1_2


def test_aemp_1_2_names_a_machine_without_equipment_id_by_its_pin() -> None:
    root = parse(render_fleet_v1_xml(PAGE_2))
    header = outline(root[1], AEMP)
    assert header == [("EquipmentHeader", None), ("Model", None), ("EquipmentID", "9NRA2B3C4M0030012")]


ANY_TEXT = st.text(st.characters(exclude_categories=())) | st.sampled_from(
    ["<&>\"'", "]]>", "a\rb\r\nc", "\x00", "\ud800", "\ufffe", "\U0001f69c excavator", "<!--", "%s{0}{x}"]
)


def survives(character: str) -> bool:
    """The Char production of XML 1.0, spelled the other way round than the code under test."""
    return character in "\t\n\r" or (
        ord(character) >= 0x20
        and not 0xD800 <= ord(character) <= 0xDFFF
        and ord(character) not in (0xFFFE, 0xFFFF)
    )


@given(ANY_TEXT)
@settings(max_examples=300, deadline=None)
def test_any_name_gives_a_well_formed_document(text: str) -> None:
    """R-69: what XML can carry arrives unchanged, the rest becomes the replacement character."""
    header = EquipmentHeader(oem_name=text, equipment_id=text)
    snapshot = Snapshot(NOON, (Equipment(header=header), FULL_MACHINE))
    expected = "".join(character if survives(character) else "\ufffd" for character in text)
    iso = parse(render_fleet_v2_xml(snapshot))
    aemp = parse(render_fleet_v1_xml(snapshot))
    assert (iso.findtext(f".//{ISO}OEMName") or "") == expected
    assert (aemp.findtext(f".//{AEMP}Make") or "") == expected
    assert len(iso) == len(aemp) == 2
    SCHEMA.assertValid(iso)


def test_pages_of_a_fleet_are_valid() -> None:
    """R-69: against a schema that says the format a second time."""
    for page in (PAGE_2, Snapshot(NOON, tuple(simulate_fleet(100, 5, 300, 3, NOON))), Snapshot(NOON, ())):
        SCHEMA.assertValid(parse(render_fleet_v2_xml(page)))


def test_link_with_special_characters_is_escaped() -> None:
    document = render_fleet_v2_xml(Snapshot(NOON, (), links_of("https://data.example/<&>", 1, 1)))
    assert parse(document).findtext(f".//{ISO}href") == "https://data.example/<&>/1"


@pytest.mark.parametrize("representation", [Representation.XML, Representation.XML_20190501])
def test_rendered_fleet_is_read_back_whole(representation: Representation) -> None:
    fleet = (FULL_MACHINE, BARE_MACHINE, *simulate_fleet(98, 5, 300, 3, NOON))
    assert read_document(render_fleet_v2_xml(Snapshot(NOON, fleet), representation), "page") == fleet


def test_aemp_1_2_fleet_is_read_back_with_what_it_carries() -> None:
    fleet = (FULL_MACHINE, *simulate_fleet(99, 5, 300, 3, NOON))
    read = read_document(render_fleet_v1_xml(Snapshot(NOON, fleet)), "page")
    for sent, back in zip(fleet, read, strict=True):
        assert back.header == replace(sent.header, pin=None)
        assert (back.location, back.fuel_used, back.distance) == (
            sent.location,
            sent.fuel_used,
            sent.distance,
        )
        if sent.cumulative_operating_hours and back.cumulative_operating_hours:
            hours = sent.cumulative_operating_hours.hours
            assert back.cumulative_operating_hours.hours == pytest.approx(hours, abs=1 / 3600)
