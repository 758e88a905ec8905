"""Elements and headers of any provider's machine turned into readings and identifiers, driven by the table of elements."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from app.aemp.history.history import FURTHER_ELEMENTS, check_switch
from app.aemp.model.bounds import LONGEST_ELEMENT_NAME
from app.aemp.model.elements import ELEMENTS, HEADER, Element, Kind
from app.aemp.model.errors import FlawError
from app.aemp.model.plausible import check_plausible
from app.aemp.model.text import clean
from app.aemp.model.times import parse_time
from app.aemp.model.values import EquipmentHeader, Hours, Reading
from app.aemp.read.children import find, is_blank, keys_of, mapping, measured, read_value, shown

_MOST_NAMED = 3  # of the names that a flaw repeats
# Beside a value these change what it means, so a reading that has one we do not know is not read as if it had none.
_UNIT_ENDINGS = ("unit", "units", "uom")
_PARTS_OF_AN_HOUR = ("minute", "minutes", "second", "seconds")


def _child_keys(element: Element) -> Iterator[str]:
    for child in element.children:
        yield from keys_of(child.name)
        yield f"{child.name.lower()}specified"
        yield from keys_of(child.unit.name) if child.unit else ()


ALL_ELEMENTS = (*ELEMENTS, *FURTHER_ELEMENTS)
_CHILD_KEYS = {element.name: frozenset(("datetime", *_child_keys(element))) for element in ALL_ELEMENTS}
ELEMENT_KEYS = frozenset(key for element in ALL_ELEMENTS for key in keys_of(element.name))


def all_of(machine: Mapping[str, Any], element: Element) -> list[Any]:
    """Every reading of this element, under any of its names."""
    listed = [machine[key] for key in keys_of(element.name) if key in machine]
    return [each for found in listed for each in (found if isinstance(found, list) else [found])]


def header_of(machine: Mapping[str, Any]) -> Mapping[str, Any]:
    """The identifiers of a machine, which stand beside its readings where it has no EquipmentHeader.

    Raises FlawError when the EquipmentHeader holds anything else.
    """
    found = find(machine, "EquipmentHeader")
    return machine if found is None else mapping("EquipmentHeader", found)


def read_header(found: Mapping[str, Any]) -> tuple[EquipmentHeader, str | None]:
    """The identifiers, and what is wrong with the time of installation: without it the machine is the same.

    Raises FlawError when an identifier cannot be read.
    """
    values: dict[str, Any] = {}
    flawed_time = None
    for child in HEADER:
        try:
            values[child.attribute] = read_value(child, find(found, child.name))
        except FlawError as flaw:
            if child.kind is not Kind.TIME:
                raise
            flawed_time = str(flaw)
    return EquipmentHeader(**values), flawed_time


def read_element(element: Element, found: Any) -> Reading | None:
    """The reading of an element; None when it is empty, holds placeholders only, or was never reported.

    Raises FlawError when it holds anything else than its children's values, or a value that cannot be true.
    """
    if is_blank(found) or found == {}:
        return None
    try:
        return _checked(element, mapping("it", found))
    except FlawError as flaw:
        raise FlawError(f"{element.name}: {flaw}") from None


def _checked(element: Element, found: Mapping[str, Any]) -> Reading | None:
    values = {child.attribute: measured(child, found) for child in element.children}
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
    check_plausible(reading)
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
    text = find(found, "datetime")
    if text is None:
        raise FlawError("it has no datetime")
    if not isinstance(text, str):
        raise FlawError(f"datetime is {shown(text)}, not a date and time")
    return parse_time(text.strip())
