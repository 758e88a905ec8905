"""A fleet page, a single machine or a page of a series, ready to be rendered."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time

from app.aemp.address.paging import Link
from app.aemp.model.columns import NEVER, Columns, Machines, flatten
from app.aemp.model.elements import ELEMENTS
from app.aemp.model.series import Series
from app.aemp.model.values import Equipment, Reading


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Machines as they stood at one time.

    A single machine is a snapshot of one, in the same document: clients of the JSON form read `Equipment[0]`
    of both answers, the 2020 schema knows no other root than `Fleet`, and one reader serves both.
    """

    snapshot_at: datetime
    equipment: Machines | tuple[Equipment, ...]
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class SeriesPage:
    """Readings of one kind of one machine, in the order of their times."""

    series: Series
    readings: Columns | tuple[Reading, ...]
    links: tuple[Link, ...] = ()


def take_snapshot(
    machines: Machines | tuple[Equipment, ...], links: tuple[Link, ...], *, now: datetime
) -> Snapshot:
    shown = flatten(machines)
    return Snapshot(snapshot_time(shown.newest, now=now), shown, links)


def snapshot_time(newest: Iterable[float], *, now: datetime) -> datetime:
    """As of the newest reading shown, so that an unchanged fleet is the same document to the byte.

    A fleet that never reported anything is shown as of the day. newest: as Machines has it.
    """
    at = max(newest, default=NEVER)
    return (
        datetime.combine(now.astimezone(UTC), time(), UTC) if at == NEVER else datetime.fromtimestamp(at, UTC)
    )


def newest_reading_at(machine: Equipment) -> datetime | None:
    """The time of the newest reading that is shown; None when there is none."""
    readings = (getattr(machine, element.attribute) for element in ELEMENTS)
    return max((reading.at for reading in readings if reading), default=None)
