"""Spellings of units in other providers' documents, and their values in our units."""

from app.aemp.model.bounds import LONGEST_UNIT
from app.aemp.model.errors import FlawError

_LENGTHS_M = {
    ("metre", "metres", "meter", "meters", "m"): 1.0,
    ("kilometre", "kilometres", "kilometer", "kilometers", "km"): 1000.0,
    ("mile", "miles", "mi"): 1609.344,
    ("foot", "feet", "ft"): 0.3048,
}
_VOLUMES_L = {
    ("litre", "litres", "liter", "liters", "l"): 1.0,
    ("gallon", "gallons", "us gallon", "us gallons", "gal"): 3.785411784,
    ("imperial gallon", "imperial gallons"): 4.54609,
}
# A bare `ton` is left out on purpose: it is three different weights.
_MASSES_KG = {
    ("kilogram", "kilograms", "kg"): 1.0,
    ("tonne", "tonnes", "metric ton", "metric tons", "t"): 1000.0,
    ("pound", "pounds", "lb", "lbs"): 0.45359237,
    ("short ton", "short tons"): 907.18474,
}
_SPEEDS_KMH = {
    ("kilometres per hour", "kilometers per hour", "kilometre per hour", "kilometer per hour", "km/h"): 1.0,
    ("miles per hour", "mile per hour", "mph"): 1.609344,
    ("metres per second", "meters per second", "m/s"): 3.6,
}

_WORTH: dict[str, tuple[int, float]] = {
    spelling: (quantity, worth)
    for quantity, table in enumerate((_LENGTHS_M, _VOLUMES_L, _MASSES_KG, _SPEEDS_KMH))
    for spellings, worth in table.items()
    for spelling in spellings
}


def factor(stated: str, ours: str) -> float:
    """The factor that turns a figure in the unit a document states into the unit we keep.

    Raises FlawError when it is no such unit, or longer than any.
    """
    if len(stated) > LONGEST_UNIT:
        raise FlawError(f"a unit of more than {LONGEST_UNIT} characters")
    found = _WORTH.get(" ".join(stated.lower().replace("_", " ").split()))
    quantity, worth = _WORTH[ours]
    if found is None or found[0] != quantity:
        raise FlawError(f"{stated[:40]!r} is not a unit that can be turned into {ours}")
    return found[1] / worth
