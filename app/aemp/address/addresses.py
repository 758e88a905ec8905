"""An AEMP address names a fleet page, a machine, a series of its readings, or the list of its series.

ISO 15143-3 leaves open how a machine is named, and every provider has its own form; all of them are understood, in
any letter case. Segments are split before they are decoded, so that an encoded slash parts nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import quote

from app.aemp.address.paging import Asked, Pages, is_number, read_pages
from app.aemp.address.ranges import Range, parse_range
from app.aemp.model.bounds import MOST_NAMED, MOST_SEGMENTS
from app.aemp.model.errors import AempError
from app.aemp.model.identifiers import (
    Sought,
    decode_segment,
    no_such_machine,
    sought_by,
    sought_by_equipment_id,
    sought_by_make,
)
from app.aemp.model.series import Series, find_series
from app.aemp.model.values import EquipmentHeader

_BARE = 3  # make, model and serial number without a keyword
# A segment like this can only have been meant for a date, right or wrong.
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class FleetAddress:
    pages: Pages
    form = "Fleet/{page}"


@dataclass(frozen=True, slots=True)
class MachineAddress:
    """perhaps: the machine meant if the last two segments were misspelt dates."""

    machine: Sought
    perhaps: Sought | None = None
    form = "Fleet/Equipment/{identifier}"


@dataclass(frozen=True, slots=True)
class SeriesAddress:
    """range: None where the client gave no dates."""

    machine: Sought
    series: Series
    pages: Pages
    range: Range | None = None
    form = "Fleet/Equipment/{identifier}/{series}"


@dataclass(frozen=True, slots=True)
class IndexAddress:
    """The list of the series that have readings in a range.

    base, dates: as the client wrote machine and dates. query: the same, with its question mark, for links from here on.
    """

    machine: Sought
    base: str
    dates: str
    range: Range
    query: str = ""
    form = "Fleet/Equipment/{identifier}/{startDate}/{endDate}"


Address: TypeAlias = FleetAddress | MachineAddress | SeriesAddress | IndexAddress


def parse_address(asked: Asked) -> Address:
    """Read an address. asked: from `Fleet` on. A slash at its end says nothing, nor does any parameter but `page`.

    Raises AempError 404 when no address has this form, and 400 when a date or page in it is malformed.
    """
    # One segment more than any form has, and the rest unread.
    written = asked.path.removesuffix("/").split("/", MOST_SEGMENTS)
    match [each.lower() for each in written]:
        case ["fleet"]:
            return FleetAddress(read_pages(asked, written[0]))
        case ["fleet", "equipment"]:
            raise no_such_machine()
        case ["fleet", _]:
            return _parse_page_or_machine(asked, *written)
        case ["fleet", "equipment", _, *_] if len(written) <= MOST_SEGMENTS:
            return _parse_equipment(asked, written)
    raise no_such_address()


def _parse_page_or_machine(asked: Asked, fleet: str, segment: str) -> Address:
    """`Fleet/{page}`, or `Fleet/{equipmentID}`, an earlier address of RoviTracker's own."""
    named = segment if is_number(segment) else decode_segment(segment)  # a number may be longer than any name
    return (
        FleetAddress(read_pages(asked, fleet, named))
        if is_number(named)
        else MachineAddress(sought_by(named))
    )


def _parse_equipment(asked: Asked, written: list[str]) -> Address:
    segments = [decode_segment(each) for each in written[2:]]
    machine, taken = _parse_machine(segments)

    def pages(further: int, page: str | None = None) -> Pages:
        return read_pages(asked, "/".join(written[: 2 + taken + further]), page)

    match segments[taken:]:
        case [] if taken == _BARE and segments[0].strip():
            return MachineAddress(machine, sought_by(segments[0]))
        case []:
            return MachineAddress(machine)
        case [name]:
            return SeriesAddress(machine, _series(name), pages(1))
        case [start, end] if find_series(start) is None:
            base, dates = "/".join(written[: 2 + taken]), "/".join(written[-2:])
            return IndexAddress(machine, base, dates, parse_range(start, end), asked.other_parameters)
        case [name, start, end]:
            return SeriesAddress(machine, _series(name), pages(3), parse_range(start, end))
        case [name, start, end, page]:
            return SeriesAddress(machine, _series(name), pages(3, page), parse_range(start, end))
        case [_, _]:
            raise AempError(400, "invalid_range", "A series has both a start and an end date, or neither.")
    raise no_such_address()


def _parse_machine(segments: list[str]) -> tuple[Sought, int]:
    """The machine that the first segments name, and how many these are."""
    match segments[0].lower(), segments[1:]:
        case "id", [equipment_id, *_]:
            return sought_by_equipment_id(equipment_id), 2
        case "makemodelserial", [make, model, serial_number, *_]:
            return sought_by_make(make, model, serial_number), 4
        case _, [model, serial_number, *_] if not _begins_a_suffix(model, serial_number):
            return sought_by_make(segments[0], model, serial_number), 3
    return sought_by(segments[0]), 1


def _begins_a_suffix(first: str, second: str) -> bool:
    """Whether a series or dates stand where a model and a serial number would."""
    return find_series(first) is not None or any(map(_DATE.match, (first, second)))


def _series(segment: str) -> Series:
    series = find_series(segment)
    if series is None:
        raise AempError(404, "series_not_found", "There is no such series.")
    return series


def no_such_address() -> AempError:
    return AempError(404, "not_found", "There is nothing at this address.")


def no_such_dates() -> AempError:
    """An identifier is followed by segments that are neither dates nor a model and a serial number."""
    return AempError(
        400, "invalid_date", "A date is a day, such as 2025-01-31, or has a time and a zone too."
    )


def more_than_one_machine(sought: Sought, meant: Sequence[EquipmentHeader]) -> AempError:
    """An address names several machines of the caller's own; none of them is silently the one that was meant."""
    told = [_told_apart(sought, header) for header in meant[:MOST_NAMED]]
    told += ["and others"] * (len(meant) > MOST_NAMED)
    return AempError(
        409,
        "equipment_ambiguous",
        f"More than one machine goes by this name: {', '.join(told)}. Ask for one of them.",
    )


def _told_apart(sought: Sought, header: EquipmentHeader) -> str:
    """Make and model of a machine, and the address that it alone has."""
    name = " ".join(filter(None, (header.oem_name, header.model))) or "Unnamed"
    segments: tuple[str, ...] = ()
    if header.pin:
        segments = (header.pin,)
    elif header.serial_number and sought.make is None:
        segments = ("MakeModelSerial", header.oem_name or "", header.model or "", header.serial_number)
    elif header.equipment_id:
        segments = ("ID", header.equipment_id)
    address = "/".join(("Fleet", "Equipment", *(quote(each, safe="") for each in segments)))
    return f"{name} ({address})" if segments else f"{name} (without a PIN)"
