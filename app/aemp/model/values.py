"""A machine's snapshot as values; `elements.py` names and bounds them, `columns.py` lays them flat for storage.

Units are normalised: decimal hours, kilometres, litres, metres, kilograms, kilometres per hour, percent 0-100.
Each reading carries its own time, because a machine reports its figures at different moments. All times are UTC.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class EquipmentHeader:
    unit_installed_at: datetime | None = None
    oem_name: str | None = None
    model: str | None = None
    equipment_id: str | None = None
    serial_number: str | None = None
    pin: str | None = None


@dataclass(frozen=True, slots=True)
class Percentage:
    at: datetime
    percent: float


@dataclass(frozen=True, slots=True)
class Location:
    at: datetime
    latitude: float
    longitude: float
    altitude_m: float | None = None


@dataclass(frozen=True, slots=True)
class Hours:
    at: datetime
    hours: float


@dataclass(frozen=True, slots=True)
class LoadCount:
    at: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Payload:
    at: datetime
    payload_kg: float


@dataclass(frozen=True, slots=True)
class TankLevel:
    at: datetime
    percent: float
    capacity_l: float | None = None


@dataclass(frozen=True, slots=True)
class Distance:
    at: datetime
    distance_km: float


@dataclass(frozen=True, slots=True)
class EngineStatus:
    at: datetime
    running: bool
    engine_number: str | None = None


@dataclass(frozen=True, slots=True)
class FuelConsumed:
    at: datetime
    fuel_l: float


@dataclass(frozen=True, slots=True)
class Speed:
    at: datetime
    speed_kmh: float


@dataclass(frozen=True, slots=True)
class SwitchStatus:
    """A reading that only a series has. number: of the tracker's input, from 1."""

    at: datetime
    number: int
    on: bool


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault or caution code as the machine reported it; only a series has one."""

    at: datetime
    identifier: str
    description: str | None = None
    severity: str | None = None
    source: str | None = None


Reading: TypeAlias = (
    Percentage
    | Location
    | Hours
    | LoadCount
    | Payload
    | TankLevel
    | Distance
    | EngineStatus
    | FuelConsumed
    | Speed
    | SwitchStatus
    | Fault
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """One machine: who it is, and the newest reading of each element it reports, in ISO order.

    further: readings that no snapshot shows, each with the name of its element.
    """

    header: EquipmentHeader
    average_load_factor_last_24: Percentage | None = None
    location: Location | None = None
    cumulative_active_regeneration_hours: Hours | None = None
    cumulative_idle_hours: Hours | None = None
    cumulative_idle_non_operating_hours: Hours | None = None
    cumulative_load_count: LoadCount | None = None
    cumulative_operating_hours: Hours | None = None
    cumulative_power_take_off_hours: Hours | None = None
    cumulative_payload_totals: Payload | None = None
    def_remaining: TankLevel | None = None
    distance: Distance | None = None
    engine_status: EngineStatus | None = None
    fuel_used: FuelConsumed | None = None
    fuel_used_last_24: FuelConsumed | None = None
    fuel_remaining: TankLevel | None = None
    maximum_speed_last_24: Speed | None = None
    further: tuple[tuple[str, Reading], ...] = ()
