"""Batches of readings as devices and gateways send them: what can be read, and what is wrong with the rest."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.aemp.history.history import NamedReading
from app.aemp.model.bounds import LONGEST_ELEMENT_NAME, MEBIBYTE, MOST_REJECTIONS
from app.aemp.model.elements import HEADER
from app.aemp.model.errors import FlawError
from app.aemp.model.identifiers import Name, name_of, normalise_identifier
from app.aemp.model.text import clean
from app.aemp.model.times import parse_time
from app.aemp.model.values import EquipmentHeader
from app.aemp.read.children import keys_of
from app.aemp.read.interpret import (
    ALL_ELEMENTS,
    ELEMENT_KEYS,
    all_of,
    header_of,
    read_element,
    read_header,
)
from app.aemp.read.read import Place, machines_of, parse
from app.aemp.read.read_json import parse_json
from app.aemp.read.read_rovi import is_asset, iso_machine
from app.aemp.read.read_series import name_of_page, pages_of

_KNOWN_NAMES = ELEMENT_KEYS.union(
    ["equipmentheader", "links", "snapshottime", "version"],
    (key for child in HEADER for key in keys_of(child.name)),
)

NOT_KEPT = "no element that is kept"
_NAMELESS = "no PIN, SerialNumber or EquipmentID: it could not be told from other machines"


@dataclass(frozen=True, slots=True)
class Rejection:
    """A reading that is not kept. at: None when no time can be read. element: None when no reading can."""

    place: Place
    element: str | None
    at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """One machine's readings at one place of a batch.

    name: None when the place does not name the machine. header: None where the place has none that can be read.
    """

    place: Place
    name: Name | None
    readings: tuple[NamedReading, ...]
    rejections: tuple[Rejection, ...] = ()
    header: EquipmentHeader | None = None


def most_rejections(size: int) -> int:
    """How much may be wrong with a document. size: in bytes."""
    return MOST_REJECTIONS * max(1, -(-size // MEBIBYTE))


def read_lines(data: bytes) -> Iterator[Report]:
    """Read JSON lines, each with a machine's identifiers and readings under ISO 15143-3's names."""
    for number, line in enumerate(data.splitlines(), 1):
        if line.strip():
            yield _read_line(Place(number), line)


def read_reports(data: bytes) -> Iterator[Report]:
    """Read an ISO 15143-3 document, snapshot or series, or assets of the Rovi API.

    Raises FlawError when it is anything else.
    """
    yield from reports_of(
        parse(data), None, len(data)
    )  # a generator: parsing is left to whoever has a thread for it


def reports_of(document: Any, machine: str | None, size: int) -> Iterator[Report]:
    """Read a parsed document by the rules of every way in.

    machine: identifies the machine of a series; None takes the one that the series names. size: of the document, in bytes.
    Raises FlawError when it is no such document, or a series of a machine of too long a name.
    """
    most = most_rejections(size)
    pages = pages_of(document)
    for number, page in enumerate(pages, 1):
        yield _of_page(Place(None, number), page, machine, most)
    if not pages:
        for place, found in machines_of(document):
            yield _of_machine(place, found, most)


def read_all(reports: Iterable[Report], most: int = MOST_REJECTIONS) -> list[Report]:
    """Raises FlawError when more is wrong than a document of this size may have wrong. most: rejections."""
    read, rejections = [], 0
    for report in reports:
        read.append(report)
        rejections += len(report.rejections)
        _refuse_nonsense(rejections, most)
    return read


def _refuse_nonsense(rejections: int, most: int) -> None:
    if rejections > most:
        raise FlawError(f"more than {most} lines and elements are no readings")


def _read_line(place: Place, line: bytes) -> Report:
    try:
        machine = parse_json(line)
    except FlawError as flaw:
        return _unreadable(place, str(flaw).removeprefix("line 1: "))
    return _of_machine(place, machine, MOST_REJECTIONS)


def _of_machine(place: Place, machine: Any, most: int) -> Report:
    if not isinstance(machine, Mapping):
        return _unreadable(place, "not an object with a machine's readings")
    machine, flaws = iso_machine(dict(machine)) if is_asset(machine) else (machine, [])
    try:
        header, flawed_time = read_header(header_of(machine))
        name = name_of(header)
    except FlawError as flaw:
        return _unreadable(place, str(flaw))
    if name is None:
        return _unreadable(place, _NAMELESS)
    if flawed_time:
        flaws = [("UnitInstallDateTime", flawed_time), *flaws]
    wrong = tuple(Rejection(place, element, None, reason) for element, reason in flaws)
    report = _report(place, name, machine, most)
    return replace(report, header=header, rejections=wrong + report.rejections)


def _of_page(place: Place, page: Mapping[str, Any], machine: str | None, most: int) -> Report:
    name = Name(None, normalise_identifier(machine)) if machine else name_of_page(page)
    return _report(replace(place, own=name.value if name else ""), name, page, most)


def _unreadable(place: Place, reason: str) -> Report:
    return Report(place, None, (), (Rejection(place, None, None, reason),))


def _report(place: Place, name: Name | None, machine: Mapping[str, Any], most: int) -> Report:
    readings: list[NamedReading] = []
    rejections = [
        Rejection(place, clean(key[:LONGEST_ELEMENT_NAME]), None, NOT_KEPT)
        for key in machine
        if key not in _KNOWN_NAMES
    ]
    for element in ALL_ELEMENTS:
        for found in all_of(machine, element):
            _refuse_nonsense(len(rejections), most)
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
