"""Simulated machines report the days behind their snapshots, reading by reading."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import NamedTuple

from app.aemp.history.history import Figure, History
from app.aemp.model.series import Metric
from app.aemp.model.values import Location
from app.simulation.fleet import DEF_PER_FUEL, FILLED, METRES_PER_DEGREE, SPARE, Shift, SimulatedMachine

_MOST_FIGURES = 20_000  # in one piece: a tenth of a second's work
_LOAD_PERCENT = 75
_HOURS = {
    "cumulative_active_regeneration_hours": Metric.CUMULATIVE_ACTIVE_REGENERATION_HOURS,
    "cumulative_idle_hours": Metric.CUMULATIVE_IDLE_HOURS,
    "cumulative_idle_non_operating_hours": Metric.CUMULATIVE_IDLE_NON_OPERATING_HOURS,
    "cumulative_power_take_off_hours": Metric.CUMULATIVE_POWER_TAKE_OFF_HOURS,
}


def simulate_history(
    machine: SimulatedMachine, begins_at: datetime, ends_at: datetime, interval: timedelta
) -> Iterator[History]:
    """Everything the machine tells, at every interval from the beginning up to the end, day and night, in pieces."""
    if machine.silent:
        return
    random = Random(machine.header.equipment_id)  # noqa: S311 - invented positions, not secrets
    walk, place = _Walk(machine), _place(random, machine)
    history = History()
    for at in _times(begins_at, ends_at, interval):
        walk.go_to(at)
        place = _place(random, machine) if walk.running else place
        history.figures += walk.figures(at)
        history.locations.append(Location(at, *place))
        if len(history.figures) >= _MOST_FIGURES:
            yield history
            history = History()
    yield history


def count_times(begins_at: datetime, ends_at: datetime, interval: timedelta) -> int:
    """How often a machine reports."""
    return max(0, (ends_at - _first(begins_at, interval)) // interval + 1)


def _times(begins_at: datetime, ends_at: datetime, interval: timedelta) -> Iterator[datetime]:
    at = _first(begins_at, interval)
    while at <= ends_at:
        yield at
        at += interval


def _first(begins_at: datetime, interval: timedelta) -> datetime:
    step = interval.total_seconds()
    return datetime.fromtimestamp(math.ceil(begins_at.timestamp() / step) * step, UTC)


def _place(random: Random, machine: SimulatedMachine) -> tuple[float, float, float]:
    site = machine.site
    north, east = random.gauss(0, 180) / METRES_PER_DEGREE, random.gauss(0, 180) / METRES_PER_DEGREE
    longitude = site.longitude + east / math.cos(math.radians(site.latitude))
    return round(site.latitude + north, 6), round(longitude, 6), round(site.altitude_m, 1)


class _Tank:
    """Filled in the mornings when the day would not leave the spare."""

    def __init__(self, per_hour: float) -> None:
        self._per_hour = per_hour
        self.level = FILLED

    def during(self, shift: Shift, hours: float) -> float:
        day = shift.seconds / 3600 * shift.effort * self._per_hour
        return (FILLED if self.level - day < SPARE else self.level) - hours * shift.effort * self._per_hour

    def end(self, shift: Shift) -> None:
        self.level = self.during(shift, shift.seconds / 3600)


class _Growing(NamedTuple):
    """A figure that grows with the hours, or with the work done in them."""

    metric: int
    factor: float


class _Walk:
    """A machine's days from the first on: where its totals stand at times that only go forward."""

    def __init__(self, machine: SimulatedMachine) -> None:
        profile = machine.profile
        self._profile, self._shifts, self._has_bus = profile, iter(machine.shifts), machine.has_bus
        self._hours, self._work = machine.before.hours, machine.before.worked  # when the present shift began
        self._shift = next(self._shifts, None)
        self._tanks = [
            (metric, _Tank(profile.fuel_l_per_hour * share / tank_l))
            for metric, share, tank_l in (
                (Metric.FUEL_REMAINING, 1.0, profile.tank_l),
                (Metric.DEF_REMAINING, DEF_PER_FUEL, profile.def_tank_l),
            )
            if tank_l and machine.has_bus
        ]
        with_hours = [(_HOURS[name], share) for name, share in profile.hour_shares] if self._has_bus else []
        self._with_hours = [
            _Growing(Metric.CUMULATIVE_OPERATING_HOURS, 1.0),
            *(_Growing(*each) for each in with_hours),
        ]
        self._with_work = [
            _Growing(metric, factor)
            for metric, factor, told in (
                (Metric.CUMULATIVE_FUEL_USED, profile.fuel_l_per_hour, machine.has_bus),
                (Metric.DISTANCE, profile.speed_kmh, True),
            )
            if factor and told
        ]
        self.running = False
        self._grown = 0.0

    def go_to(self, at: datetime) -> None:
        while self._shift and at >= self._shift.ends_at:
            self._end(self._shift)
        self.running = self._shift is not None and at >= self._shift.begins_at
        self._grown = self._shift.hours_by(at) if self._shift else 0.0

    def _end(self, shift: Shift) -> None:
        self._hours += shift.seconds / 3600
        self._work += shift.seconds / 3600 * shift.effort
        for _, tank in self._tanks:
            tank.end(shift)
        self._shift = next(self._shifts, None)

    def figures(self, at: datetime) -> Iterator[Figure]:
        effort = self._shift.effort if self._shift and self.running else 0.0
        hours, work = self._hours + self._grown, self._work + self._grown * effort
        profile = self._profile
        yield at, Metric.ENGINE_STATUS, float(self.running)
        for metric, factor in self._with_hours:
            yield at, metric, round(hours * factor, 2)
        for metric, factor in self._with_work:
            yield at, metric, round(work * factor, 2)
        if profile.speed_kmh:
            yield at, Metric.SPEED, round(min(profile.top_speed_kmh, profile.speed_kmh * effort * 2), 1)
        for metric, tank in self._tanks:
            level = tank.during(self._shift, self._grown) if self._shift and self.running else tank.level
            yield at, metric, round(100 * level, 1)
        if self._has_bus:
            yield from self._loads(at, work, effort)

    def _loads(self, at: datetime, work: float, effort: float) -> Iterator[Figure]:
        profile = self._profile
        if self.running:
            load = min(100.0, _LOAD_PERCENT * effort * (1 - profile.idle_share))
            yield at, Metric.ENGINE_LOAD, round(load, 1)
        if profile.loads_per_hour:
            loads = int(work * (1 - profile.idle_share) * profile.loads_per_hour)
            yield at, Metric.CUMULATIVE_LOAD_COUNT, float(loads)
            yield at, Metric.CUMULATIVE_PAYLOAD_TOTALS, loads * profile.payload_kg
