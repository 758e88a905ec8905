"""The kinds of machines a simulated fleet is made of, their invented makers, and their numbers."""

from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import NamedTuple

from app.aemp.model.series import Metric

FILLED, _SPARE = 97, 8  # percent of a tank
_DEF_PER_FUEL = 0.03
_VIN_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"  # without I, O and Q
_VIN_WORTH = dict(zip("ABCDEFGH", range(1, 9), strict=True)) | dict(
    zip("JKLMNPRSTUVWXYZ", (1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9), strict=True)
)
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_CHECK_DIGITS = "0123456789X"


class Counter(NamedTuple):
    """A total that grows with the engine's hours, or with the work done in them."""

    metric: Metric
    per_hour: float
    per_work: float


class Tank(NamedTuple):
    """per_work: the percent of it that an hour's work takes. lasts: for how many such hours, to be filled in time."""

    metric: Metric
    capacity_l: float
    per_work: float
    lasts: float


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What machines of one kind do while their engine runs; a speed of 0 says that it does not drive."""

    kind: str
    makers: tuple[str, ...]
    models: tuple[str, ...]
    share: float  # of the fleet
    shift_hours: float
    idle_share: float
    fuel_l_per_hour: float
    tank_l: float
    def_tank_l: float = 0.0
    speed_kmh: float = 0.0  # on average, standing included
    loads_per_hour: float = 0.0
    payload_kg: float = 0.0
    power_take_off_share: float = 0.0
    at_night: bool = False

    @cached_property
    def seen(self) -> tuple[Counter, ...]:
        """What a tracker counts by itself."""
        return _growing((Metric.CUMULATIVE_OPERATING_HOURS, 1.0, 0.0), (Metric.DISTANCE, 0.0, self.speed_kmh))

    @cached_property
    def counted(self) -> tuple[Counter, ...]:
        """What the machine's own computers count as well."""
        regeneration = 0.012 if self.def_tank_l else 0.0
        not_operating = self.idle_share / 2 if self.loads_per_hour else 0.0
        return self.seen + _growing(
            (Metric.CUMULATIVE_ACTIVE_REGENERATION_HOURS, regeneration, 0.0),
            (Metric.CUMULATIVE_IDLE_HOURS, self.idle_share, 0.0),
            (Metric.CUMULATIVE_IDLE_NON_OPERATING_HOURS, not_operating, 0.0),
            (Metric.CUMULATIVE_POWER_TAKE_OFF_HOURS, self.power_take_off_share, 0.0),
            (Metric.CUMULATIVE_FUEL_USED, 0.0, self.fuel_l_per_hour),
        )

    @cached_property
    def tanks(self) -> tuple[Tank, ...]:
        fuel = _make_tank(Metric.FUEL_REMAINING, self.tank_l, self.fuel_l_per_hour)
        if not self.def_tank_l:
            return (fuel,)
        def_l_per_hour = self.fuel_l_per_hour * _DEF_PER_FUEL
        return fuel, _make_tank(Metric.DEF_REMAINING, self.def_tank_l, def_l_per_hour)


def _make_tank(metric: Metric, capacity_l: float, l_per_hour: float) -> Tank:
    per_work = 100 * l_per_hour / capacity_l
    return Tank(metric, capacity_l, per_work, (FILLED - _SPARE) / per_work)


def _growing(*counters: tuple[Metric, float, float]) -> tuple[Counter, ...]:
    """Those that this kind of machine has: nothing counts what never grows."""
    return tuple(Counter(*each) for each in counters if any(each[1:]))


PROFILES = (
    Profile(
        kind="Excavator",
        makers=("Nordhoff", "Brannock"),
        models=("NX 220", "NX 350 LC", "BE 75"),
        share=0.28,
        shift_hours=8.5,
        idle_share=0.3,
        fuel_l_per_hour=17.0,
        tank_l=410.0,
        def_tank_l=35.0,
        speed_kmh=0.4,
    ),
    Profile(
        kind="Dozer",
        makers=("Tamarack Heavy",),
        models=("TD 6", "TD 8 XW"),
        share=0.12,
        shift_hours=8.0,
        idle_share=0.25,
        fuel_l_per_hour=24.0,
        tank_l=480.0,
        def_tank_l=40.0,
        speed_kmh=2.6,
    ),
    Profile(
        kind="Truck",
        makers=("Veldman", "Kestrel Works"),
        models=("V 30 Haul", "K-28T"),
        share=0.18,
        shift_hours=9.0,
        idle_share=0.18,
        fuel_l_per_hour=26.0,
        tank_l=520.0,
        def_tank_l=55.0,
        speed_kmh=17.0,
        loads_per_hour=3.2,
        payload_kg=27_500.0,
    ),
    Profile(
        kind="Telehandler",
        makers=("Kestrel Works",),
        models=("KT 714", "KT 917"),
        share=0.17,
        shift_hours=6.0,
        idle_share=0.35,
        fuel_l_per_hour=6.5,
        tank_l=140.0,
        speed_kmh=4.0,
        power_take_off_share=0.2,
    ),
    Profile(
        kind="Loader",
        makers=("Nordhoff", "Veldman"),
        models=("NL 120", "VL 9"),
        share=0.13,
        shift_hours=8.0,
        idle_share=0.28,
        fuel_l_per_hour=14.0,
        tank_l=270.0,
        def_tank_l=25.0,
        speed_kmh=6.5,
        loads_per_hour=21.0,
        payload_kg=4_800.0,
    ),
    Profile(
        kind="Light tower",
        makers=("Lumida",),
        models=("LT 4x350", "LT Hybrid 6"),
        share=0.12,
        shift_hours=9.5,
        idle_share=0.0,
        fuel_l_per_hour=1.4,
        tank_l=110.0,
        at_night=True,
    ),
)


def make_pin(random: Random, maker: str) -> str:
    """17 characters with the check digit of ISO 3779 as North America computes it, in the ninth place."""
    world = "9" + "".join(letter for letter in maker.upper() if letter in _VIN_LETTERS)[:2]
    described = "".join(random.choices(_VIN_LETTERS + "0123456789", k=5))
    made = random.choice("LMNPRST") + random.choice(_VIN_LETTERS) + f"{random.randrange(1_000_000):06d}"
    return f"{world}{described}{check_digit(f'{world}{described}0{made}')}{made}"


def check_digit(pin: str) -> str:
    """The check digit of a 17-character number; what stands in its ninth place does not count."""
    worths = (int(sign) if sign.isdigit() else _VIN_WORTH[sign] for sign in pin)
    total = sum(worth * weight for worth, weight in zip(worths, _VIN_WEIGHTS, strict=True))
    return _CHECK_DIGITS[total % 11]
