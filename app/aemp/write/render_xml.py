"""Documents as XML: ISO 15143-3 as the tables of elements and series have it, and AEMP 1.2 by its differences."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from app.aemp.address.negotiation import Representation
from app.aemp.address.paging import Link
from app.aemp.model.columns import Machines, flatten, flatten_readings
from app.aemp.model.elements import ELEMENTS, HEADER, Child, Element
from app.aemp.model.series import Series
from app.aemp.model.text import FORBIDDEN, REPLACEMENT
from app.aemp.model.times import format_duration, format_time
from app.aemp.write.document import Document
from app.aemp.write.rendering import (
    Branch,
    Leaf,
    make_branch,
    make_leaf,
    preparing,
    write_each,
    write_machines,
    write_readings,
)
from app.aemp.write.snapshot import SeriesPage, Snapshot

AEMP_1_2_NAMESPACE = "http://schemas.aemp.org/fleet"
ISO_NAMESPACE = "http://standards.iso.org/iso/15143/-3"
ISO_20190501_NAMESPACE = "http://www.jcmanet.or.jp/english2017/ISO/15143/-3/20190501"

XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_MARKUP = "&<>"
_SPECIAL = re.compile(f"[{''.join(_ESCAPES)}]|{FORBIDDEN.pattern}")

# AEMP 1.2 names the same units as American plurals.
_AEMP_1_2_UNITS = {"metre": "meters", "litre": "liters", "kilometre": "kilometers"}
_AEMP_1_2_ELEMENTS = ("Location", "CumulativeOperatingHours", "FuelUsed", "FuelUsedLast24", "Distance")


@dataclass(frozen=True, slots=True)
class _Edition:
    """A fleet document's form; the opening stands open for the snapshot's time."""

    opening: str
    branches: tuple[Branch, ...]


def render_fleet_v1_xml(snapshot: Snapshot) -> bytes:
    return write_fleet_v1_xml(snapshot).body


def write_fleet_v1_xml(snapshot: Snapshot) -> Document:
    """AEMP 1.2: durations for hours, no links, no PIN.

    A machine without an EquipmentID is named by its PIN there, the one header field that can carry it; feeds of
    this version put the vehicle's number in it as well.
    """
    machines = flatten(snapshot.equipment)
    if machines.have_headers:
        columns = machines.columns
        named = [own or pin for own, pin in zip(columns["equipment_id"], columns["pin"], strict=True)]
        machines = Machines({**columns, "equipment_id": named})
    return _write(_AEMP_1_2, snapshot.snapshot_at, machines, links=())


def render_fleet_v2_xml(snapshot: Snapshot, representation: Representation = Representation.XML) -> bytes:
    return write_fleet_v2_xml(snapshot, representation).body


def write_fleet_v2_xml(snapshot: Snapshot, representation: Representation) -> Document:
    edition = _ISO_20190501 if representation is Representation.XML_20190501 else _ISO
    return _write(edition, snapshot.snapshot_at, flatten(snapshot.equipment), snapshot.links)


def render_series_xml(page: SeriesPage, representation: Representation = Representation.XML) -> bytes:
    later = representation is Representation.XML_20190501
    namespace = ISO_20190501_NAMESPACE if later else ISO_NAMESPACE
    root, element = page.series.root, page.series.element
    columns = flatten_readings(element, page.readings)
    readings = "".join(write_readings(columns, _reading(page.series), element.at_column))
    return f'{XML_DECLARATION}<{root} xmlns="{namespace}">{_links(page.links)}{readings}</{root}>\n'.encode()


def escape(text: str) -> str:
    """Escape a text. Letters and digits alone are the most common, and recognised the fastest."""
    return text if text.isalnum() or not _SPECIAL.search(text) else _SPECIAL.sub(_replacement, text)


def _replacement(found: re.Match[str]) -> str:
    return _ESCAPES.get(found[0], REPLACEMENT)


def _write(edition: _Edition, snapshot_at: datetime, machines: Machines, links: Iterable[Link]) -> Document:
    head = f'{XML_DECLARATION}{edition.opening}{format_time(snapshot_at)}">{_links(links)}'
    rows, headers = write_machines(machines, edition.branches, "</Equipment>")
    return Document(head.encode(), rows, headers, b"", b"</Fleet>\n")


def _links(links: Iterable[Link]) -> str:
    return "".join(
        f"<Links><rel>{escape(link.rel)}</rel><href>{escape(link.href)}</href></Links>" for link in links
    )


def _leaf(child: Child, *, required: bool, within: str = "") -> Leaf:
    """within: an element of AEMP 1.2 that holds the value alone."""
    before, after = f"<{child.name}>", f"</{child.name}>"
    if within:
        before, after = f"{before}<{within}>", f"</{within}>{after}"
    if child.unit:
        stated = f"<{child.unit.name}>{child.unit.spelling}</{child.unit.name}>"
        before, after = (before, after + stated) if child.unit.after else (stated + before, after)
    prepare = preparing(child, required=required, escape=escape, special=_MARKUP)
    return make_leaf(child, before, after, prepare, required=required)


def _header(children: Iterable[Child]) -> Branch:
    leaves = (_leaf(child, required=False) for child in children)
    return make_branch("<Equipment><EquipmentHeader>", leaves, "</EquipmentHeader>")


def _element(element: Element, leaves: Iterable[Leaf]) -> Branch:
    time = Leaf(f'<{element.name} datetime="%s">', element.at_column)
    return make_branch("", (time, *leaves), f"</{element.name}>", at_column=element.at_column)


def _iso_element(element: Element) -> Branch:
    return _element(element, (_leaf(child, required=child.required) for child in element.children))


@cache
def _reading(series: Series) -> Branch:
    return _iso_element(series.element)


def _iso_edition(namespace: str, version: str) -> _Edition:
    return _Edition(
        opening=f'<Fleet xmlns="{namespace}" version="{version}" snapshotTime="',
        branches=(_header(HEADER), *map(_iso_element, ELEMENTS)),
    )


def _v1_leaf(child: Child) -> Leaf:
    if child.name == "Hour":
        return make_leaf(child, "<Hour>", "</Hour>", write_each(format_duration), required=True)
    if child.unit is None:
        return _leaf(child, required=child.required)
    unit = replace(child.unit, spelling=_AEMP_1_2_UNITS[child.unit.spelling])
    within = "Meters" if child.name == "Altitude" else ""
    return _leaf(replace(child, unit=unit), required=child.required, within=within)


def _v1_edition() -> _Edition:
    by_name = {element.name: element for element in ELEMENTS}
    header = [
        replace(child, name="Make") if child.name == "OEMName" else child
        for child in HEADER
        if child.name != "PIN"
    ]
    elements = (by_name[name] for name in _AEMP_1_2_ELEMENTS)
    return _Edition(
        opening=f'<Fleet xmlns="{AEMP_1_2_NAMESPACE}" version="1.2" snapshotTime="',
        branches=(
            _header(header),
            *(_element(element, map(_v1_leaf, element.children)) for element in elements),
        ),
    )


_AEMP_1_2 = _v1_edition()
_ISO = _iso_edition(ISO_NAMESPACE, "1")
_ISO_20190501 = _iso_edition(ISO_20190501_NAMESPACE, "20190501")
