"""The one table of series: what a machine reported over time, under the names that ISO 15143-3 gives each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum
from typing import Any

from app.aemp.model.columns import Columns
from app.aemp.model.elements import ELEMENTS, Child, Element, Kind
from app.aemp.model.values import Fault, Reading, SwitchStatus


class Metric(IntEnum):
    """The metric of a row of `reading`. The numbers are stored: none is ever given to another meaning."""

    CUMULATIVE_OPERATING_HOURS = 1
    CUMULATIVE_IDLE_HOURS = 2
    CUMULATIVE_IDLE_NON_OPERATING_HOURS = 3
    CUMULATIVE_FUEL_USED = 4
    FUEL_USED_LAST_24 = 5
    FUEL_REMAINING = 6
    DEF_REMAINING = 7
    DISTANCE = 8
    ENGINE_STATUS = 9
    CUMULATIVE_LOAD_COUNT = 10
    CUMULATIVE_PAYLOAD_TOTALS = 11
    CUMULATIVE_ACTIVE_REGENERATION_HOURS = 12
    CUMULATIVE_POWER_TAKE_OFF_HOURS = 13
    AVERAGE_LOAD_FACTOR_LAST_24 = 14
    MAXIMUM_SPEED_LAST_24 = 15
    SPEED = 16  # km/h; no series of its own: the figure of number 15 is made from it
    ENGINE_LOAD = 17  # percent; the same for number 14


SWITCH_METRICS = range(101, 117)  # inputs 1 to 16 of the tracker


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Readings of one kind: the segment of its address that we write, and its document's root.

    The segment, the element and the root differ, in letter case too, and readers compare each to the letter.
    aliases: further segments that name it. metrics: its numbers in `reading`; fault_kind: its number in `fault`;
    positions have a table to themselves.
    """

    name: str
    root: str
    element: Element
    metrics: tuple[int, ...] = ()
    fault_kind: int | None = None
    aliases: tuple[str, ...] = ()

    @property
    def value(self) -> Child:
        """The child that a row's value belongs to; the others do not change with time, or are in the metric."""
        return [child for child in self.element.children if child.required][-1]

    @property
    def standing(self) -> tuple[Child, ...]:
        """The children that do not change with time, of a series of figures."""
        if not self.metrics or self.element.reading is SwitchStatus:
            return ()
        return tuple(child for child in self.element.children if child is not self.value)

    def readings_of(
        self, rows: Iterable[tuple[datetime, float, int]], latest: Reading | None
    ) -> tuple[Reading, ...]:
        """rows: of `reading`, each time, value and metric. latest: the machine's, for what does not change with time."""
        if self.element.reading is SwitchStatus:
            return tuple(SwitchStatus(at, _input_of(metric), on=value != 0) for at, value, metric in rows)
        standing = {
            child.attribute: getattr(latest, child.attribute) for child in self.standing if latest is not None
        }
        measured, make = self.value, self.element.reading
        made = _MADE.get(measured.kind, float)
        return tuple(make(at=at, **{measured.attribute: made(value)}, **standing) for at, value, _ in rows)

    def columns_of(self, times: Sequence[float], told: Columns, standing: Mapping[str, Any]) -> Columns:
        """The same side by side, with times in seconds since 1970.

        told: the columns `value` and, of switches, `metric`. standing: of the machine, by column; empty when it tells none.
        """
        at_column, values = self.element.at_column, told["value"]
        if self.element.reading is SwitchStatus:
            number, on = (child.column for child in self.element.children)
            inputs = [_input_of(metric) for metric in told["metric"]]
            return {at_column: times, number: inputs, on: [value != 0 for value in values]}
        made = _MADE.get(self.value.kind)
        return {
            at_column: times,
            self.value.column: [*map(made, values)] if made else values,
            **{child.column: [standing.get(child.column)] * len(times) for child in self.standing},
        }


def _input_of(metric: int) -> int:
    """The number of a tracker's input, from 1."""
    return metric - SWITCH_METRICS.start + 1


_MADE: dict[Kind, type] = {Kind.BOOLEAN: bool, Kind.INTEGER: int}
_ELEMENTS = {element.name: element for element in ELEMENTS}


def _hours(name: str, metric: Metric) -> Series:
    return Series(name=name, root=f"{name}Messages", element=_ELEMENTS[name], metrics=(metric,))


def _series(name: str, root: str, element: str, metric: Metric, *aliases: str) -> Series:
    return Series(name=name, root=root, element=_ELEMENTS[element], metrics=(metric,), aliases=aliases)


