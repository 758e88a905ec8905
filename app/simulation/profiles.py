"""The kinds of machines a simulated fleet is made of, their invented makers, and their numbers."""

from dataclasses import dataclass
from random import Random

_VIN_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"  # without I, O and Q
_VIN_WORTH = dict(zip("ABCDEFGH", range(1, 9), strict=True)) | dict(
    zip("JKLMNPRSTUVWXYZ", (1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9), strict=True)
)
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_CHECK_DIGITS = "0123456789X"


@dataclass(frozen=True, slots=True, kw_only=True)
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
    speed_kmh: float = 0.0
    top_speed_kmh: float = 0.0
    loads_per_hour: float = 0.0
    payload_kg: float = 0.0
    power_take_off_share: float = 0.0
    at_night: bool = False

    @property
    def hour_shares(self) -> tuple[tuple[str, float], ...]:
        """The counters of hours that this kind keeps beside its operating hours, as parts of them."""
        shares = {
            "cumulative_active_regeneration_hours": 0.012 if self.def_tank_l else 0.0,
            "cumulative_idle_hours": self.idle_share,
            "cumulative_idle_non_operating_hours": self.idle_share / 2 if self.loads_per_hour else 0.0,
            "cumulative_power_take_off_hours": self.power_take_off_share,
        }
        return tuple((name, share) for name, share in shares.items() if share)


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
        top_speed_kmh=5.2,
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
        top_speed_kmh=10.1,
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
        top_speed_kmh=54.0,
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
        top_speed_kmh=32.0,
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
        top_speed_kmh=38.0,
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
