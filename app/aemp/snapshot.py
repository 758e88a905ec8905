"""A fleet page or a single machine, ready to be rendered."""

from dataclasses import dataclass, replace
from datetime import datetime

from app.aemp.elements import ELEMENTS
from app.aemp.paging import Link
from app.aemp.values import Equipment, EquipmentHeader


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Machines as they stood at one time.

    A single machine is a snapshot of one, in the same document: clients of the JSON form read `Equipment[0]`
    of both answers, the 2020 schema knows no other root than `Fleet`, and one reader serves both.
    """

    snapshot_at: datetime
    equipment: tuple[Equipment, ...]
    links: tuple[Link, ...] = ()


def sent_header(header: EquipmentHeader) -> EquipmentHeader:
    """`Model` is never left out, only empty: a manufacturer's own client breaks without it."""
    return header if header.model else replace(header, model="")


def newest_reading_at(machine: Equipment) -> datetime | None:
    """When it last reported anything that is shown."""
    readings = (getattr(machine, element.attribute) for element in ELEMENTS)
    return max((reading.at for reading in readings if reading), default=None)
