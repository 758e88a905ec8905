"""Batches of readings as devices and gateways send them: what can be read, and what is wrong with the rest."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from app.aemp.history.history import NamedReading
from app.aemp.model.bounds import LONGEST_ELEMENT_NAME, MOST_REJECTIONS
from app.aemp.model.elements import HEADER
from app.aemp.model.errors import FlawError, ReadError
from app.aemp.model.identifiers import identifiers_of, normalise_identifier
from app.aemp.model.text import clean
from app.aemp.model.times import parse_time
from app.aemp.read.interpret import (
    ALL_ELEMENTS,
    ELEMENT_KEYS,
    all_of,
    header_of,
    keys_of,
    read_element,
    read_header,
)
from app.aemp.read.read import Place, flaws_of, machines_of, parse
from app.aemp.read.read_json import parse_json
from app.aemp.read.read_rovi import is_asset, iso_machine
from app.aemp.read.read_series import machine_named_in, pages_of

_KNOWN_NAMES = ELEMENT_KEYS.union(
    ["equipmentheader", "links", "snapshottime", "version"],
    (key for child in HEADER for key in keys_of(child.name)),
)

# The identifier that decides which machine is meant: its kind, None for any, and its normalised value.
Name: TypeAlias = tuple[str | None, str]


@dataclass(frozen=True, slots=True)
class Rejection:
    """A reading that is not kept. at: None when no time can be read. element: None when no reading can."""

    place: Place
    element: str | None
    at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """One machine's readings at one place of a batch. name: None when the place does not name the machine."""

    place: Place
    name: Name | None
    readings: tuple[NamedReading, ...]
    rejections: tuple[Rejection, ...] = ()


def read_lines(data: bytes) -> Iterator[Report]:
    """Read JSON lines, each with a machine's identifiers and readings under ISO 15143-3's names."""
    for number, line in enumerate(data.splitlines(), 1):
        if line.strip():
            yield _read_line(Place(number), line)


def read_reports(data: bytes) -> Iterator[Report]:
    """Read an ISO 15143-3 document, snapshot or series, or assets of the Rovi API.

    Raises FlawError when it is anything else.
    """
    document = parse(data)
    pages = pages_of(document)
    for number, page in enumerate(pages, 1):
        named = machine_named_in(page)
        name = (None, normalise_identifier(named)) if named else None
        yield _report(Place(None, number), name, page)
    if not pages:
        for place, machine in machines_of(document):
            yield _of_machine(place, machine)


def read_all(reports: Iterable[Report]) -> list[Report]:
    """Raises FlawError when too much is wrong for a batch of readings."""
    read, rejections = [], 0
    for report in reports:
        read.append(report)
        rejections += len(report.rejections)
        _refuse_nonsense(rejections)
    return read


def _refuse_nonsense(rejections: int) -> None:
    if rejections > MOST_REJECTIONS:
        raise FlawError(f"more than {MOST_REJECTIONS} lines and elements are no readings")


def read_series(document: Any, name: str, machine: str | None) -> tuple[Report, ...]:
    """Read series whole or not at all; none when the document is of another kind.

    document: as `parse_file` gives it. machine: its identifier; None takes the one that the links name.
    Raises ReadError when no machine is named, or a reading is flawed.
    """
    with flaws_of(name):
        pages = [(page, machine or machine_named_in(page)) for page in pages_of(document)]
        if any(named is None for _, named in pages):
            raise ReadError(f"{name}: it does not say which machine it is of", code="nameless_series")
        return tuple(_series_page(page, named) for page, named in pages if named is not None)


def _series_page(page: Mapping[str, Any], machine: str) -> Report:
    known = {key: page[key] for key in page.keys() & _KNOWN_NAMES}  # others' extensions are no fault
    report = _report(Place(None), (None, normalise_identifier(machine)), known)
    if report.rejections:
        first = report.rejections[0]
        raise FlawError(f"{first.element}: {first.reason}")
    return report


def _read_line(place: Place, line: bytes) -> Report:
    try:
        machine = parse_json(line)
    except FlawError as flaw:
        return _unreadable(place, str(flaw).removeprefix("line 1: "))
    return _of_machine(place, machine)


def _of_machine(place: Place, machine: Any) -> Report:
    if not isinstance(machine, dict):
        return _unreadable(place, "not an object with a machine's readings")
    try:
        machine = iso_machine(machine) if is_asset(machine) else machine
        header = read_header(header_of(machine))
    except FlawError as flaw:
        return _unreadable(place, str(flaw))
    return _report(place, identifiers_of(header)[0], machine)


def _unreadable(place: Place, reason: str) -> Report:
    return Report(place, None, (), (Rejection(place, None, None, reason),))


def _report(place: Place, name: Name | None, machine: Mapping[str, Any]) -> Report:
    readings: list[NamedReading] = []
    rejections = [
        Rejection(place, clean(key[:LONGEST_ELEMENT_NAME]), None, "no element that is kept")
        for key in machine
        if key not in _KNOWN_NAMES
    ]
    for element in ALL_ELEMENTS:
        for found in all_of(machine, element):
            _refuse_nonsense(len(rejections))
            try:
                reading = read_element(element, found)
            except FlawError as flaw:
                rejections.append(Rejection(place, element.name, _time_of(found), str(flaw)))
            else:
                if reading is not None:
                    readings.append((element.name, reading))
    return Report(place, name, tuple(readings), tuple(rejections))


def _time_of(found: Any) -> datetime | None:
    try:
        return parse_time(str(found["datetime"]))
    except (FlawError, KeyError, TypeError):
        return None
