"""Nested values of any provider's document checked and turned into a machine, driven by the table of elements.

Placeholders for "not known" count as absent; anything else that cannot be true is a flaw, because one wrong
figure stored is worse than a file refused with its reason.
"""

import math
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from app.aemp.history.history import FURTHER_ELEMENTS, NamedReading, check_switch
from app.aemp.model.bounds import LONGEST_FIGURE, LONGEST_TEXT
from app.aemp.model.elements import ELEMENTS, HEADER, Child, Element, Kind
from app.aemp.model.errors import FlawError
from app.aemp.model.text import clean
from app.aemp.model.times import parse_duration, parse_time
from app.aemp.model.units import factor
from app.aemp.model.values import Equipment, EquipmentHeader, Reading

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
    "PayloadUnits": ("weightunit", "weightunits"),
    "Payload": ("weight",),
    "FaultCode": ("faultcodes",),
    "CautionCode": ("cautioncodes",),
}
# AEMP 1.2 wraps the altitude in its unit.
_WRAPPERS = ("meters", "metres", "feet")


def interpret(machine: Any) -> Equipment:
    """Check a machine, and make a value of it. Elements we do not know are ignored.

    machine: `{element: {child: value}}` with names in lower case.
    Raises FlawError when it has no identifier, or a value that cannot be true.
    """
    machine = _mapping("Equipment", machine)
    header = read_header(_mapping("EquipmentHeader", _find(machine, "EquipmentHeader")))
    readings: dict[str, Any] = {
        element.attribute: read_element(element, _find(machine, element.name)) for element in ELEMENTS
    }
    return Equipment(header=header, **readings, further=tuple(_further(machine)))


def _further(machine: Mapping[str, Any]) -> Iterator[NamedReading]:
    for element in FURTHER_ELEMENTS:
        for found in all_of(machine, element):
            reading = read_element(element, found)
            if reading is not None:
                yield element.name, reading


def all_of(machine: Mapping[str, Any], element: Element) -> list[Any]:
    """Every reading of this element, under any of its names."""
    listed = [machine[key] for key in keys_of(element.name) if key in machine]
    return [each for found in listed for each in (found if isinstance(found, list) else [found])]


def keys_of(name: str) -> tuple[str, ...]:
    return (name.lower(), *_ALIASES.get(name, ()))


ALL_ELEMENTS = (*ELEMENTS, *FURTHER_ELEMENTS)
ELEMENT_KEYS = frozenset(key for element in ALL_ELEMENTS for key in keys_of(element.name))


def read_header(found: Mapping[str, Any]) -> EquipmentHeader:
    """Raises FlawError when it has no identifier, or a value that cannot be true."""
    values = {child.attribute: _value(child, _find(found, child.name)) for child in HEADER}
    header = EquipmentHeader(**values)
    if not (header.pin or header.serial_number or header.equipment_id):
        raise FlawError("no PIN, SerialNumber or EquipmentID: it could not be told from other machines")
    return header


def read_element(element: Element, found: Any) -> Reading | None:
    """The reading of an element; None when it has none of its required children.

    Raises FlawError when it has only some of them, or a value that cannot be true.
    """
    if found is None or found == "":
        return None
    try:
        return _checked(element, _mapping("it", found))
    except FlawError as flaw:
        raise FlawError(f"{element.name}: {flaw}") from None


def _checked(element: Element, found: Mapping[str, Any]) -> Reading | None:
    values = {child.attribute: _measured(child, found) for child in element.children}
    required = [values[child.attribute] is not None for child in element.children if child.required]
    if not any(required):
        return None
    if not all(required):
        raise FlawError("one of its values is missing")
    at = _time(found)
    if at is None:  # the year-one time says that the machine never reported this
        return None
    reading = element.reading(at=at, **values)
    check_switch(reading)
    return reading


def _time(found: Mapping[str, Any]) -> datetime | None:
    text = found.get("datetime")
    if not isinstance(text, str):
        raise FlawError("it has no datetime")
    return parse_time(text.strip())


def _measured(child: Child, found: Mapping[str, Any]) -> Any:
    """A child's value in our unit and within its bounds. A capacity of 0 says that nobody knows it."""
    value, stated = _unwrap(child, found)
    read = _value(child, value)
    if read is None or child.kind not in (Kind.DECIMAL, Kind.INTEGER):
        return read
    if child.unit and stated:
        read *= factor(stated, child.unit.spelling)
    if read == 0 and child.attribute == "capacity_l":
        return None
    if not child.lowest <= read <= child.highest:
        raise FlawError(f"{child.name} is {read:.12g}, outside {child.lowest:g} to {child.highest:g}")
    return read


def _unwrap(child: Child, found: Mapping[str, Any]) -> tuple[Any, str | None]:
    """The raw value and the unit the document states; without one the standard's unit is meant."""
    if found.get(f"{child.name.lower()}specified") in (False, "false"):
        return None, None  # .NET's way to say that the value beside it is only its type's default
    value = _find(found, child.name)
    stated = _find(found, child.unit.name) if child.unit else None
    if isinstance(value, Mapping):
        wrapper = next((name for name in _WRAPPERS if name in value), None)
        if wrapper is None:
            raise FlawError(f"{child.name} is not a value")
        return value[wrapper], wrapper
    return value, stated if isinstance(stated, str) and stated.strip() else None


def _value(child: Child, value: Any) -> Any:
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
        raise FlawError(f"{name} is {str(value)[:40]!r}, neither true nor false")
    return known


def parse_number(name: str, value: Any) -> float:
    """A finite number from a JSON number or a text. Raises FlawError when it is none.

    `float` alone would take `nan`, `1_000` and other scripts' digits.
    """
    is_text = isinstance(value, str) and _NUMBER.fullmatch(_figure(name, value))
    is_number = isinstance(value, float | int) and not isinstance(value, bool)
    if not (is_text or is_number):
        raise FlawError(f"{name} is {str(value)[:40]!r}, not a number")
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


def _find(found: Mapping[str, Any], name: str) -> Any:
    for key in keys_of(name):
        if key in found:
            return _only(name, found[key])
    return None


def _only(name: str, value: Any) -> Any:
    """A list of one is what some converters make of a single element."""
    if not isinstance(value, list):
        return value
    if len(value) > 1:
        raise FlawError(f"{name} stands there {len(value)} times")
    return value[0] if value else None


def _mapping(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise FlawError(f"{name} is missing or holds no elements")
    return value
