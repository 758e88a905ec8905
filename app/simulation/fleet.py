"""Plausible fleets for the demo and for load: every figure follows from the same simulated working days.

A machine's days are drawn one by one; within a day everything grows in step with the engine's hours. So hours,
idle hours, fuel, distance and loads agree with each other, and a Last24 figure is the difference of two totals.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

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
from app.simulation.profiles import PROFILES, Profile, make_pin

_DAY = timedelta(days=1)
_SUNDAY = 6
METRES_PER_DEGREE = 111_320
FILLED, SPARE = 0.97, 0.08  # a tank is filled in the morning when the day would not leave the spare
DEF_PER_FUEL = 0.03
_HEADER_ONLY = 0.02  # share of machines whose tracker was never switched on
_ON_BUS, _HAS_MODEL, _HAS_PIN, _HAS_ALTITUDE = 0.8, 0.96, 0.94, 0.85  # shares of the fleet
_HEARTBEAT = timedelta(hours=4)  # how often a standing machine reports
_SITES = 12


@dataclass(frozen=True, slots=True)
class Site:
    latitude: float
    longitude: float
    altitude_m: float
    begins_hour: int  # UTC


@dataclass(frozen=True, slots=True)
class Shift:
    """One working day of one machine, from the engine's start to its stop."""

    begins_at: datetime
    seconds: int
    effort: float  # 1.0 is the profile's own consumption and speed

    @property
    def ends_at(self) -> datetime:
        return self.begins_at + timedelta(seconds=self.seconds)

    def hours_by(self, at: datetime) -> float:
        return min(self.seconds, max(0.0, (at - self.begins_at).total_seconds())) / 3600


@dataclass(frozen=True, slots=True)
class Totals:
    """Lifetime figures at one moment."""

    hours: float
    worked: float  # hours weighted with their effort: what fuel, distance and loads follow


@dataclass(frozen=True, slots=True)
class SimulatedMachine:
    profile: Profile
    site: Site
    header: EquipmentHeader
    before: Totals  # when the simulated days begin
    shifts: tuple[Shift, ...]
    silent: bool  # its tracker was never switched on
    has_bus: bool  # without one, its tracker knows position, hours and movement alone

    def totals_at(self, at: datetime) -> Totals:
        hours = [shift.hours_by(at) for shift in self.shifts]
        worked = sum(grown * shift.effort for grown, shift in zip(hours, self.shifts, strict=True))
        return Totals(self.before.hours + sum(hours), self.before.worked + worked)


@dataclass(frozen=True, slots=True)
class _Report:
    """What a machine's figures are computed from: totals as of its last work, and what the last day added."""

    machine: SimulatedMachine
    worked_at: datetime
    seen_at: datetime
    running: bool
    totals: Totals
    last_24: Totals


def simulate_fleet(
    machines: int, days: float, interval_s: int, seed: int, now: datetime
) -> Iterator[Equipment]:
    """The newest snapshot of each machine at `now`, after `days` simulated days reported every `interval_s`.

    The same arguments give the same fleet, and a machine does not depend on how many there are.
    """
    simulated = simulate_machines(machines, days, interval_s, seed, now)
    return (equipment for equipment, _ in simulated)


def simulate_machines(
    machines: int, days: float, interval_s: int, seed: int, now: datetime
) -> Iterator[tuple[Equipment, SimulatedMachine]]:
    """The same, each with the days that it comes from."""
    now = now.astimezone(UTC).replace(microsecond=0)
    interval = min(timedelta(seconds=interval_s), _DAY)
    sites = _make_sites(Random(seed))  # noqa: S311 - invented machines, not secrets
    for number in range(machines):
        random = Random(f"{seed}/{number}")  # noqa: S311 - as above
        machine = _make_machine(random, number, sites, (now - timedelta(days=days), now))
        yield _equip(random, _report(machine, now, interval)), machine


def _make_sites(random: Random) -> tuple[Site, ...]:
    return tuple(
        Site(
            latitude=random.uniform(36.0, 47.0),
            longitude=random.uniform(-119.0, -84.0),
            altitude_m=random.uniform(80.0, 1700.0),
            begins_hour=random.randrange(12, 15),
        )
        for _ in range(_SITES)
    )


def _make_machine(
    random: Random, number: int, sites: tuple[Site, ...], span: tuple[datetime, datetime]
) -> SimulatedMachine:
    profile = random.choices(PROFILES, [profile.share for profile in PROFILES])[0]
    site = random.choice(sites)
    age = timedelta(days=random.randrange(60, 2200), seconds=random.randrange(86_400))
    hours = age / _DAY * profile.shift_hours * random.uniform(0.3, 0.65)
    return SimulatedMachine(
        profile=profile,
        site=site,
        header=_make_header(random, number, profile, span[0] - age),
        before=Totals(hours, hours * random.uniform(0.9, 1.1)),
        shifts=tuple(_make_shifts(random, profile, site, span)),
        silent=random.random() < _HEADER_ONLY,
        has_bus=random.random() < _ON_BUS,
    )


def _make_header(random: Random, number: int, profile: Profile, installed_at: datetime) -> EquipmentHeader:
    """Some machines lack a PIN or a model, as in real fleets; each has its own equipment id."""
    maker = random.choice(profile.makers)
    return EquipmentHeader(
        unit_installed_at=installed_at.replace(microsecond=0),
        oem_name=maker,
        model=random.choice(profile.models) if random.random() < _HAS_MODEL else None,
        equipment_id=f"{profile.kind} #{number + 1:05d}",
        serial_number=f"{random.randrange(10**8):08d}",
        pin=make_pin(random, maker) if random.random() < _HAS_PIN else None,
    )


