"""Documents as JSON: the XML's names, its figures digit for digit, lists always lists, absent data absent."""

from collections.abc import Iterable
from functools import cache
from typing import Any

import orjson

from app.aemp.address.negotiation import Representation
from app.aemp.address.paging import Link
from app.aemp.model.columns import flatten, flatten_readings
from app.aemp.model.elements import ELEMENTS, HEADER, Child, Element, Kind
from app.aemp.model.series import Series
from app.aemp.model.text import clean
from app.aemp.model.times import format_time
from app.aemp.write.document import Document
from app.aemp.write.rendering import (
    Branch,
    Leaf,
    make_branch,
    make_leaf,
    preparing,
    write_machines,
    write_readings,
)
from app.aemp.write.snapshot import SeriesPage, Snapshot

_VERSION = "1"
_SPECIAL = '"\\'  # the printable characters that a JSON text escapes


def render_fleet_v2_json(snapshot: Snapshot, representation: Representation = Representation.JSON) -> bytes:
    return write_fleet_v2_json(snapshot, representation).body


def write_fleet_v2_json(snapshot: Snapshot, representation: Representation) -> Document:
    vendor = representation is Representation.SNAPSHOT_JSON
    time = format_time(snapshot.snapshot_at)
    head: dict[str, Any] = {"snapshotTime": time, "version": _VERSION}
    if vendor:
        head |= {"SnapshotTime": time, "Version": _VERSION}
    head["Links"] = _links(snapshot.links, vendor=vendor)
    rows, headers = write_machines(flatten(snapshot.equipment), _machine(vendor=vendor), "}")
    return Document(_opening(head, "Equipment"), rows, headers, b",", b"]}")


def render_series_json(page: SeriesPage, representation: Representation = Representation.JSON) -> bytes:
    vendor = representation is Representation.SNAPSHOT_JSON
    element = page.series.element
    columns = flatten_readings(element, page.readings)
    written = write_readings(columns, _reading(page.series, vendor=vendor), element.at_column)
    opening = _opening({"Links": _links(page.links, vendor=vendor)}, element.name)
    return b"%b%b]}" % (opening, ",".join(written).encode())


def _opening(head: dict[str, Any], name: str) -> bytes:
    """The beginning of an object, up to the first item of a list."""
    return b'%b,"%b":[' % (orjson.dumps(head)[:-1], name.encode())


def _links(links: Iterable[Link], *, vendor: bool) -> list[dict[str, str]]:
    return [_link(link, vendor=vendor) for link in links]


def _link(link: Link, *, vendor: bool) -> dict[str, str]:
    """Both spellings, the small one last: readers without regard to case keep the last of two names.

    Readers of `Rel` compare `Next` or `Last` to the letter, and read plain JSON too; they would take a fleet for its
    first page. Readers of the vendor's type compare capitals or lower them, whichever name they read.
    """
    capital, href = link.rel[:1].upper() + link.rel[1:], clean(link.href)
    return {"Rel": capital, "Href": href, "rel": capital if vendor else link.rel, "href": href}


def _escape(text: str) -> str:
    return orjson.dumps(clean(text)).decode()[1:-1]


def _leaf(child: Child, *, required: bool, ahead: str = "", behind: str = ",") -> Leaf:
    """ahead, behind: the comma on one of the sides."""
    quote = '"' if child.kind in (Kind.TEXT, Kind.TIME) else ""
    before, after = f'"{child.name}":{quote}', quote
    if child.unit:
        stated = f'"{child.unit.name}":"{child.unit.spelling}"'
        before, after = (before, f"{after},{stated}") if child.unit.after else (f"{stated},{before}", after)
    prepare = preparing(child, required=required, escape=_escape, special=_SPECIAL)
    return make_leaf(child, ahead + before, after + behind, prepare, required=required)


def _header() -> Branch:
    """A child that is always there separates those that end with a comma from those that begin with one."""
    always = next(place for place, child in enumerate(HEADER) if child.always)
    leaves = (
        *(_leaf(child, required=False) for child in HEADER[:always]),
        _leaf(HEADER[always], required=False, behind=""),
        *(_leaf(child, required=False, ahead=",", behind="") for child in HEADER[always + 1 :]),
    )
    return make_branch('{"EquipmentHeader":{', leaves, "}")


def _element(element: Element, opening: str, *, vendor: bool) -> Branch:
    """Its time comes last. Older clients of the vendor's type read it by a name with a capital."""
    children = [_leaf(child, required=child.required) for child in element.children]
    names = (("", "datetime"), (",", "Datetime")) if vendor else (("", "datetime"),)
    times = [Leaf(f'{ahead}"{name}":"%s"', element.at_column) for ahead, name in names]
    return make_branch(opening, (*children, *times), "}", at_column=element.at_column)


@cache
def _machine(*, vendor: bool) -> tuple[Branch, ...]:
    return (_header(), *(_element(element, f',"{element.name}":{{', vendor=vendor) for element in ELEMENTS))


@cache
def _reading(series: Series, *, vendor: bool) -> Branch:
    return _element(series.element, "{", vendor=vendor)
