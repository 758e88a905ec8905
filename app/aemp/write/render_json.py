"""Documents as JSON: the XML's names, its figures digit for digit, lists always lists, absent data absent."""

from collections.abc import Iterable
from functools import cache
from typing import Any

import orjson

from app.aemp.address.negotiation import Representation
from app.aemp.address.paging import Link
from app.aemp.model.columns import TIMES, flatten, flatten_readings
from app.aemp.model.elements import ELEMENTS, HEADER, Child, Element, Kind
from app.aemp.model.series import Series
from app.aemp.model.text import clean
from app.aemp.model.times import format_time
from app.aemp.write.document import Document
from app.aemp.write.rendering import Branch, Leaf, make_branch, make_leaf, preparing, write_rows
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
    machines = flatten(snapshot.equipment)
    written = write_rows(machines.columns, _machine(vendor=vendor), TIMES, end="}")
    return _document(head, "Equipment", written)


def render_series_json(page: SeriesPage, representation: Representation = Representation.JSON) -> bytes:
    vendor = representation is Representation.SNAPSHOT_JSON
    element = page.series.element
    columns = flatten_readings(element, page.readings)
    written = write_rows(columns, _series(page.series, vendor=vendor), (element.at_column,))
    return _document({"Links": _links(page.links, vendor=vendor)}, element.name, written).body


def _document(head: dict[str, Any], name: str, items: Iterable[str]) -> Document:
    """An object of its head and a list of items."""
    opening = b'%b,"%b":[' % (orjson.dumps(head)[:-1], name.encode())
    return Document(opening, [*map(str.encode, items)], b",", b"]}")


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
def _series(series: Series, *, vendor: bool) -> tuple[Branch, ...]:
    return (_element(series.element, "{", vendor=vendor),)
