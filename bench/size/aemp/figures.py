"""Fleets whose every figure follows from the machine, what is measured and the time, so that any answer can be checked."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.aemp.history.history import Figure, History
from app.aemp.model.series import SERIES, Metric, Series
from app.aemp.model.values import Equipment, EquipmentHeader, Fault

STEP = timedelta(minutes=5)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
METRICS = (
    Metric.CUMULATIVE_OPERATING_HOURS,
    Metric.CUMULATIVE_IDLE_HOURS,
    Metric.CUMULATIVE_IDLE_NON_OPERATING_HOURS,
    Metric.CUMULATIVE_FUEL_USED,
    Metric.FUEL_REMAINING,
    Metric.DISTANCE,
    Metric.CUMULATIVE_LOAD_COUNT,
    Metric.CUMULATIVE_PAYLOAD_TOTALS,
    Metric.CUMULATIVE_ACTIVE_REGENERATION_HOURS,
    Metric.CUMULATIVE_POWER_TAKE_OFF_HOURS,
)
SERIES_OF: dict[int, Series] = {
    metric: series for series in SERIES for metric in series.metrics if len(series.metrics) == 1
}
FAULT_EVERY = 500  # steps of one machine

# The same as `figure`.
_FIGURE = "(number * 31 + metric * 7919) % 1000 + step"
FIGURE = f"CASE metric WHEN {Metric.FUEL_REMAINING:d} THEN ({_FIGURE}) % 101 ELSE {_FIGURE} END"


@dataclass(frozen=True, slots=True)
class Fleet:
    """Machines 1 to `machines`, each at the place of its number, that told something at every step.

    told: how many steps, from the beginning on.
    """

    name: str
    customer_id: UUID
    machines: int
    begins_at: datetime
    told: int

    @property
    def readings(self) -> int:
        return self.machines * len(METRICS) * self.told

    @property
    def last(self) -> range:
        """The last step alone."""
        return range(self.told - 1, self.told)

    def at(self, step: int) -> datetime:
        return self.begins_at + step * STEP

    def equipment(self) -> Iterator[Equipment]:
        for number in range(1, self.machines + 1):
            yield Equipment(header=header(self.name, number))


def header(fleet: str, number: int) -> EquipmentHeader:
    return EquipmentHeader(
        oem_name="Bench",
        model=f"B {number % 7}",
        equipment_id=f"{fleet} #{number:05d}",
        serial_number=f"{fleet[:1].upper()}{number:08d}",
        pin=pin_of(fleet, number),
    )


def pin_of(fleet: str, number: int) -> str:
    return f"9BENCH{fleet[:1].upper()}{number:010d}"


def figure(number: int, metric: int, step: int) -> float:
    """Integers all, so that they are written alike whatever they count. Every step differs from the one before."""
    value = (number * 31 + metric * 7919) % 1000 + step
    return float(value % 101 if metric == Metric.FUEL_REMAINING else value)


def tell(fleet: Fleet, number: int, steps: range) -> History:
    """All that a machine tells within these steps."""
    figures: list[Figure] = [
        (fleet.at(step), metric, figure(number, metric, step)) for step in steps for metric in METRICS
    ]
    faults = [
        (fleet.at(step), 1, Fault(fleet.at(step), f"P{step % 9000:04d}", "Coolant temperature", "Medium"))
        for step in steps
        if (number * 7 + step) % FAULT_EVERY == 0
    ]
    return History(figures=figures, faults=faults)
