"""Every shape in which fleets arrive is read without losing a machine or a figure."""

from datetime import UTC, datetime

import pytest

from app.aemp.model.columns import to_columns
from app.aemp.model.values import (
    Distance,
    EngineStatus,
    Equipment,
    EquipmentHeader,
    FuelConsumed,
    Hours,
    Location,
    Speed,
    TankLevel,
)
from tests.aemp.machines import FIXTURES, FULL_MACHINE, read_document


def read(name: str) -> tuple[Equipment, ...]:
    return read_document((FIXTURES / name).read_bytes(), name)


def clock(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


MACHINES = {
    "aemp_1_2_fleet.xml": 2,
    "at_signs.json": 1,
    "bare_all_elements.json": 1,
    "capitals.json": 1,
    "dotnet.json": 1,
    "iso_20190501_fleet.xml": 2,
    "iso_fleet.xml": 3,
    "iso_machine.xml": 1,
    "lower_camel.json": 1,
    "page_past_end.json": 0,
    "pages_with_locations.json": 2,
    "rovi_assets.json": 4,
    "wrapped.json": 1,
}


@pytest.mark.parametrize("name", sorted(path.name for path in FIXTURES.iterdir()))
def test_no_machine_is_lost(name: str) -> None:
    assert len(read(name)) == MACHINES[name]


def test_every_element_is_read() -> None:
    assert read("bare_all_elements.json") == (FULL_MACHINE,)


def test_aemp_1_2_durations_miles_gallons_and_offsets_are_converted() -> None:
    telehandler = read("aemp_1_2_fleet.xml")[0]
    reported_at = clock("2024-05-06T15:41:09")
    assert telehandler.header == EquipmentHeader(
        unit_installed_at=clock("2022-02-01T09:30:00"),
        oem_name="Kestrel Works",
        model="KT 714",
        equipment_id="9KEA1B2C3L0000417",
        serial_number="7700001",
    )
    assert telehandler.location == Location(reported_at, 44.125001, -93.2500017, 212.0)
    flat = to_columns(telehandler)
    assert flat["cumulative_operating_hours"] == pytest.approx(51.26)
    assert flat["distance_km"] == pytest.approx(1610.148672)
    assert flat["fuel_used_l"] == pytest.approx(378.5411784)
    assert {flat[f"{name}_at"] for name in ("cumulative_operating_hours", "distance", "fuel_used")} == {
        reported_at
    }


def test_altitude_wrapped_in_feet_becomes_metres() -> None:
    location = read("aemp_1_2_fleet.xml")[1].location
    assert location
    assert location.altitude_m == pytest.approx(304.8)


def test_empty_model_not_available_and_fractions_of_seconds_are_read() -> None:
    loader = read("iso_fleet.xml")[0]
    reported_at = clock("2024-05-06T13:58:31")
    assert loader == Equipment(
        header=EquipmentHeader(
            oem_name="Brannock", equipment_id="114 Quarry  SN:B114#2", serial_number="004411"
        ),
        location=Location(reported_at, 51.5, -0.1200000000000001),
        cumulative_operating_hours=Hours(reported_at, 1937.23),
        distance=Distance(reported_at, 5220.0),
        engine_status=EngineStatus(reported_at, running=False),
    )


def test_vendor_extensions_are_passed_over_and_percent_needs_no_capacity() -> None:
    tower = read("iso_fleet.xml")[1]
    reported_at = clock("2024-05-06T13:49:01")
    assert tower.header == EquipmentHeader(equipment_id="Tower & mast", serial_number="004412")
    assert tower.cumulative_power_take_off_hours == Hours(reported_at, 21.05)
    assert tower.def_remaining == TankLevel(reported_at, 0.0)
    assert tower.fuel_remaining == TankLevel(reported_at, 100.0)


def test_zero_hours_are_a_figure() -> None:
    assert read("iso_fleet.xml")[2].cumulative_operating_hours == Hours(clock("2024-05-06T13:40:00"), 0.0)


def test_header_alone_is_a_machine() -> None:
    assert read("iso_20190501_fleet.xml")[0] == Equipment(
        header=EquipmentHeader(
            oem_name="Tamarack Heavy",
            model="TD 6",
            equipment_id="5550001",
            serial_number="880001",
            pin="880001",
        )
    )


def test_placeholders_are_absent_and_time_may_be_a_child() -> None:
    """`missing`, an install in the year one, capacity 0, an empty engine number, a reading from the year one."""
    assert read("iso_20190501_fleet.xml")[1] == Equipment(
        header=EquipmentHeader(oem_name="Tamarack Heavy", equipment_id="5550002"),
        location=Location(clock("2024-05-20T11:08:34"), 35.0137, 139.4152, 258.81),
        cumulative_operating_hours=Hours(clock("2024-05-20T11:03:24"), 233.7),
        def_remaining=TankLevel(clock("2024-05-20T10:55:24"), 64.0),
        engine_status=EngineStatus(clock("2024-05-20T10:37:57"), running=True),
        fuel_used=FuelConsumed(clock("2024-05-20T10:53:34"), 1560.0),
        fuel_remaining=TankLevel(clock("2024-05-20T10:53:34"), 62.4),
    )


def test_machine_may_be_the_root_and_carry_a_prefix() -> None:
    (tower,) = read("iso_machine.xml")
    assert tower.header == EquipmentHeader(oem_name="Lumida", model="LT 4x350", serial_number="L-9")
    assert tower.maximum_speed_last_24 == Speed(clock("2024-05-06T17:00:00"), 16.09344)


def test_wrapped_fleet_is_read() -> None:
    (telehandler,) = read("wrapped.json")
    assert telehandler.header.unit_installed_at == clock("2022-06-13T19:08:25")
    assert telehandler.location == Location(clock("2024-06-13T19:08:25"), 12.25, 13.5)


def test_capital_names_beside_small_ones_are_read() -> None:
    (loader,) = read("capitals.json")
    assert loader.cumulative_operating_hours == Hours(clock("2024-05-06T11:00:00"), 88.5)


def test_lower_camel_names_numbers_as_text_and_serials_as_numbers_are_read() -> None:
    assert read("lower_camel.json") == (
        Equipment(
            header=EquipmentHeader(oem_name="Brannock", equipment_id="BE-75/4", serial_number="7504"),
            cumulative_operating_hours=Hours(clock("2024-05-06T11:00:00"), 412.75),
            distance=Distance(clock("2024-05-06T11:00:00"), 10.5),
        ),
    )


def test_pages_in_a_list_with_their_own_machine_id_are_read() -> None:
    first, second = read("pages_with_locations.json")
    assert first.header.equipment_id == "Roller 1"
    assert first.location == Location(clock("2024-02-08T12:37:29"), 48.5, 9.75, 603.5)
    assert first.cumulative_operating_hours == Hours(clock("2024-02-08T12:38:02"), 2053.8)
    assert second == Equipment(header=EquipmentHeader(equipment_id="Roller 2"))


def test_attributes_with_at_signs_and_a_single_machine_are_read() -> None:
    header = EquipmentHeader(oem_name="Veldman", model="VL 9", serial_number="VL-77")
    idle = Hours(clock("2024-05-06T11:59:59"), 17.5)
    assert read("at_signs.json") == (Equipment(header=header, cumulative_idle_hours=idle),)


def test_values_that_are_not_specified_are_absent() -> None:
    header = EquipmentHeader(oem_name="Lumida", serial_number="LT-5")
    fuel = TankLevel(clock("2024-05-06T11:00:00"), 40.5)
    assert read("dotnet.json") == (Equipment(header=header, fuel_remaining=fuel),)


def test_rovi_assets_are_converted() -> None:
    """Milliseconds, centimetres, centimetres a second; areas are no machines, 999 is no fuel level, an altitude needs its position."""
    display, tower, van, nameless = read("rovi_assets.json")
    reported_at = clock("2024-10-15T18:33:35")
    assert display == Equipment(header=EquipmentHeader(equipment_id="Display unit"))
    assert tower == Equipment(
        header=EquipmentHeader(equipment_id="Tower 16", serial_number="22410"),
        location=Location(reported_at, 40.5, -111.75, 1399.54),
        cumulative_operating_hours=Hours(reported_at, 1.5),
        distance=Distance(clock("2024-10-15T18:33:36"), 12.345),
        engine_status=EngineStatus(reported_at, running=True),
        fuel_remaining=TankLevel(clock("2024-03-29T14:23:55"), 64.0),
        further=(("Speed", Speed(reported_at, 4.5)),),
    )
    assert van == Equipment(
        header=EquipmentHeader(equipment_id="Van", serial_number="564", pin="9RVA1B2C3L0000564"),
        location=Location(reported_at, 40.5, -111.75),
    )
    assert nameless == Equipment(header=EquipmentHeader(equipment_id="thing:4"))


def test_byte_order_marks_are_passed_over() -> None:
    wrapped = (FIXTURES / "wrapped.json").read_text()
    machine = (FIXTURES / "iso_machine.xml").read_text().replace("UTF-8", "UTF-16")
    assert read_document(wrapped.encode("utf-8-sig"), "x") == read("wrapped.json")
    assert read_document(machine.encode("utf-16"), "x") == read("iso_machine.xml")


def test_names_that_no_store_can_hold_are_made_storable() -> None:
    """R-69: a lone surrogate is no UTF-8 and a null byte no PostgreSQL text."""
    document = rb'{"Equipment":[{"EquipmentHeader":{"EquipmentID":"a\ud800\u0000b"}}]}'
    assert read_document(document, "x")[0].header.equipment_id == "a\ufffd\ufffdb"
