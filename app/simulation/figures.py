"""What a simulated machine tells at one moment: each figure's rule stands here, for snapshots and for history."""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from app.aemp.history.history import Figure
from app.aemp.model.series import Metric
from app.aemp.model.values import Location
from app.simulation.machines import METRES_PER_DEGREE, Shift, SimulatedMachine, Totals
from app.simulation.profiles import FILLED, Profile

_DAY = timedelta(days=1)
_LOAD_PERCENT = 75
_RING_KM = 0.15  # from its middle
_RING_DEGREES = _RING_KM * 1000 / METRES_PER_DEGREE


class Moment(NamedTuple):
    """Where a machine's days stand. shift: the last that began by then."""

    at: datetime
    machine: SimulatedMachine
    shift: Shift
    totals: Totals
    running: bool


def moment_of(machine: SimulatedMachine, at: datetime) -> Moment:
    shift = machine.shift_at(at)
    return Moment(at, machine, shift, shift.totals_at(at), at < shift.ends_at)


def location_of(moment: Moment) -> Location:
    """On the ring that the machine drives round, as far along as its odometer says."""
    site = moment.machine.site
    angle = moment.totals.worked * moment.machine.profile.speed_kmh / _RING_KM
    east = math.cos(angle) * _RING_DEGREES / math.cos(math.radians(site.latitude))
    return Location(
        moment.at,
        round(site.latitude + math.sin(angle) * _RING_DEGREES, 6),
        round(site.longitude + east, 6),
        site.altitude_m,
    )


def figures_of(moment: Moment) -> Iterator[Figure]:
    """Everything that the machine measures."""
    at, machine, shift, (hours, worked), running = moment
    profile = machine.profile
    yield at, Metric.ENGINE_STATUS, float(running)
    for metric, per_hour, per_work in profile.counted if machine.has_bus else profile.seen:
        yield at, metric, round(hours * per_hour + worked * per_work, 2)
    if profile.speed_kmh:
        yield at, Metric.SPEED, _speed_kmh(profile, shift.effort) if running else 0.0
    if machine.has_bus:
        yield from _loads(moment)
        for (metric, _, per_work, _), filled in zip(profile.tanks, shift.filled, strict=True):
            yield at, metric, round(FILLED - (worked - filled) * per_work, 1)


def _loads(moment: Moment) -> Iterator[Figure]:
    profile = moment.machine.profile
    if moment.running:
        yield moment.at, Metric.ENGINE_LOAD, _load_percent(profile, moment.shift.effort)
    if profile.loads_per_hour:
        loads = int(moment.totals.worked * (1 - profile.idle_share) * profile.loads_per_hour)
        yield moment.at, Metric.CUMULATIVE_LOAD_COUNT, float(loads)
        yield moment.at, Metric.CUMULATIVE_PAYLOAD_TOTALS, loads * profile.payload_kg


def last_24_of(moment: Moment) -> Iterator[Figure]:
    """The figures of the last 24 hours, which the service computes itself where there is history."""
    at, machine = moment.at, moment.machine
    profile, before = machine.profile, moment_of(machine, at - _DAY).totals
    hours, worked = moment.totals.hours - before.hours, moment.totals.worked - before.worked
    if profile.speed_kmh:
        hardest = max((shift.effort for shift in machine.shifts_within(at - _DAY, at)), default=0.0)
        yield at, Metric.MAXIMUM_SPEED_LAST_24, _speed_kmh(profile, hardest)
    if machine.has_bus:
        yield at, Metric.FUEL_USED_LAST_24, round(worked * profile.fuel_l_per_hour, 2)
        if hours:
            yield at, Metric.AVERAGE_LOAD_FACTOR_LAST_24, _load_percent(profile, worked / hours)


def _speed_kmh(profile: Profile, effort: float) -> float:
    """While it drives: half of the time it stands."""
    return round(profile.speed_kmh * effort * 2, 1)


def _load_percent(profile: Profile, effort: float) -> float:
    return round(_LOAD_PERCENT * effort * (1 - profile.idle_share), 1)
