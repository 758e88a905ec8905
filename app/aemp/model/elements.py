"""The one table of ISO 15143-3 snapshot elements: reading, both renderings and the columns are driven by it."""

from dataclasses import dataclass
from enum import Enum

from app.aemp.model.values import (
    Distance,
    EngineStatus,
    FuelConsumed,
    Hours,
    LoadCount,
    Location,
    Payload,
    Percentage,
    Reading,
    Speed,
    TankLevel,
)


class Kind(Enum):
    """The kind of a child element; the value is its PostgreSQL type."""

    TIME = "timestamptz"
    TEXT = "text"
    BOOLEAN = "boolean"
    INTEGER = "bigint"
    DECIMAL = "double precision"


@dataclass(frozen=True, slots=True)
class Unit:
    """The element that names a value's unit, and the ISO spelling that we write."""

    name: str
    spelling: str
    after: bool = False  # only AltitudeUnits follows its value


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One child element: its ISO name, the attribute and the column that hold its value, and its bounds."""

    name: str
    attribute: str
    column: str
    kind: Kind = Kind.DECIMAL
    unit: Unit | None = None
    required: bool = True
    # The range in which a reading is plausible, in our unit.
    lowest: float = 0.0
    highest: float = 1e12  # still written without an exponent
    decimals: int = 2
    always: bool = False  # sent empty where it is unknown, since readers fail without it


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One snapshot element: its ISO name, the attribute of Equipment that holds it, its children in ISO order."""

    name: str
    attribute: str
    reading: type[Reading]
    children: tuple[Child, ...]

    @property
    def at_column(self) -> str:
        return f"{self.attribute}_at"


# Far beyond any machine's life, and below what broken counters report.
_MOST_HOURS = 1e6  # a hundred years
_MOST_LITRES, _MOST_LITRES_A_DAY = 1e9, 1e5
_MOST_LITRES_IN_A_TANK = 1e6
_MOST_KILOMETRES = 1e7
_MOST_LOADS = 1e9
_MOST_KMH = 250.0  # what J1939 can say, SPN 84


def _percent(attribute: str) -> Child:
    return Child(name="Percent", attribute="percent", column=f"{attribute}_percent", highest=100.0)


def _hours(name: str, attribute: str) -> Element:
    child = Child(name="Hour", attribute="hours", column=attribute, highest=_MOST_HOURS)
    return Element(name=name, attribute=attribute, reading=Hours, children=(child,))


def _fuel(name: str, attribute: str, highest: float) -> Element:
    unit = Unit("FuelUnits", "litre")
    child = Child(
        name="FuelConsumed", attribute="fuel_l", column=f"{attribute}_l", unit=unit, highest=highest
    )
    return Element(name=name, attribute=attribute, reading=FuelConsumed, children=(child,))


def _tank(name: str, attribute: str, capacity: str) -> Element:
    percent = _percent(attribute)
    unit = Unit(f"{capacity}Units", "litre")
    column = f"{attribute.removesuffix('_remaining')}_tank_capacity_l"
    held = Child(
        name=capacity,
        attribute="capacity_l",
        column=column,
        unit=unit,
        required=False,
        highest=_MOST_LITRES_IN_A_TANK,
    )
    return Element(name=name, attribute=attribute, reading=TankLevel, children=(percent, held))


_LATITUDE = Child(
    name="Latitude", attribute="latitude", column="latitude", lowest=-90.0, highest=90.0, decimals=7
)
_LONGITUDE = Child(
    name="Longitude", attribute="longitude", column="longitude", lowest=-180.0, highest=180.0, decimals=7
)
_ALTITUDE = Child(
    name="Altitude",
    attribute="altitude_m",
    column="altitude_m",
    unit=Unit("AltitudeUnits", "metre", after=True),
    required=False,
    lowest=-12_000.0,  # mines and bad fixes below the sea, aircraft and no orbit above it
    highest=100_000.0,
)

# The element order of ISO/TS 15143-3; strict readers depend on it.
ELEMENTS: tuple[Element, ...] = (
    Element(
        name="AverageLoadFactorLast24",
        attribute="average_load_factor_last_24",
        reading=Percentage,
        children=(_percent("average_load_factor_last_24"),),
    ),
    Element(
        name="Location",
        attribute="location",
        reading=Location,
        children=(_LATITUDE, _LONGITUDE, _ALTITUDE),
    ),
    _hours("CumulativeActiveRegenerationHours", "cumulative_active_regeneration_hours"),
    _hours("CumulativeIdleHours", "cumulative_idle_hours"),
    _hours("CumulativeIdleNonOperatingHours", "cumulative_idle_non_operating_hours"),
    Element(
        name="CumulativeLoadCount",
        attribute="cumulative_load_count",
        reading=LoadCount,
        children=(
            Child(
                name="Count",
                attribute="count",
                column="cumulative_load_count",
                kind=Kind.INTEGER,
                highest=_MOST_LOADS,
            ),
        ),
    ),
    _hours("CumulativeOperatingHours", "cumulative_operating_hours"),
    _hours("CumulativePowerTakeOffHours", "cumulative_power_take_off_hours"),
    Element(
        name="CumulativePayloadTotals",
        attribute="cumulative_payload_totals",
        reading=Payload,
        children=(
            Child(
                name="Payload",
                attribute="payload_kg",
                column="cumulative_payload_totals_kg",
                unit=Unit("PayloadUnits", "kilogram"),
            ),
        ),
    ),
    _tank("DEFRemaining", "def_remaining", "DEFTankCapacity"),
    Element(
        name="Distance",
        attribute="distance",
        reading=Distance,
        children=(
            Child(
                name="Odometer",
                attribute="distance_km",
                column="distance_km",
                unit=Unit("OdometerUnits", "kilometre"),
                highest=_MOST_KILOMETRES,
            ),
        ),
    ),
    Element(
        name="EngineStatus",
        attribute="engine_status",
        reading=EngineStatus,
        children=(
            Child(
                name="EngineNumber",
                attribute="engine_number",
                column="engine_number",
                kind=Kind.TEXT,
                required=False,
                always=True,
            ),
            Child(name="Running", attribute="running", column="engine_running", kind=Kind.BOOLEAN),
        ),
    ),
    _fuel("FuelUsed", "fuel_used", _MOST_LITRES),
    _fuel("FuelUsedLast24", "fuel_used_last_24", _MOST_LITRES_A_DAY),
    _tank("FuelRemaining", "fuel_remaining", "FuelTankCapacity"),
    Element(
        name="MaximumSpeedLast24",
        attribute="maximum_speed_last_24",
        reading=Speed,
        children=(
            Child(
                name="Speed",
                attribute="speed_kmh",
                column="maximum_speed_last_24_kmh",
                unit=Unit("SpeedUnits", "kilometres per hour"),
                highest=_MOST_KMH,
            ),
        ),
    ),
)

HEADER: tuple[Child, ...] = (
    Child(
        name="UnitInstallDateTime", attribute="unit_installed_at", column="unit_installed_at", kind=Kind.TIME
    ),
    Child(name="OEMName", attribute="oem_name", column="oem_name", kind=Kind.TEXT),
    Child(name="Model", attribute="model", column="model", kind=Kind.TEXT, always=True),
    Child(name="EquipmentID", attribute="equipment_id", column="equipment_id", kind=Kind.TEXT),
    Child(name="SerialNumber", attribute="serial_number", column="serial_number", kind=Kind.TEXT),
    Child(name="PIN", attribute="pin", column="pin", kind=Kind.TEXT),
)
