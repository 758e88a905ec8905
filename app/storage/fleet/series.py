"""A machine's readings over time, read under row-level security for the customer's own period of ownership only."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

from app.aemp.address.paging import PAGE_SIZE
from app.aemp.address.ranges import Range
from app.aemp.model.columns import Columns
from app.aemp.model.identifiers import Sought
from app.aemp.model.series import LOCATIONS, SERIES, SWITCHES, Series
from app.storage.fleet.fleet import NAMED_KEYS, NAMED_MACHINES, arguments_of
from app.storage.fleet.view import FleetView, SeenFleet
from app.storage.postgres.database import Row


@dataclass(frozen=True, slots=True)
class Asked:
    """The machine that goes by a name in a view, and the time it is asked about, both ends included."""

    view: FleetView
    machine: Sought
    range: Range


class Counted(NamedTuple):
    """How many readings a machine had.

    version: of its row of figures as it stood then. asked_at: the newest change that was heard of before.
    """

    readings: int
    machine_key: int
    version: int
    asked_at: int


@dataclass(frozen=True, slots=True)
class SeriesPage:
    """A page of readings in the order of time, side by side, with times in seconds since 1970.

    version: of the machine's row of figures, which everybody writes who writes a reading of it; None where there is no row.
    count: of all readings of the range; None where that was not asked. All is of one snapshot.
    """

    machine_key: int
    version: int | None
    readings: Columns
    count: int | None


# The periods are looked up once a statement, as the policy's fleet is.
_OWN = """
equipment_key = {key} AND at BETWEEN {start} AND {end}
AND at <@ (SELECT range_agg(during) FROM equipment_ownership WHERE equipment_key = {key} AND customer_id = $1)
"""


@dataclass(frozen=True, slots=True)
class _Source:
    """Where the readings of some series are.

    kind: the condition for those of one of them; None where all are. standing: what does not change with time, in the
    machine's row of figures: the column of its time, and its own.
    """

    table: str
    columns: tuple[str, ...]
    order: str
    kind: str | None
    standing: tuple[tuple[str, ...], ...] = ()


_TIME = "seconds"
_READINGS = _Source("reading", ("value",), "at", "metric = $9")
_SWITCHES = _Source("reading", ("value", "metric"), "at, metric", "metric = ANY($9::smallint[])")
_POSITIONS = _Source("position", ("latitude", "longitude", "altitude_m"), "at", None)
_FAULTS = _Source(
    "fault",
    ("code_identifier", "code_description", "code_severity", "code_source"),
    "at, code_identifier, code_source",
    "kind = $9",
)
# Those of one statement: each series of its own would keep further plans in each session.
_STANDING_READINGS = replace(
    _READINGS,
    standing=tuple(
        (series.element.at_column, *(child.column for child in series.standing))
        for series in SERIES
        if series.standing
    ),
)


def page_statement(series: Series, *, by_make: bool, counted: bool) -> str:
    """The statement of a page of a series.

    by_make: whether the machine's name has make and model. counted: whether the statement counts all readings too.
    """
    return _page_of(_source_of(series), NAMED_MACHINES if by_make else NAMED_KEYS, counted=counted)


@cache
def _page_of(source: _Source, named: str, *, counted: bool) -> str:
    """One row: of the machine, whether another goes by its name, and of its readings as arrays."""
    own = _OWN.format(key="machine.key", start="$6", end="$7")
    readings = f"FROM {source.table} WHERE {own}" + (f" AND {source.kind}" if source.kind else "")
    told = ", ".join((f"date_part('epoch', at) AS {_TIME}", *source.columns))  # see MACHINE_COLUMNS
    arrays = ", ".join(f"array_agg({name}) AS {name}" for name in (_TIME, *source.columns))
    count = f"(SELECT count(*) {readings})" if counted else "NULL::bigint"
    standing = "".join(
        f", date_part('epoch', l.{at}) AS {at}, {', '.join(f'l.{name}' for name in names)}"
        for at, *names in source.standing
    )
    return f"""
SELECT machine.*, l.xmin AS version{standing}, told.*, {count} AS count
FROM (SELECT keys[1] AS key, kinds[1] = kinds[2] AS is_shared
      FROM (SELECT array_agg(kind) AS kinds, array_agg(key) AS keys
            FROM (SELECT i.kind, i.equipment_key AS key {named} LIMIT 2) AS named) AS found) AS machine
