"""Documents as JSON: the XML's names, its figures digit for digit, lists always lists, absent data absent."""

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any

import orjson

from app.aemp.address.negotiation import Representation
from app.aemp.address.paging import Link
from app.aemp.model.elements import ELEMENTS, HEADER, Child
from app.aemp.model.series import Series
from app.aemp.model.text import clean
from app.aemp.model.times import format_time
from app.aemp.model.values import EquipmentHeader
from app.aemp.write.rendering import TIME, Leaf, Write, compile_leaves, fill_times, writer
from app.aemp.write.snapshot import SeriesPage, Snapshot

_VERSION = "1"

_readings_of = attrgetter(*(element.attribute for element in ELEMENTS))


def render_fleet_v2_json(snapshot: Snapshot, representation: Representation = Representation.JSON) -> bytes:
    vendor = representation is Representation.SNAPSHOT_JSON
    time = format_time(snapshot.snapshot_at)
    head: dict[str, Any] = {"snapshotTime": time, "version": _VERSION}
    if vendor:
        head |= {"SnapshotTime": time, "Version": _VERSION}
    head["Links"] = _links(snapshot.links, vendor=vendor)
    writes, times, machines = _branches(vendor=vendor), list[datetime](), list[str]()
    for machine in snapshot.equipment:
        written = [_header(machine.header)]
        for reading, write in zip(_readings_of(machine), writes, strict=True):
            if reading is not None:
                written.append(write(reading))
                times.append(reading.at)
        written.append("}")
        machines.append("".join(written))
    return _document(head, "Equipment", machines, times, vendor=vendor)


def render_series_json(page: SeriesPage, representation: Representation = Representation.JSON) -> bytes:
    vendor = representation is Representation.SNAPSHOT_JSON
    write = _series_branch(page.series, vendor=vendor)
    head = {"Links": _links(page.links, vendor=vendor)}
    readings, times = list(map(write, page.readings)), [reading.at for reading in page.readings]
    return _document(head, page.series.element.name, readings, times, vendor=vendor)


def _document(
    head: dict[str, Any], name: str, items: list[str], times: list[datetime], *, vendor: bool
) -> bytes:
    """An object of its head and a list of items, whose times are still to be filled in."""
    opened = orjson.dumps(head)[:-1].decode()
    if vendor:
        times = [at for at in times for _ in ("datetime", "Datetime")]
    return fill_times(f'{opened},"{name}":[{",".join(items)}]}}', times).encode()


def _links(links: Iterable[Link], *, vendor: bool) -> list[dict[str, str]]:
    return [_link(link, vendor=vendor) for link in links]


def _link(link: Link, *, vendor: bool) -> dict[str, str]:
    """Both spellings, the small one last: readers without regard to case keep the last of two names.

    Readers of `Rel` compare `Next` or `Last` to the letter, and read plain JSON too; they would take a fleet for its
    first page. Readers of the vendor's type compare capitals or lower them, whichever name they read.
    """
    capital, href = link.rel[:1].upper() + link.rel[1:], clean(link.href)
    return {"Rel": capital, "Href": href, "rel": capital if vendor else link.rel, "href": href}


def _text(text: str) -> str:
    return f'"{text}"' if text.isalnum() else orjson.dumps(clean(text)).decode()


def _leaf(child: Child) -> Leaf:
    """A leaf ends with a comma. Behind a header's last one it is cut off; behind a reading's its time follows."""
    before, after = f'"{child.name}":', ","
    if child.unit:
        stated = f'"{child.unit.name}":"{child.unit.spelling}",'
        before, after = (before, after + stated) if child.unit.after else (stated + before, after)
    return Leaf(child.attribute, before, writer(child, text=_text), after, child.always)


# `Model` is always there, so a comma is too.
_write_header = compile_leaves(tuple(map(_leaf, HEADER)), '{"EquipmentHeader":{', "")


def _header(header: EquipmentHeader) -> str:
    return f"{_write_header(header)[:-1]}}}"


def _closing(*, vendor: bool) -> str:
    """Older clients of the vendor's type read the capital."""
    return f'"datetime":"{TIME}","Datetime":"{TIME}"}}' if vendor else f'"datetime":"{TIME}"}}'


@cache
def _branches(*, vendor: bool) -> tuple[Write, ...]:
    """A header always stands before them, so each opens with a comma."""
    return tuple(
        compile_leaves(tuple(map(_leaf, element.children)), f',"{element.name}":{{', _closing(vendor=vendor))
        for element in ELEMENTS
    )


@cache
def _series_branch(series: Series, *, vendor: bool) -> Write:
    return compile_leaves(tuple(map(_leaf, series.element.children)), "{", _closing(vendor=vendor))
