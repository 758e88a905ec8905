"""Readings of a known machine become rows of the fleet it was in at their time, shifted by its offsets."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple, TypeAlias, TypeVar

from app.aemp.history.history import (
    LOCATION,
    SHOWN,
    Figure,
    History,
    NumberedFault,
    name_of_fault,
    name_of_figure,
)
from app.aemp.model.times import format_time
from app.aemp.model.values import Location

Item = TypeVar("Item")

_EVER = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)
_NEXT = timedelta(microseconds=1)
WAITS = "another fleet had this PIN first, and gets its readings until an operator hands the machine over"


class Period(NamedTuple):
    """A time in one fleet. from_at: None when it has no beginning. until_at: None when it has not ended."""

    fleet_number: int
    from_at: datetime | None = None
    until_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine as far as its readings are judged by it.

    periods: in order. newest_at: of all readings kept; None when none is. offsets: by metric, in order, each the time
    it holds from and the value it adds. waits: whether another fleet claimed its PIN first, and so gets its readings.
    """

    key: int
    periods: tuple[Period, ...]
    newest_at: datetime | None = None
    offsets: Mapping[int, tuple[tuple[datetime, float], ...]] = field(default_factory=dict)
    waits: bool = False


class Kept(NamedTuple):
    """The times that history takes, the end excluded: older is past its retention, later is no reading."""

    from_at: datetime
    until_at: datetime


class Refused(NamedTuple):
    element: str
    at: datetime
    reason: str


ReadingRow: TypeAlias = tuple[datetime, float, int, int, int, bool]
PositionRow: TypeAlias = tuple[datetime, float, float, float | None, int, int, bool]
FaultRow: TypeAlias = tuple[datetime, int, int, int, str, str | None, str | None, str]


@dataclass(slots=True)
class Latest:
    """One machine's values that become the newest unless newer ones are known.

    standing: columns of what does not change with time. newest_at: of all that goes into history.
    """

    figures: dict[int, Figure] = field(default_factory=dict)
    location: Location | None = None
    standing: dict[str, Any] = field(default_factory=dict)
    newest_at: datetime | None = None

    def columns(self) -> dict[str, Any]:
        """The columns of equipment_latest; what was not told is left out."""
        columns = {**self.standing, "newest_at": self.newest_at}
        for metric, (at, _, value) in self.figures.items():
            if metric in SHOWN:
                at_column, column, make = SHOWN[metric]
                columns[at_column], columns[column] = at, make(value)
        if self.location is not None:
            columns[LOCATION.at_column] = self.location.at
            columns |= {child.column: getattr(self.location, child.attribute) for child in LOCATION.children}
        return columns


@dataclass(slots=True)
class Rows:
    """Rows in the columns' order; a reading and a position end with whether they may be there already."""

    readings: list[ReadingRow] = field(default_factory=list)
    positions: list[PositionRow] = field(default_factory=list)
    faults: list[FaultRow] = field(default_factory=list)
    latest: dict[int, Latest] = field(default_factory=dict)


class _Stretch(NamedTuple):
    """A time whose readings are judged alike. current: they may become the newest. stored: they go into history."""

    from_at: datetime
    until_at: datetime
    fleet_number: int
    late: bool
    current: bool
    stored: bool


def settle(
    machine: Machine, history: History, kept: Kept, rows: Rows, *, snapshot: bool = False
) -> list[Refused]:
    """Add to the rows what can be kept; the rest comes back with its reason.

    snapshot: whether a reading that is too old for history still counts as the newest, until a newer one comes.
    """
    settling = _Settling(machine, kept, rows, snapshot=snapshot)
    settling.add_figures(history.figures)
    settling.add_locations(history.locations)
    settling.add_faults(history.faults)
    settling.add_standing(history.standing)
    return settling.refused


