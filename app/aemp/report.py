"""Batches of readings as devices and gateways send them: what can be read of them, and what is wrong with the rest."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from app.aemp.elements import ELEMENTS, HEADER
from app.aemp.errors import FlawError, ReadError
from app.aemp.history import FURTHER_ELEMENTS, NamedReading
from app.aemp.identifiers import identifiers_of, normalise_identifier
from app.aemp.interpret import all_of, keys_of, read_element, read_header
from app.aemp.read import Place, machines_of, parse
from app.aemp.read_json import parse_json
from app.aemp.read_rovi import is_asset, iso_machine
from app.aemp.read_series import machine_named_in, pages_of
from app.aemp.text import clean
from app.aemp.times import parse_time

_ALL_ELEMENTS = (*ELEMENTS, *FURTHER_ELEMENTS)
_KNOWN_NAMES = frozenset(
    ["equipmentheader", "make", "links", "snapshottime", "version"]
    + [child.name.lower() for child in HEADER]
    + [key for element in _ALL_ELEMENTS for key in keys_of(element)]
)
_LONGEST_NAME = 80

# Which identifier decides what machine is meant: its kind, None for any, and its normalised value.
Name: TypeAlias = tuple[str | None, str]


@dataclass(frozen=True, slots=True)
class Rejection:
    """What is not kept and why. at: None where the time cannot be read; element: None where no reading can."""

    place: Place
    element: str | None
    at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """What one machine told at one place of a batch. name: None where the place says not which machine it was."""

    place: Place
    name: Name | None
    readings: tuple[NamedReading, ...]
    rejections: tuple[Rejection, ...] = ()


def read_lines(data: bytes) -> Iterator[Report]:
    """JSON lines: of a machine each, its identifiers and its readings under ISO 15143-3's names."""
    for number, line in enumerate(data.splitlines(), 1):
        if line.strip():
            yield _read_line(Place(number), line)


def read_reports(data: bytes) -> Iterator[Report]:
    """An ISO 15143-3 document, snapshot or series, or assets of the Rovi API. Raises FlawError for anything else."""
    document = parse(data)
    pages = pages_of(document)
    for number, page in enumerate(pages, 1):
        named = machine_named_in(page)
        name = (None, normalise_identifier(named)) if named else None
        yield _report(Place(None, number), name, page)
    if not pages:
        for place, machine in machines_of(document):
            yield _of_machine(place, machine)


def read_series(data: bytes, name: str, machine: str | None) -> tuple[Report, ...]:
    """Series documents whole or not at all; none where the document is of another kind.

    machine: which one it is of, where its links do not say so. Raises ReadError.
    """
    try:
        pages = pages_of(parse(data))
    except FlawError as flaw:
        raise ReadError(f"{name}: {flaw}") from None
    reports = []
    for page in pages:
        named = machine or machine_named_in(page)
        if named is None:
            raise ReadError(f"{name}: it does not say which machine it is of: name it with --machine")
        known = {key: page[key] for key in page.keys() & _KNOWN_NAMES}  # others' extensions are no fault
        report = _report(Place(None), (None, normalise_identifier(named)), known)
        if report.rejections:
            first = report.rejections[0]
            raise ReadError(f"{name}: {first.element}: {first.reason}")
        reports.append(report)
    return tuple(reports)


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
        header = machine.get("equipmentheader", machine)
        header = read_header(header if isinstance(header, Mapping) else {})
    except FlawError as flaw:
        return _unreadable(place, str(flaw))
    return _report(place, identifiers_of(header)[0], machine)


def _unreadable(place: Place, reason: str) -> Report:
    return Report(place, None, (), (Rejection(place, None, None, reason),))


def _report(place: Place, name: Name | None, machine: Mapping[str, Any]) -> Report:
    readings: list[NamedReading] = []
    rejections = [
        Rejection(place, clean(key)[:_LONGEST_NAME], None, "no element that is kept")
        for key in machine
        if key not in _KNOWN_NAMES
    ]
    for element in _ALL_ELEMENTS:
        for found in all_of(machine, element):
            try:
                reading = read_element(element, found)
            except FlawError as flaw:
                rejections.append(Rejection(place, element.name, _time_of(found), str(flaw)))
            else:
                if reading is not None:
                    readings.append((element.name, reading))
                elif found:
                    rejections.append(Rejection(place, element.name, None, "it holds no value"))
    return Report(place, name, tuple(readings), tuple(rejections))


def _time_of(found: Any) -> datetime | None:
    try:
        return parse_time(str(found["datetime"]))
    except (FlawError, KeyError, TypeError):
        return None
