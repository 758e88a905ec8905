"""Made-up machines: what each is, where it stands, and the walk through its days."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from random import Random
from typing import NamedTuple, TypeAlias

from app.aemp.model.values import EquipmentHeader
from app.simulation.profiles import PROFILES, Profile, Tank, make_pin

METRES_PER_DEGREE = 111_320
_SHARES = [profile.share for profile in PROFILES]
_HEADER_ONLY = 0.02  # share of machines whose tracker was never switched on
_ON_BUS, _HAS_MODEL, _HAS_PIN, _HAS_ALTITUDE = 0.8, 0.96, 0.94, 0.85  # shares of the fleet
_DAY = timedelta(days=1)
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
_BEGINS_AT = attrgetter("begins_at")
_SUNDAY = 6
_SITES = 12

Span: TypeAlias = tuple[datetime, datetime]
# When the engine starts, for how many seconds, and the effort.
_Day: TypeAlias = tuple[datetime, int, float]


@dataclass(frozen=True, slots=True)
class Site:
    """Where machines work; of one machine, the middle of the ring that it drives round."""

    latitude: float
    longitude: float
    altitude_m: float | None  # some trackers do not tell it
    begins_hour: int  # UTC


class Totals(NamedTuple):
    """Lifetime figures at one moment."""

    hours: float
    worked: float  # hours weighted with their effort: what fuel, distance and loads follow

    def after(self, hours: float, effort: float) -> "Totals":
        return Totals(self.hours + hours, self.worked + hours * effort)


class Shift(NamedTuple):
    """One working day of one machine, from the engine's start to its stop, and what stood when it began.

    effort: 1.0 is the profile's own consumption and speed. filled: by tank, the work that was done when it was last filled.
    """

    begins_at: datetime
    ends_at: datetime
    effort: float
    before: Totals
    filled: tuple[float, ...]

    def totals_at(self, at: datetime) -> Totals:
        """at: not before it began."""
        hours = (min(at, self.ends_at) - self.begins_at).total_seconds() / 3600
        return self.before.after(hours, self.effort)


@dataclass(frozen=True, slots=True)
class SimulatedMachine:
    """shifts: in order of time. The first is none: it ended before all time, and says what stood before the others."""

    header: EquipmentHeader
    profile: Profile
    site: Site
    silent: bool  # its tracker was never switched on
    has_bus: bool  # without one, its tracker knows position, hours and movement alone
    shifts: tuple[Shift, ...]

    def shift_at(self, at: datetime) -> Shift:
        """The last that began by then."""
        return self.shifts[self._begun(at)]

    def shifts_within(self, since: datetime, until: datetime) -> list[Shift]:
        begun = self.shifts[self._begun(since) : self._begun(until) + 1]
        return [shift for shift in begun if shift.ends_at > since]

    def _begun(self, at: datetime) -> int:
        return bisect_right(self.shifts, at, key=_BEGINS_AT) - 1


def make_sites(random: Random) -> tuple[Site, ...]:
    return tuple(
        Site(
            latitude=random.uniform(36.0, 47.0),
            longitude=random.uniform(-119.0, -84.0),
            altitude_m=round(random.uniform(80.0, 1700.0), 1),
            begins_hour=random.randrange(12, 15),
        )
        for _ in range(_SITES)
    )


def make_machine(random: Random, number: int, sites: tuple[Site, ...], span: Span) -> SimulatedMachine:
    """Its days are drawn last: a later look at it only adds to them."""
    profile = random.choices(PROFILES, _SHARES)[0]
    site = random.choice(sites)
    age = timedelta(days=random.randrange(60, 2200), seconds=random.randrange(86_400))
    hours = age / _DAY * profile.shift_hours * random.uniform(0.3, 0.65)
    before = Totals(hours, hours * random.uniform(0.9, 1.1))
    return SimulatedMachine(
        header=_make_header(random, number, profile, span[0] - age),
        profile=profile,
        site=_settle(random, site),
        silent=random.random() < _HEADER_ONLY,
        has_bus=random.random() < _ON_BUS,
        shifts=tuple(_walk(profile.tanks, before, _make_days(random, profile, site, span))),
    )


def _make_header(random: Random, number: int, profile: Profile, installed_at: datetime) -> EquipmentHeader:
    """Some machines lack a PIN or a model, as in real fleets; each has its own equipment id."""
    maker = random.choice(profile.makers)
    return EquipmentHeader(
        unit_installed_at=installed_at,
        oem_name=maker,
        model=random.choice(profile.models) if random.random() < _HAS_MODEL else None,
        equipment_id=f"{profile.kind} #{number + 1:05d}",
        serial_number=_make_serial_number(random),
        pin=make_pin(random, maker) if random.random() < _HAS_PIN else None,
    )


def renumbered(machine: SimulatedMachine, random: Random) -> SimulatedMachine:
    """The same machine with another PIN and serial number."""
    known = machine.header
    header = replace(
        known,
        serial_number=_make_serial_number(random),
        pin=make_pin(random, known.oem_name or "") if known.pin else None,
    )
    return replace(machine, header=header)


def _make_serial_number(random: Random) -> str:
    return f"{random.randrange(10**8):08d}"


def _settle(random: Random, site: Site) -> Site:
    """The machine's own place on a site that it shares."""
    return replace(
        site,
        latitude=site.latitude + random.gauss(0, 180) / METRES_PER_DEGREE,
        longitude=site.longitude + random.gauss(0, 180) / METRES_PER_DEGREE,
        altitude_m=site.altitude_m if random.random() < _HAS_ALTITUDE else None,
    )


def _make_days(random: Random, profile: Profile, site: Site, span: Span) -> Iterator[_Day]:
    """Most days but Sundays; light towers burn through the nights instead."""
    busy = random.uniform(0.55, 0.95)
    midnight = span[0].replace(hour=0, minute=0, second=0)
    while midnight < span[1]:
        if random.random() < busy and (profile.at_night or midnight.weekday() != _SUNDAY):
            begins_hour = (site.begins_hour + 12 * profile.at_night) % 24 + random.uniform(-0.5, 1.0)
            begins_at = midnight + timedelta(seconds=round(begins_hour * 3600))
            hours = min(14.0, max(0.5, random.gauss(profile.shift_hours, 1.2)))
            if span[0] <= begins_at < span[1]:
                yield begins_at, round(3600 * hours), random.uniform(0.75, 1.2)
        midnight += _DAY


def _walk(tanks: tuple[Tank, ...], stood: Totals, days: Iterator[_Day]) -> Iterator[Shift]:
    """From day to day: the totals go on, and a tank is filled in the morning when it would not last."""
    filled = (stood.worked,) * len(tanks)
    yield Shift(_BEFORE_ALL, _BEFORE_ALL, 0.0, stood, filled)
    for begins_at, seconds, effort in days:
        evening = stood.after(seconds / 3600, effort)
        filled = tuple(
            when if evening.worked - when <= tank.lasts else stood.worked
            for tank, when in zip(tanks, filled, strict=True)
        )
        yield Shift(begins_at, begins_at + timedelta(seconds=seconds), effort, stood, filled)
        stood = evening
