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
from app.aemp.model.bounds import LONGEST_ELEMENT_NAME, LONGEST_FIGURE, LONGEST_TEXT
from app.aemp.model.elements import ELEMENTS, HEADER, Child, Element, Kind, Unit
from app.aemp.model.errors import FlawError
from app.aemp.model.text import clean
from app.aemp.model.times import parse_duration, parse_time
from app.aemp.model.units import factor
from app.aemp.model.values import Equipment, EquipmentHeader, Hours, Reading

_PLACEHOLDERS = ("", "missing", "n/a")
_MOST_NAMED = 3  # of the names that a flaw repeats
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
# Beside a value these change what it means, so a reading that has one we do not know is not read as if it had none.
_UNIT_ENDINGS = ("unit", "units", "uom")
_PARTS_OF_AN_HOUR = ("minute", "minutes", "second", "seconds")


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


def _child_keys(element: Element) -> Iterator[str]:
    for child in element.children:
        yield from keys_of(child.name)
        yield f"{child.name.lower()}specified"
        yield from keys_of(child.unit.name) if child.unit else ()


ALL_ELEMENTS = (*ELEMENTS, *FURTHER_ELEMENTS)
_CHILD_KEYS = {element.name: frozenset(("datetime", *_child_keys(element))) for element in ALL_ELEMENTS}
ELEMENT_KEYS = frozenset(key for element in ALL_ELEMENTS for key in keys_of(element.name))


def header_of(machine: Mapping[str, Any]) -> Mapping[str, Any]:
    """The identifiers of a machine, which stand beside its readings where it has no EquipmentHeader.

    Raises FlawError when the EquipmentHeader holds anything else.
    """
    found = _find(machine, "EquipmentHeader")
    return machine if found is None else _mapping("EquipmentHeader", found)


def read_header(found: Mapping[str, Any]) -> EquipmentHeader:
    """Raises FlawError when it has no identifier, or a value that cannot be true."""
    values = {child.attribute: _value(child, _find(found, child.name)) for child in HEADER}
    header = EquipmentHeader(**values)
    if not (header.pin or header.serial_number or header.equipment_id):
        raise FlawError("no PIN, SerialNumber or EquipmentID: it could not be told from other machines")
    return header


def read_element(element: Element, found: Any) -> Reading | None:
    """The reading of an element; None when it is empty, holds placeholders only, or was never reported.

    Raises FlawError when it holds anything else than its children's values, or a value that cannot be true.
    """
    if is_blank(found) or found == {}:
        return None
    try:
        return _checked(element, _mapping("it", found))
    except FlawError as flaw:
        raise FlawError(f"{element.name}: {flaw}") from None


def _checked(element: Element, found: Mapping[str, Any]) -> Reading | None:
    values = {child.attribute: _measured(child, found) for child in element.children}
    unknown = [
        key for key, value in found.items() if key not in _CHILD_KEYS[element.name] and not is_blank(value)
    ]
    told = [child.name for child in element.children if values[child.attribute] is not None]
    if not told and not unknown and not found.keys().isdisjoint(_CHILD_KEYS[element.name] - {"datetime"}):
        return None
    at = _time(found)
    if at is None:  # the year-one time says that the machine never reported this
        return None
    missing = [child.name for child in element.children if child.required and child.name not in told]
    if missing:
        raise FlawError(_lacking(missing[0], [*told, *unknown]))
    _refuse_misread(element, unknown)
    reading = element.reading(at=at, **values)
    check_switch(reading)
    return reading


def _lacking(missing: str, told: list[str]) -> str:
    if not told:
        return "it holds no value"
    named = ", ".join(clean(name[:LONGEST_ELEMENT_NAME]) for name in told[:_MOST_NAMED])
    return f"{missing} is missing; what is there is {named}"


def _refuse_misread(element: Element, unknown: list[str]) -> None:
    """Pass over an extension, but not one that says in which unit the value beside it is."""
    for key in unknown:
        if key.endswith(_UNIT_ENDINGS) or (element.reading is Hours and key in _PARTS_OF_AN_HOUR):
            raise FlawError(f"{clean(key[:LONGEST_ELEMENT_NAME])} beside its value is not read")


def _time(found: Mapping[str, Any]) -> datetime | None:
    text = _find(found, "datetime")
    if text is None:
        raise FlawError("it has no datetime")
    if not isinstance(text, str):
        raise FlawError(f"datetime is {shown(text)}, not a date and time")
    return parse_time(text.strip())


def _measured(child: Child, found: Mapping[str, Any]) -> Any:
    """A child's value in our unit and within its bounds. A capacity of 0 says that nobody knows it."""
    value, wrapper = _unwrap(child, found)
    read = _value(child, value)
    if read is None or child.kind not in (Kind.DECIMAL, Kind.INTEGER):
        return read
    if child.unit:
        read *= _factor(child.unit, wrapper, _find(found, child.unit.name))
    if read == 0 and child.attribute == "capacity_l":
        return None
    if not child.lowest <= read <= child.highest:
        raise FlawError(f"{child.name} is {read:g}, outside {child.lowest:g} to {child.highest:g}")
    return read


def _unwrap(child: Child, found: Mapping[str, Any]) -> tuple[Any, str | None]:
    """The raw value, and the unit that it is wrapped in."""
    specified = _find(found, f"{child.name}Specified")
    if specified is not None and not _boolean(f"{child.name}Specified", specified):
        return None, None  # .NET's way to say that the value beside it is only its type's default
    value = _find(found, child.name)
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


def _find(found: Mapping[str, Any], name: str) -> Any:
    """The value under the first of its names that is not blank."""
    values = (_only(name, found[key]) for key in keys_of(name) if key in found)
    return next((value for value in values if not is_blank(value)), None)


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
