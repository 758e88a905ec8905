"""Snapshots as JSON: the XML's names, its figures digit for digit, lists always lists, absent data absent."""

from typing import Any

import orjson

from app.aemp.elements import ELEMENTS, HEADER, Child, Kind
from app.aemp.negotiation import Representation
from app.aemp.paging import Link
from app.aemp.snapshot import Snapshot, sent_header
from app.aemp.text import clean, format_decimal
from app.aemp.times import format_time
from app.aemp.values import Equipment

_VERSION = "1"


def render_fleet_v2_json(snapshot: Snapshot, representation: Representation = Representation.JSON) -> bytes:
    vendor = representation is Representation.SNAPSHOT_JSON
    time = format_time(snapshot.snapshot_at)
    document: dict[str, Any] = {"snapshotTime": time, "version": _VERSION}
    if vendor:
        document |= {"SnapshotTime": time, "Version": _VERSION}
    document["Links"] = [_vendor_link(link) if vendor else _link(link) for link in snapshot.links]
    document["Equipment"] = [_machine(machine, vendor=vendor) for machine in snapshot.equipment]
    return orjson.dumps(document)


def _link(link: Link) -> dict[str, str]:
    return {"rel": link.rel, "href": clean(link.href)}


def _vendor_link(link: Link) -> dict[str, str]:
    """Of five clients of this type two lower the value, one compares `Next` and one `Last` to the letter."""
    rel, href = link.rel.capitalize(), clean(link.href)
    return {"rel": rel, "href": href, "Rel": rel, "Href": href}


def _machine(machine: Equipment, *, vendor: bool) -> dict[str, Any]:
    written: dict[str, Any] = {"EquipmentHeader": _children(HEADER, sent_header(machine.header))}
    for element in ELEMENTS:
        reading = getattr(machine, element.attribute)
        if reading is None:
            continue
        time = format_time(reading.at)
        written[element.name] = {**_children(element.children, reading), "datetime": time}
        if vendor:  # older clients of this type read the capital
            written[element.name]["Datetime"] = time
    return written


def _children(children: tuple[Child, ...], holder: object) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for child in children:
        value = getattr(holder, child.attribute)
        if value is None:
            continue
        unit = {child.unit.name: child.unit.spelling} if child.unit else {}
        own = {child.name: _value(child, value)}
        written |= own | unit if child.unit and child.unit.after else unit | own
    return written


def _value(child: Child, value: Any) -> Any:
    if child.kind is Kind.DECIMAL:
        # A fragment: floats are written as 1e-7 where they are small, and some readers take that for text.
        return orjson.Fragment(format_decimal(value, child.decimals))
    if child.kind is Kind.TEXT:
        return clean(value)
    return format_time(value) if child.kind is Kind.TIME else value
