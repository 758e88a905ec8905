"""Machines that the tests render and store: one with every element, and times that tell readings apart."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.aemp.address.paging import Link, Pages, links_for
from app.aemp.model.bounds import LARGEST_DOCUMENT
from app.aemp.model.values import (
    Distance,
    EngineStatus,
    Equipment,
    EquipmentHeader,
    FuelConsumed,
    Hours,
    LoadCount,
    Location,
    Payload,
    Percentage,
    Speed,
    TankLevel,
)
from app.aemp.read.read_file import File, equipment_of, read_file

FIXTURES = Path(__file__).parent / "fixtures"
NOON = datetime(2024, 5, 6, 12, 0, tzinfo=UTC)


def read_document(data: bytes, name: str, max_bytes: int = LARGEST_DOCUMENT) -> tuple[Equipment, ...]:
    """The machines of a document; it may refuse some readings."""
    return machines_in(read_file(data, name, max_bytes=max_bytes))


def machines_in(file: File) -> tuple[Equipment, ...]:
    return tuple(machine for report in file.reports if (machine := equipment_of(report)))


def told(file: File) -> list[str]:
    """What is refused of a file, as a person reads it."""
    return [f"{file.name}: {each.place}: {each.reason}" for each in file.rejections]


def links_of(base: str, page: int, last_page: int) -> tuple[Link, ...]:
    """The links of a page whose address ends with its number."""
    return links_for("", Pages(f"{base}/{page}", page, base), last_page)


def at(seconds: int) -> datetime:
    return NOON + timedelta(seconds=seconds)


# The machine of fixtures/bare_all_elements.json.
FULL_MACHINE = Equipment(
    header=EquipmentHeader(
        unit_installed_at=datetime(2023, 1, 2, 8, 0, tzinfo=UTC),
        oem_name="Nordhoff",
        model="NX 350 LC",
        equipment_id="Pit 3",
        serial_number="30011",
        pin="9NRA2B3C4M0030011",
    ),
    average_load_factor_last_24=Percentage(at(1), 71.25),
    location=Location(at(2), -33.5, 151.25, 45.5),
    cumulative_active_regeneration_hours=Hours(at(3), 3.0),
    cumulative_idle_hours=Hours(at(4), 4.5),
    cumulative_idle_non_operating_hours=Hours(at(5), 5.0),
    cumulative_load_count=LoadCount(at(6), 600),
    cumulative_operating_hours=Hours(at(7), 7000.25),
    cumulative_power_take_off_hours=Hours(at(8), 8.0),
    cumulative_payload_totals=Payload(at(9), 540_000_000.5),
    def_remaining=TankLevel(at(10), 85.75, 50.0),
    distance=Distance(at(11), 500.4),
    engine_status=EngineStatus(at(12), running=True, engine_number="E-12"),
    fuel_used=FuelConsumed(at(13), 51.0),
    fuel_used_last_24=FuelConsumed(at(14), 14.5),
    fuel_remaining=TankLevel(at(15), 50.5, 400.0),
    maximum_speed_last_24=Speed(at(16), 12.5),
)
BARE_MACHINE = Equipment(header=EquipmentHeader(pin="9NRA2B3C4M0030012"))
