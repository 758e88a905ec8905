"""Values of the children of an element or a header, checked and in our units.

Placeholders for "not known" count as absent. A value that cannot be read or cannot be true is a flaw.
"""

import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.aemp.model.bounds import LONGEST_FIGURE, LONGEST_TEXT
from app.aemp.model.elements import Child, Kind, Unit
from app.aemp.model.errors import FlawError
from app.aemp.model.plausible import says_nothing
from app.aemp.model.text import clean
from app.aemp.model.times import parse_duration, parse_time
from app.aemp.model.units import factor

_PLACEHOLDERS = ("", "missing", "n/a")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}

# Other names that the same thing has in some document, in lower case.
_ALIASES: dict[str, tuple[str, ...]] = {
    "OEMName": ("make",),  # AEMP 1.2
    "EquipmentID": ("bodasmachineid",),  # the only identifier in that provider's header
    "AverageLoadFactorLast24": ("averagedailyloadfactorlast24",),
    "Location": ("locations",),
    "Percent": ("loadfactor",),
    "PayloadUnits": ("weightunit", "weightunits", "weightuom"),
    "Payload": ("weight",),
    "FaultCode": ("faultcodes",),
    "CautionCode": ("cautioncodes",),
}
# AEMP 1.2 wraps the altitude in its unit.
_WRAPPERS = ("meters", "metres", "feet")


def keys_of(name: str) -> tuple[str, ...]:
    return (name.lower(), *_ALIASES.get(name, ()))


def measured(child: Child, found: Mapping[str, Any]) -> Any:
    """A child's value in our unit and within its range; None where there is none.

    What need not be there and says nothing counts as absent, and so does a capacity of 0.

    Raises FlawError when it cannot be read, or cannot be true.
    """
    value, wrapper = _unwrap(child, found)
    read = read_value(child, value)
    if read is None or child.kind not in (Kind.DECIMAL, Kind.INTEGER):
        return read
    if sign := says_nothing(child.name, read):
        if not child.required:
            return None
        raise FlawError(f"{child.name} is {read:.12g}, which says that there is none ({sign})")
    stated = find(found, child.unit.name) if child.unit else None
    seen = f"{read:.12g}"
    if child.unit:
        read *= _factor(child.unit, wrapper, stated)
        seen += f" {wrapper or stated or child.unit.spelling}"
    if read == 0 and child.attribute == "capacity_l":
        return None
    if not child.lowest <= read <= child.highest:
        raise FlawError(f"{child.name} is {seen}, outside {_range(child)}")
    return read


def _range(child: Child) -> str:
    bounds = f"{child.lowest:,g} to {child.highest:,.0f}"
    return f"{bounds} {child.unit.spelling}" if child.unit else bounds


def _unwrap(child: Child, found: Mapping[str, Any]) -> tuple[Any, str | None]:
    """The raw value, and the unit that it is wrapped in."""
    specified = find(found, f"{child.name}Specified")
    if specified is not None and not _boolean(f"{child.name}Specified", specified):
        return None, None  # .NET's way to say that the value beside it is only its type's default
    value = find(found, child.name)
    if not isinstance(value, Mapping):
        return value, None
    if not child.unit or len(value) != 1 or (wrapper := next(iter(value))) not in _WRAPPERS:
        raise FlawError(f"{child.name} is {shown(value)}, not a value")
    return value[wrapper], wrapper


def _factor(unit: Unit, wrapper: str | None, stated: Any) -> float:
    """The factor from the unit that a document states into ours; without one the standard's unit is meant."""
    if stated is not None and not isinstance(stated, str):
        raise FlawError(f"{unit.name} is {shown(stated)}, not a unit")
    try:
        factors = {factor(each, unit.spelling) for each in (wrapper, stated) if each is not None}
    except FlawError as flaw:
        raise FlawError(f"{unit.name}: {flaw}") from None
    if len(factors) > 1:
        raise FlawError(f"{unit.name} is {shown(stated)}, but the value is in {wrapper}")
    return factors.pop() if factors else 1.0


def read_value(child: Child, value: Any) -> Any:
    if value is None or (isinstance(value, str) and value.strip().lower() in _PLACEHOLDERS):
        return None
    if child.kind is Kind.TEXT:
        return _text(child.name, value)
    if child.kind is Kind.TIME:
        return _install_time(child.name, str(value).strip())
    if child.kind is Kind.BOOLEAN:
        return _boolean(child.name, value)
    if child.name == "Hour" and isinstance(value, str) and value.strip().startswith("P"):
        return parse_duration(value.strip())
    number = parse_number(child.name, value)
    return _whole(child.name, number) if child.kind is Kind.INTEGER else number


def _install_time(name: str, text: str) -> datetime | None:
    try:
        return parse_time(text)
    except FlawError as flaw:
        raise FlawError(f"{name}: {flaw}") from None


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise FlawError(f"{name} is not a text")
    text = clean(str(value)).strip()
    if len(text) > LONGEST_TEXT:
        raise FlawError(f"{name} is longer than {LONGEST_TEXT} characters")
    return text


def _boolean(name: str, value: Any) -> bool:
    known = _BOOLEANS.get(str(value).strip().lower())
    if known is None:
        raise FlawError(f"{name} is {shown(value)}, neither true nor false")
    return known


def parse_number(name: str, value: Any) -> float:
    """A finite number from a JSON number or a text. Raises FlawError when it is none.

    `float` alone would take `nan`, `1_000` and other scripts' digits.
    """
    is_text = isinstance(value, str) and _NUMBER.fullmatch(_figure(name, value))
    is_number = isinstance(value, float | int) and not isinstance(value, bool)
    if not (is_text or is_number):
        raise FlawError(f"{name} is {shown(value)}, not a number")
    number = float(value)
    if not math.isfinite(number):
        raise FlawError(f"{name} is not a finite number")
    return number


def _figure(name: str, text: str) -> str:
    figure = text.strip()
    if len(figure) > LONGEST_FIGURE:
        raise FlawError(f"{name} is a figure of more than {LONGEST_FIGURE} characters")
    return figure


def _whole(name: str, number: float) -> int:
    if not number.is_integer():
        raise FlawError(f"{name} is {number:g}, not a whole number")
    return int(number)


def shown(value: Any) -> str:
    """The beginning of a value that cannot be read, for its flaw."""
    return clean(repr(str(value)[:40]))


def is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def find(found: Mapping[str, Any], name: str) -> Any:
    """The value under the first of its names that is not blank; None where there is none.

    Raises FlawError when there are several under one name.
    """
    values = (_only(name, found[key]) for key in keys_of(name) if key in found)
    return next((value for value in values if not is_blank(value)), None)


def _only(name: str, value: Any) -> Any:
    """A list of one is what some converters make of a single element."""
    if not isinstance(value, list):
        return value
    if len(value) > 1:
        raise FlawError(f"{name} stands there {len(value)} times")
    return value[0] if value else None


def mapping(name: str, value: Any) -> Mapping[str, Any]:
    """Raises FlawError when the value has no children."""
    if not isinstance(value, Mapping):
        raise FlawError(f"{name} is missing or holds no elements")
    return value