LEFT JOIN equipment_latest l ON l.equipment_key = machine.key AND l.customer_id = $1,
     LATERAL (SELECT {arrays}
              FROM (SELECT {told} {readings} ORDER BY {source.order} LIMIT {PAGE_SIZE} OFFSET $8) AS page) AS told
"""


async def select_series_page(
    fleet: SeenFleet, asked: Asked, series: Series, *, offset: int, counted: bool
) -> SeriesPage | None:
    """Read a page. counted: whether to count all readings too. None when not exactly one machine goes by the name."""
    statement = page_statement(series, by_make=asked.machine.make is not None, counted=counted)
    named = arguments_of(asked.view, asked.machine)
    arguments = (*named, asked.range.start_at, asked.range.end_at, offset, *_kind_of(series))
    [row] = await fleet.walk(statement, *arguments)
    if row["key"] is None or row["is_shared"]:
        return None
    return SeriesPage(row["key"], row["version"], _readings_of(series, row, asked.view), row["count"])


def _readings_of(series: Series, row: Row, view: FleetView) -> Columns:
    source = _source_of(series)
    # PostgreSQL makes no array of no rows.
    told = {name: row[name] or () for name in (_TIME, *source.columns)}
    if series.metrics:
        return series.columns_of(told.pop(_TIME), told, _standing_of(series, row, view))
    return {series.element.at_column: told.pop(_TIME), **told}


def _standing_of(series: Series, row: Row, view: FleetView) -> Mapping[str, Any]:
    """What the machine told last of what does not change with time; nothing from before the history that is shown."""
    if not series.standing:
        return {}
    at = row[series.element.at_column]
    is_shown = at is not None and (view.history_from is None or at >= view.history_from.timestamp())
    return {child.column: row[child.column] for child in series.standing} if is_shown else {}


# Each table is asked by itself, since metrics and kinds of faults are numbered apart. It has a limit and no EXISTS,
# which would be turned into a join with all readings of the range.
_OF_MACHINE = _OWN.format(key="$2", start="$3", end="$4")
SELECT_REPORTED = f"""
SELECT 'reading' AS source, number
FROM unnest($5::smallint[]) AS number, LATERAL (SELECT FROM reading WHERE metric = number AND {_OF_MACHINE} LIMIT 1) AS one
UNION ALL
SELECT 'fault', number
FROM unnest($6::smallint[]) AS number, LATERAL (SELECT FROM fault WHERE kind = number AND {_OF_MACHINE} LIMIT 1) AS one
UNION ALL
SELECT 'position', 0 FROM (SELECT FROM position WHERE {_OF_MACHINE} LIMIT 1) AS one
"""
_METRICS = [metric for series in SERIES for metric in series.metrics]
_FAULT_KINDS = [series.fault_kind for series in SERIES if series.fault_kind]


async def select_reported(fleet: SeenFleet, machine_key: int, within: Range) -> tuple[Series, ...]:
    """The series that have a reading, in the order of the table of series."""
    asked = (fleet.view.customer_id, machine_key, within.start_at, within.end_at)
    rows = await fleet.walk(SELECT_REPORTED, *asked, _METRICS, _FAULT_KINDS)
    found = {(row["source"], row["number"]) for row in rows}
    return tuple(series for series in SERIES if found & _sources_of(series))


def _source_of(series: Series) -> _Source:
    if series is LOCATIONS:
        return _POSITIONS
    if series.fault_kind:
        return _FAULTS
    if series is SWITCHES:
        return _SWITCHES
    return _STANDING_READINGS if series.standing else _READINGS


def _kind_of(series: Series) -> tuple[object, ...]:
    """The argument that says which rows of its table are its own; positions need none, since all rows are."""
    if series.fault_kind:
        return (series.fault_kind,)
    return (list(series.metrics),) if len(series.metrics) > 1 else series.metrics


def _sources_of(series: Series) -> set[tuple[str, int]]:
    if series is LOCATIONS:
        return {("position", 0)}
    if series.fault_kind:
        return {("fault", series.fault_kind)}
    return {("reading", metric) for metric in series.metrics}