class _Settling:
    """One machine's readings on their way into the rows."""

    def __init__(self, machine: Machine, kept: Kept, rows: Rows, *, snapshot: bool) -> None:
        self._machine, self._kept, self._rows = machine, kept, rows
        stretches = () if machine.waits else _stretches(machine, kept)
        self._stretches = [each for each in stretches if each.stored or (snapshot and each.current)]
        self._latest = rows.latest.setdefault(machine.key, Latest())
        self._shown = False
        self.refused: list[Refused] = []

    def add_figures(self, figures: Sequence[Figure]) -> None:
        key = self._machine.key
        for stretch, part in self._parts(self._shifted(figures), itemgetter(0), name_of_figure):
            if stretch.stored:
                number, late = stretch.fleet_number, stretch.late
                self._rows.readings += [(at, value, key, number, metric, late) for at, metric, value in part]
            if stretch.current:
                self._note_figures(part)

    def add_locations(self, locations: Sequence[Location]) -> None:
        key = self._machine.key
        for stretch, part in self._parts(locations, attrgetter("at"), lambda _: LOCATION.name):
            if stretch.stored:
                number, late = stretch.fleet_number, stretch.late
                self._rows.positions += [
                    (it.at, it.latitude, it.longitude, it.altitude_m, key, number, late) for it in part
                ]
            known = self._latest.location
            if stretch.current and (known is None or part[-1].at >= known.at):
                self._latest.location = part[-1]
                self._shown = True

    def add_faults(self, faults: Sequence[NumberedFault]) -> None:
        key = self._machine.key
        for stretch, part in self._parts(faults, itemgetter(0), name_of_fault):
            if stretch.stored:
                self._rows.faults += [
                    (
                        at,
                        key,
                        stretch.fleet_number,
                        kind,
                        code.identifier,
                        code.description,
                        code.severity,
                        code.source or "",
                    )
                    for at, kind, code in part
                ]

    def add_standing(self, standing: Mapping[str, Any]) -> None:
        """Keep it beside readings that are shown. Told with others, it may be of another owner's time."""
        if self._shown:
            self._latest.standing |= standing

    def _parts(
        self, items: Sequence[Item], at_of: Callable[[Item], datetime], name_of: Callable[[Item], str]
    ) -> Iterator[tuple[_Stretch, Sequence[Item]]]:
        """The items of each stretch in order of time; what is in none is refused."""
        if not items:
            return
        items = sorted(items, key=at_of)
        place = 0
        for stretch in self._stretches:
            begin = bisect_left(items, stretch.from_at, lo=place, key=at_of)
            end = bisect_left(items, stretch.until_at, lo=begin, key=at_of)
            self._refuse(items[place:begin], at_of, name_of)
            place = end
            if begin < end:
                if stretch.stored:
                    self._note_kept(at_of(items[end - 1]))
                yield stretch, items[begin:end]
        self._refuse(items[place:], at_of, name_of)

    def _refuse(
        self, items: Sequence[Item], at_of: Callable[[Item], datetime], name_of: Callable[[Item], str]
    ) -> None:
        for item in items:
            self.refused.append(Refused(name_of(item), at_of(item), self._reason(at_of(item))))

    def _reason(self, at: datetime) -> str:
        if self._machine.waits:
            return WAITS
        if at < self._kept.from_at:
            return f"it is older than what is kept, which begins at {format_time(self._kept.from_at)}"
        if at >= self._kept.until_at:
            return "it is from the future"
        return "the machine was not in this fleet then"

    def _shifted(self, figures: Sequence[Figure]) -> Sequence[Figure]:
        offsets = self._machine.offsets
        if not offsets:
            return figures
        return [
            (at, metric, value + offset_at(offsets[metric], at) if metric in offsets else value)
            for at, metric, value in figures
        ]

    def _note_figures(self, part: Sequence[Figure]) -> None:
        self._shown = True
        known = self._latest.figures
        # They are in order, so the newest of each metric stays.
        for metric, figure in {figure[1]: figure for figure in part}.items():
            if metric not in known or figure[0] >= known[metric][0]:
                known[metric] = figure

    def _note_kept(self, at: datetime) -> None:
        self._latest.newest_at = max(at, self._latest.newest_at or _EVER)


def _stretches(machine: Machine, kept: Kept) -> Iterator[_Stretch]:
    """The periods in order of time, cut where history begins and where nothing is known yet."""
    fresh_from = machine.newest_at + _NEXT if machine.newest_at else _EVER
    for period in machine.periods:
        from_at, until_at = period.from_at or _EVER, min(period.until_at or _NEVER, kept.until_at)
        cuts = sorted(cut for cut in (kept.from_at, fresh_from) if from_at < cut < until_at)
        for begin, end in pairwise((from_at, *cuts, until_at)):
            if begin < end:
                yield _Stretch(
                    begin,
                    end,
                    period.fleet_number,
                    late=begin < fresh_from,
                    current=period.until_at is None,
                    stored=begin >= kept.from_at,
                )


def offset_at(offsets: Sequence[tuple[datetime, float]], at: datetime) -> float:
    """The offset in force at a time. offsets: in order; each holds until the next."""
    place = bisect_left(offsets, at + _NEXT, key=itemgetter(0))
    return offsets[place - 1][1] if place else 0.0
