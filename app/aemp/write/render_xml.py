"""Documents as XML: ISO 15143-3 as the tables of elements and series have it, and AEMP 1.2 by its differences."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from operator import attrgetter

from app.aemp.address.negotiation import Representation
from app.aemp.address.paging import Link
from app.aemp.model.elements import ELEMENTS, HEADER, Child, Element
from app.aemp.model.series import Series
from app.aemp.model.text import FORBIDDEN, REPLACEMENT
from app.aemp.model.times import format_duration, format_time
from app.aemp.model.values import EquipmentHeader
from app.aemp.write.rendering import TIME, Leaf, Write, compile_leaves, fill_times, writer
from app.aemp.write.snapshot import SeriesPage, Snapshot

AEMP_1_2_NAMESPACE = "http://schemas.aemp.org/fleet"
ISO_NAMESPACE = "http://standards.iso.org/iso/15143/-3"
ISO_20190501_NAMESPACE = "http://www.jcmanet.or.jp/english2017/ISO/15143/-3/20190501"

XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_SPECIAL = re.compile(f"[{''.join(_ESCAPES)}]|{FORBIDDEN.pattern}")

# AEMP 1.2 names the same units as American plurals.
_AEMP_1_2_UNITS = {"metre": "meters", "litre": "liters", "kilometre": "kilometers"}
_AEMP_1_2_ELEMENTS = ("Location", "CumulativeOperatingHours", "FuelUsed", "FuelUsedLast24", "Distance")


@dataclass(frozen=True, slots=True)
class _Branch:
    """An element of a machine: the attribute that holds its reading, and the function that writes that."""

    attribute: str
    write: Write


@dataclass(frozen=True, slots=True)
class _Edition:
    """A fleet document's form; the opening stands open for the snapshot's time."""

    opening: str
    header: Write
    branches: tuple[_Branch, ...]


def render_fleet_v1_xml(snapshot: Snapshot) -> bytes:
    """AEMP 1.2: durations for hours, no links, no PIN.

    A machine without an EquipmentID is named by its PIN there, the one header field that can carry it; feeds of
    this version put the vehicle's number in it as well.
    """
    named = tuple(replace(machine, header=_v1_header(machine.header)) for machine in snapshot.equipment)
    return _render(_AEMP_1_2, replace(snapshot, equipment=named, links=()))


def render_fleet_v2_xml(snapshot: Snapshot, representation: Representation = Representation.XML) -> bytes:
    edition = _ISO_20190501 if representation is Representation.XML_20190501 else _ISO
    return _render(edition, snapshot)


def render_series_xml(page: SeriesPage, representation: Representation = Representation.XML) -> bytes:
    later = representation is Representation.XML_20190501
    namespace = ISO_20190501_NAMESPACE if later else ISO_NAMESPACE
    write = _series_branch(page.series)
    readings = "".join(map(write, page.readings))
    document = f'{XML_DECLARATION}<{page.series.root} xmlns="{namespace}">{_links(page.links)}{readings}</{page.series.root}>\n'
    return fill_times(document, [reading.at for reading in page.readings]).encode()


def escape(text: str) -> str:
    """Escape a text. Letters and digits alone are the most common, and recognised the fastest."""
    return text if text.isalnum() or not _SPECIAL.search(text) else _SPECIAL.sub(_replacement, text)


def _replacement(found: re.Match[str]) -> str:
    return _ESCAPES.get(found[0], REPLACEMENT)


def _render(edition: _Edition, snapshot: Snapshot) -> bytes:
    out = [XML_DECLARATION, edition.opening, format_time(snapshot.snapshot_at), '">', _links(snapshot.links)]
    times: list[datetime] = []
    readings_of = attrgetter(*(branch.attribute for branch in edition.branches))
    writes = [branch.write for branch in edition.branches]
    for machine in snapshot.equipment:
        out.append(edition.header(machine.header))
        for reading, write in zip(readings_of(machine), writes, strict=True):
            if reading is not None:
                out.append(write(reading))
                times.append(reading.at)
        out.append("</Equipment>")
    out.append("</Fleet>\n")
    return fill_times("".join(out), times).encode()


def _links(links: Iterable[Link]) -> str:
    return "".join(
        f"<Links><rel>{escape(link.rel)}</rel><href>{escape(link.href)}</href></Links>" for link in links
    )


def _leaf(child: Child) -> Leaf:
    before, after = f"<{child.name}>", f"</{child.name}>"
    if child.unit:
        stated = f"<{child.unit.name}>{child.unit.spelling}</{child.unit.name}>"
        before, after = (before, after + stated) if child.unit.after else (stated + before, after)
    return Leaf(child.attribute, before, writer(child, text=escape), after, child.always)


def _header(leaves: Iterable[Leaf]) -> Write:
    return compile_leaves(tuple(leaves), "<Equipment><EquipmentHeader>", "</EquipmentHeader>")


def _branch(element: Element, leaves: Iterable[Leaf]) -> _Branch:
    opening, closing = f'<{element.name} datetime="{TIME}">', f"</{element.name}>"
    return _Branch(element.attribute, compile_leaves(tuple(leaves), opening, closing))


@cache
def _series_branch(series: Series) -> Write:
    return _branch(series.element, map(_leaf, series.element.children)).write


def _iso_edition(namespace: str, version: str) -> _Edition:
    return _Edition(
        opening=f'<Fleet xmlns="{namespace}" version="{version}" snapshotTime="',
        header=_header(map(_leaf, HEADER)),
        branches=tuple(_branch(element, map(_leaf, element.children)) for element in ELEMENTS),
    )


def _v1_leaf(child: Child) -> Leaf:
    if child.name == "Hour":
        return replace(_leaf(child), write=format_duration)
    if child.name == "OEMName":
        return _leaf(replace(child, name="Make"))
    if child.unit is None:
        return _leaf(child)
    leaf = _leaf(replace(child, unit=replace(child.unit, spelling=_AEMP_1_2_UNITS[child.unit.spelling])))
    if child.name == "Altitude":
        return replace(leaf, before=f"{leaf.before}<Meters>", after=f"</Meters>{leaf.after}")
    return leaf


def _v1_edition() -> _Edition:
    by_name = {element.name: element for element in ELEMENTS}
    elements = (by_name[name] for name in _AEMP_1_2_ELEMENTS)
    return _Edition(
        opening=f'<Fleet xmlns="{AEMP_1_2_NAMESPACE}" version="1.2" snapshotTime="',
        header=_header(_v1_leaf(child) for child in HEADER if child.name != "PIN"),
        branches=tuple(_branch(element, map(_v1_leaf, element.children)) for element in elements),
    )


def _v1_header(header: EquipmentHeader) -> EquipmentHeader:
    return replace(header, equipment_id=header.equipment_id or header.pin)


_AEMP_1_2 = _v1_edition()
_ISO = _iso_edition(ISO_NAMESPACE, "1")
_ISO_20190501 = _iso_edition(ISO_20190501_NAMESPACE, "20190501")