def _codes(name: str, root: str, element: str, kind: int) -> Series:
    children = (
        Child(name="CodeIdentifier", attribute="identifier", column="code_identifier", kind=Kind.TEXT),
        *(
            Child(
                name=f"Code{part}",
                attribute=part.lower(),
                column=f"code_{part.lower()}",
                kind=Kind.TEXT,
                required=False,
            )
            for part in ("Description", "Severity", "Source")
        ),
    )
    written = Element(name=element, attribute=name.lower(), reading=Fault, children=children)
    return Series(name=name, root=root, element=written, fault_kind=kind)


# The standard spells this one unlike its snapshot element, and with a small p.
_NON_PRODUCTIVE = replace(
    _ELEMENTS["CumulativeIdleNonOperatingHours"], name="CumulativeNonproductiveIdleHours"
)
_SWITCH_STATUS = Element(
    name="SwitchStatus",
    attribute="switch_status",
    reading=SwitchStatus,
    children=(
        Child(name="SwitchNumber", attribute="number", column="metric", kind=Kind.INTEGER),
        Child(name="SwitchState", attribute="on", column="value", kind=Kind.BOOLEAN),
    ),
)

LOCATIONS = Series(
    name="Locations", root="LocationMessages", element=_ELEMENTS["Location"], aliases=("Location",)
)
OPERATING_HOURS = _hours("CumulativeOperatingHours", Metric.CUMULATIVE_OPERATING_HOURS)
SWITCHES = Series(
    name="SwitchStatus",
    root="SwitchStatusMessages",
    element=_SWITCH_STATUS,
    metrics=tuple(SWITCH_METRICS),
)
FAULTS = _codes("Faults", "FaultCodeMessages", "FaultCode", 1)
CAUTION_CODES = _codes("CautionCodes", "CautionMessages", "CautionCode", 2)

SERIES: tuple[Series, ...] = (
    LOCATIONS,
    OPERATING_HOURS,
    _hours("CumulativeIdleHours", Metric.CUMULATIVE_IDLE_HOURS),
    Series(
        name="CumulativeNonProductiveIdleHours",
        root="CumulativeNonproductiveIdleHoursMessages",
        element=_NON_PRODUCTIVE,
        metrics=(Metric.CUMULATIVE_IDLE_NON_OPERATING_HOURS,),
    ),
    _series("CumulativeFuelUsed", "FuelUsedMessages", "FuelUsed", Metric.CUMULATIVE_FUEL_USED),
    _series(
        "FuelUsedInThePreceding24Hours", "FuelUsedLast24Messages", "FuelUsedLast24", Metric.FUEL_USED_LAST_24
    ),
    _series("FuelRemainingRatio", "FuelRemainingMessages", "FuelRemaining", Metric.FUEL_REMAINING),
    _series(
        "DEFRemainingRatio", "DEFRemainingMessages", "DEFRemaining", Metric.DEF_REMAINING, "DEFRemaining"
    ),
    _series("Distance", "DistanceMessages", "Distance", Metric.DISTANCE),
    _series("EngineCondition", "EngineStatusMessages", "EngineStatus", Metric.ENGINE_STATUS),
    _series(
        "CumulativeLoadCount",
        "CumulativeLoadCountMessages",
        "CumulativeLoadCount",
        Metric.CUMULATIVE_LOAD_COUNT,
    ),
    _series(
        "CumulativePayloadTotals",
        "CumulativePayloadTotalMessages",
        "CumulativePayloadTotals",
        Metric.CUMULATIVE_PAYLOAD_TOTALS,
    ),
    _hours("CumulativeActiveRegenerationHours", Metric.CUMULATIVE_ACTIVE_REGENERATION_HOURS),
    _hours("CumulativePowerTakeOffHours", Metric.CUMULATIVE_POWER_TAKE_OFF_HOURS),
    _series(
        "AverageDailyEngineLoadFactors",
        "AverageLoadFactorLast24Messages",
        "AverageLoadFactorLast24",
        Metric.AVERAGE_LOAD_FACTOR_LAST_24,
    ),
    _series(
        "PeakDailySpeed", "MaximumSpeedLast24Messages", "MaximumSpeedLast24", Metric.MAXIMUM_SPEED_LAST_24
    ),
    SWITCHES,
    FAULTS,
    CAUTION_CODES,
)

_NAMED = {segment.lower(): series for series in SERIES for segment in (series.name, *series.aliases)}


def find_series(segment: str) -> Series | None:
    """The series that a segment of an address names, in any case: providers differ, and their clients with them."""
    return _NAMED.get(segment.lower())
