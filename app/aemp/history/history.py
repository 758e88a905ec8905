"""The values of history: figures, positions and codes, also those that machines report beside a snapshot."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeAlias

from app.aemp.model.elements import ELEMENTS, Child, Element, Kind
from app.aemp.model.errors import FlawError
from app.aemp.model.series import CAUTION_CODES, FAULTS, SERIES, SWITCH_METRICS, Metric, Series
from app.aemp.model.values import Equipment, Fault, Location, Reading, SwitchStatus

# The element's name says more than the reading's type, since hours are hours whatever they count.
NamedReading: TypeAlias = tuple[str, Reading]
# When, metric, value: a plain tuple, since there are millions.
Figure: TypeAlias = tuple[datetime, int, float]
# When, 1 for a fault code and 2 for a caution code, the code.
NumberedFault: TypeAlias = tuple[datetime, int, Fault]

_OF_SNAPSHOTS = {element.name: element for element in ELEMENTS}
# These two are ours: machines measure them, and two figures of the snapshot are computed from them.
_SPEED = replace(_OF_SNAPSHOTS["MaximumSpeedLast24"], name="Speed", attribute="speed")
_ENGINE_LOAD = replace(_OF_SNAPSHOTS["AverageLoadFactorLast24"], name="EngineLoad", attribute="engine_load")

_OF_SERIES = tuple(series.element for series in SERIES if series.element.name not in _OF_SNAPSHOTS)

FURTHER_ELEMENTS: tuple[Element, ...] = (*_OF_SERIES, _SPEED, _ENGINE_LOAD)

_KINDS = {FAULTS.element.name: 1, CAUTION_CODES.element.name: 2}
_NAMES_OF_KINDS = {kind: name for name, kind in _KINDS.items()}


def _stored_as(series: Series) -> tuple[int, str]:
    return series.metrics[0], series.value.attribute


# Element: metric, and the attribute of the reading that is its value.
_FIGURES: dict[str, tuple[int, str]] = {
    **{series.element.name: _stored_as(series) for series in SERIES if len(series.metrics) == 1},
    "CumulativeIdleNonOperatingHours": (Metric.CUMULATIVE_IDLE_NON_OPERATING_HOURS, "hours"),
    _SPEED.name: (Metric.SPEED, "speed_kmh"),
    _ENGINE_LOAD.name: (Metric.ENGINE_LOAD, "percent"),
}

_NAMES = {metric: name for name, (metric, _) in _FIGURES.items()}
_MADE: dict[Kind, Callable[[float], Any]] = {Kind.BOOLEAN: bool, Kind.INTEGER: int}


def _shown() -> Iterator[tuple[int, tuple[str, str, Callable[[float], Any]]]]:
    for element in ELEMENTS:
        if element.name in _FIGURES:
            metric, attribute = _FIGURES[element.name]
            child = next(child for child in element.children if child.attribute == attribute)
            yield metric, (element.at_column, child.column, _MADE.get(child.kind, float))


# By metric: a snapshot's columns for its time and value, and the type that the value gets.
SHOWN = dict(_shown())
LOCATION = _OF_SNAPSHOTS["Location"]


@dataclass(slots=True)
class History:
    """One machine's readings, in no order. standing: columns that do not change with time, such as a tank's capacity."""

    figures: list[Figure] = field(default_factory=list)
    locations: list[Location] = field(default_factory=list)
    faults: list[NumberedFault] = field(default_factory=list)
    standing: dict[str, Any] = field(default_factory=dict)


def history_of(readings: Iterable[NamedReading]) -> History:
    history = History()
    for name, reading in readings:
        match reading:
            case Location():
                history.locations.append(reading)
            case Fault():
                history.faults.append((reading.at, _KINDS[name], reading))
            case SwitchStatus():
                history.figures.append((reading.at, _switch_metric(reading.number), float(reading.on)))
            case _:
                metric, attribute = _FIGURES[name]
                history.figures.append((reading.at, metric, float(getattr(reading, attribute))))
                history.standing |= _standing(name, reading)
    return history


def readings_of(machine: Equipment) -> Iterator[NamedReading]:
    for element in ELEMENTS:
        reading = getattr(machine, element.attribute)
        if reading is not None:
            yield element.name, reading
    yield from machine.further


def name_of_figure(figure: Figure) -> str:
    """Name of the element this figure belongs to."""
    return _NAMES.get(figure[1], SwitchStatus.__name__)


def name_of_fault(fault: NumberedFault) -> str:
    return _NAMES_OF_KINDS[fault[1]]


def _switch_metric(number: int) -> int:
    return SWITCH_METRICS[number - 1]


def check_switch(reading: Reading) -> None:
    """Raises FlawError when the tracker has no input of this number."""
    if isinstance(reading, SwitchStatus) and not 1 <= reading.number <= len(SWITCH_METRICS):
        raise FlawError(f"SwitchNumber is {reading.number}, outside 1 to {len(SWITCH_METRICS)}")


_STANDING: dict[str, tuple[Child, ...]] = {
    element.name: tuple(child for child in element.children if not child.required)
    for element in ELEMENTS
    if element.name != "Location"  # an altitude belongs to its position
}


def _standing(name: str, reading: Reading) -> dict[str, Any]:
    told = ((child.column, getattr(reading, child.attribute)) for child in _STANDING.get(name, ()))
    return {column: value for column, value in told if value is not None}