def _make_shifts(
    random: Random, profile: Profile, site: Site, span: tuple[datetime, datetime]
) -> Iterator[Shift]:
    """Most days but Sundays; light towers burn through the nights instead."""
    busy = random.uniform(0.55, 0.95)
    midnight = span[0].replace(hour=0, minute=0, second=0)
    while midnight < span[1]:
        works = random.random() < busy and (profile.at_night or midnight.weekday() != _SUNDAY)
        begins_hour = (site.begins_hour + 12 * profile.at_night) % 24 + random.uniform(-0.5, 1.0)
        begins_at = midnight + timedelta(seconds=round(begins_hour * 3600))
        seconds = round(3600 * min(14.0, max(0.5, random.gauss(profile.shift_hours, 1.2))))
        if works and span[0] <= begins_at < span[1]:
            yield Shift(begins_at, seconds, random.uniform(0.75, 1.2))
        midnight += _DAY


def _report(machine: SimulatedMachine, now: datetime, interval: timedelta) -> _Report:
    """The tracker reports every interval while the engine runs, once at its stop, and then by heartbeat."""
    last = machine.shifts[-1] if machine.shifts else None
    running = last is not None and now < last.ends_at
    if running or last is None:
        worked_at = seen_at = _floor(now, interval)
    else:
        worked_at, seen_at = last.ends_at, max(last.ends_at, _floor(now, max(interval, _HEARTBEAT)))
    totals = machine.totals_at(worked_at)
    day_before = machine.totals_at(seen_at - _DAY)
    last_24 = Totals(totals.hours - day_before.hours, totals.worked - day_before.worked)
    return _Report(machine, worked_at, seen_at, running, totals, last_24)


def _equip(random: Random, report: _Report) -> Equipment:
    machine = report.machine
    if machine.silent:
        return Equipment(header=machine.header)
    readings = _seen(random, report) | (_counted(report) | _fuelled(report) if machine.has_bus else {})
    return Equipment(header=machine.header, **readings)


def _seen(random: Random, report: _Report) -> dict[str, Any]:
    site, profile = report.machine.site, report.machine.profile
    north, east = random.gauss(0, 180) / METRES_PER_DEGREE, random.gauss(0, 180) / METRES_PER_DEGREE
    place = Location(
        report.seen_at,
        round(site.latitude + north, 6),
        round(site.longitude + east / math.cos(math.radians(site.latitude)), 6),
        round(site.altitude_m + random.gauss(0, 4), 1) if random.random() < _HAS_ALTITUDE else None,
    )
    seen: dict[str, Any] = {
        "location": place,
        "cumulative_operating_hours": Hours(report.worked_at, round(report.totals.hours, 2)),
        "engine_status": EngineStatus(report.worked_at, report.running),
    }
    if profile.speed_kmh:
        top = profile.top_speed_kmh * random.uniform(0.7, 1.0) if report.last_24.hours > 0 else 0.0
        distance = Distance(report.worked_at, round(report.totals.worked * profile.speed_kmh, 2))
        seen |= {"distance": distance, "maximum_speed_last_24": Speed(report.seen_at, round(top, 1))}
    return seen


def _counted(report: _Report) -> dict[str, Any]:
    """Hours and loads that the machine's own computers count."""
    profile, totals, at = report.machine.profile, report.totals, report.worked_at
    counted: dict[str, Any] = {}
    for name, share in profile.hour_shares:
        counted[name] = Hours(at, round(totals.hours * share, 2))
    if profile.loads_per_hour:
        loads = int(totals.worked * (1 - profile.idle_share) * profile.loads_per_hour)
        counted["cumulative_load_count"] = LoadCount(at, loads)
        counted["cumulative_payload_totals"] = Payload(at, loads * profile.payload_kg)
    if report.last_24.hours > 0:
        effort = report.last_24.worked / report.last_24.hours * (1 - profile.idle_share)
        load = Percentage(report.seen_at, round(min(100.0, 75 * effort), 1))
        counted["average_load_factor_last_24"] = load
    return counted


def _fuelled(report: _Report) -> dict[str, Any]:
    profile, at = report.machine.profile, report.worked_at
    fuel_used, last_24 = (
        report.totals.worked * profile.fuel_l_per_hour,
        report.last_24.worked * profile.fuel_l_per_hour,
    )
    fuelled: dict[str, Any] = {
        "fuel_used": FuelConsumed(at, round(fuel_used, 1)),
        "fuel_used_last_24": FuelConsumed(report.seen_at, round(last_24, 1)),
        "fuel_remaining": TankLevel(at, _level(report, profile.tank_l, 1.0), profile.tank_l),
    }
    if profile.def_tank_l:
        level = _level(report, profile.def_tank_l, DEF_PER_FUEL)
        fuelled["def_remaining"] = TankLevel(at, level, profile.def_tank_l)
    return fuelled


def _level(report: _Report, tank_l: float, share: float) -> float:
    """Percent left in a tank that empties with the work and is filled in the mornings before it runs dry."""
    level, per_hour = FILLED, report.machine.profile.fuel_l_per_hour * share / tank_l
    for shift in report.machine.shifts:
        day = shift.seconds / 3600 * shift.effort * per_hour
        level = (FILLED if level - day < SPARE else level) - shift.hours_by(
            report.worked_at
        ) * shift.effort * per_hour
    return round(100 * level, 1)


def _floor(at: datetime, step: timedelta) -> datetime:
    return at - timedelta(seconds=at.timestamp() % step.total_seconds())
