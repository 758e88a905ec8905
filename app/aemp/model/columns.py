"""The flat form of a snapshot, one column per value, of which storage and documents are made."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, TypeAlias

from app.aemp.model.elements import ELEMENTS, HEADER, Element, Kind
from app.aemp.model.values import Equipment, EquipmentHeader, Reading

# Values side by side, under the names of their columns: of several machines, or of several readings.
Columns: TypeAlias = Mapping[str, Sequence[Any]]

HEADER_COLUMNS: tuple[tuple[str, str], ...] = tuple((child.column, child.kind.value) for child in HEADER)

READING_COLUMNS: tuple[tuple[str, str], ...] = tuple(
    column
    for element in ELEMENTS
    for column in (
        (element.at_column, "timestamptz"),
        *((child.column, child.kind.value) for child in element.children),
    )
)

# (name, PostgreSQL type). A reading's time is null exactly when the reading is absent.
COLUMNS: tuple[tuple[str, str], ...] = HEADER_COLUMNS + READING_COLUMNS
TIMES = tuple(name for name, kind in COLUMNS if kind == Kind.TIME.value)
TIMES_OF_FIGURES = tuple(name for name, kind in READING_COLUMNS if kind == Kind.TIME.value)

# The time of the newest reading of a machine that tells none.
NEVER = float("-inf")


def to_columns(equipment: Equipment) -> dict[str, Any]:
    """Every name of COLUMNS, in order; null where the machine does not report it."""
    header = equipment.header
    flat: dict[str, Any] = {child.column: getattr(header, child.attribute) for child in HEADER}
    for element in ELEMENTS:
        reading = getattr(equipment, element.attribute)
        flat[element.at_column] = reading and reading.at
        flat |= {child.column: reading and getattr(reading, child.attribute) for child in element.children}
    return flat


def from_columns(row: Mapping[str, Any]) -> Equipment:
    """The inverse of `to_columns`; names beyond COLUMNS are ignored. Needs every name of COLUMNS."""
    header = EquipmentHeader(**{child.attribute: row[child.column] for child in HEADER})
    readings = {e.attribute: _reading(e, row) for e in ELEMENTS if row[e.at_column] is not None}
    return Equipment(header=header, **readings)


def _reading(element: Element, row: Mapping[str, Any]) -> Any:
    values = {child.attribute: row[child.column] for child in element.children}
    return element.reading(at=row[element.at_column], **values)


@dataclass(frozen=True, slots=True)
class Machines:
    """Machines side by side, as documents are written from them; one becomes an Equipment where it is looked at.

    columns: every name of COLUMNS, and perhaps more; or without those of headers, of machines that are known by their
    figures alone. Times are seconds since 1970.
    """

    columns: Columns

    @property
    def have_headers(self) -> bool:
        return HEADER_COLUMNS[0][0] in self.columns

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __iter__(self) -> Iterator[Equipment]:
        for values in zip(*self.columns.values(), strict=True):
            row = dict(zip(self.columns, values, strict=True))
            yield from_columns({**row, **{name: _moment(row[name]) for name in TIMES}})

    @property
    def newest(self) -> list[float]:
        """The time of each machine's newest reading that is shown, in seconds since 1970, or NEVER."""
        times = [self.columns[name] for name in _READING_TIMES]
        rows = zip(*times, strict=True)
        return [max([at for at in row if at is not None], default=NEVER) for row in rows]


_READING_TIMES = [element.at_column for element in ELEMENTS]


def side_by_side(rows: Sequence[Mapping[str, Any]], *, since: datetime | None = None) -> Machines:
    """The rows of one statement, with times in seconds since 1970. since: readings from before are left out."""
    if not rows:
        return Machines({name: () for name, _ in COLUMNS})
    values = zip(*(row.values() for row in rows), strict=True)
    columns: dict[str, Sequence[Any]] = dict(zip(rows[0].keys(), values, strict=True))
    if since is not None:
        first = since.timestamp()
        for name in _READING_TIMES:
            columns[name] = [None if at is None or at < first else at for at in columns[name]]
    return Machines(columns)


def flatten(machines: Iterable[Equipment]) -> Machines:
    if isinstance(machines, Machines):
        return machines
    return side_by_side([_in_seconds(to_columns(machine)) for machine in machines])


def flatten_readings(element: Element, readings: Columns | Sequence[Reading]) -> Columns:
    """Readings of one kind by the columns of their element. Times are seconds since 1970."""
    if isinstance(readings, Mapping):
        return readings
    columns = {child.column: [*map(attrgetter(child.attribute), readings)] for child in element.children}
    return {element.at_column: [reading.at.timestamp() for reading in readings], **columns}


def _in_seconds(row: dict[str, Any]) -> dict[str, Any]:
    return row | {name: row[name] and row[name].timestamp() for name in TIMES}


def _moment(at: float | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at, UTC)
