"""A machine's readings over time, read under row-level security for the customer's own period of ownership only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from app.aemp.address.paging import PAGE_SIZE
from app.aemp.address.ranges import Range
from app.aemp.model.columns import Columns
from app.aemp.model.series import LOCATIONS, SERIES, Series
from app.storage.fleet.view import FleetView
from app.storage.postgres.database import Row, Transaction


@dataclass(frozen=True, slots=True)
class Asked:
    """A machine that is in view, and the time it is asked about, both ends included."""

    view: FleetView
    machine_key: int
    range: Range

    @property
    def arguments(self) -> tuple[object, ...]:
        return self.machine_key, self.range.start_at, self.range.end_at, self.view.customer_id


class Counted(NamedTuple):
    """How many readings there were.

    version: of the machine's row of figures, read before they were counted.
    asked_at: the newest change that was heard of before.
    """

    readings: int
    version: int
    asked_at: int


# The periods are looked up once a statement, as the policy's fleet is.
_OWN = """
equipment_key = $1 AND at BETWEEN $2 AND $3
AND at <@ (SELECT range_agg(during) FROM equipment_ownership WHERE equipment_key = $1 AND customer_id = $4)
"""
_READINGS = f"FROM reading WHERE metric = $5 AND {_OWN}"
_SWITCHES = f"FROM reading WHERE metric = ANY($5::smallint[]) AND {_OWN}"
_POSITIONS = f"FROM position WHERE {_OWN}"
_FAULTS = f"FROM fault WHERE kind = $5 AND {_OWN}"

_SECONDS = "date_part('epoch', at) AS seconds"  # see MACHINE_COLUMNS
SELECT_READINGS = f"SELECT {_SECONDS}, value, metric {_READINGS} ORDER BY at LIMIT {PAGE_SIZE} OFFSET $6"
SELECT_SWITCHES = (
    f"SELECT {_SECONDS}, value, metric {_SWITCHES} ORDER BY at, metric LIMIT {PAGE_SIZE} OFFSET $6"
)
SELECT_POSITIONS = (
    f"SELECT {_SECONDS}, latitude, longitude, altitude_m {_POSITIONS} ORDER BY at LIMIT {PAGE_SIZE} OFFSET $5"
)
SELECT_FAULTS = f"""
SELECT {_SECONDS}, code_identifier, code_description, code_severity, nullif(code_source, '') {_FAULTS}
ORDER BY at, code_identifier, code_source LIMIT {PAGE_SIZE} OFFSET $6
"""


async def select_readings(
    fleet: Transaction, asked: Asked, series: Series, machine: Columns, *, offset: int
) -> Columns:
    """One page in the order of time, side by side. machine: it alone, for what does not change with time."""
    arguments = (*asked.arguments, *_kind_of(series), offset)
    if series is LOCATIONS:
        return _columns_of(series, await fleet.rows(SELECT_POSITIONS, *arguments))
    if series.fault_kind:
        return _columns_of(series, await fleet.rows(SELECT_FAULTS, *arguments))
    statement = SELECT_READINGS if len(series.metrics) == 1 else SELECT_SWITCHES
    rows = [tuple(row.values()) for row in await fleet.rows(statement, *arguments)]
    return series.columns_of(rows, machine)


def _columns_of(series: Series, rows: Sequence[Row]) -> Columns:
    """rows: of the time and each child of the series, in order."""
    names = (series.element.at_column, *(child.column for child in series.element.children))
    values = zip(*(row.values() for row in rows), strict=True) if rows else ((),) * len(names)
    return dict(zip(names, values, strict=True))


COUNT_READINGS = f"SELECT count(*) {_READINGS}"
COUNT_SWITCHES = f"SELECT count(*) {_SWITCHES}"
COUNT_POSITIONS = f"SELECT count(*) {_POSITIONS}"
COUNT_FAULTS = f"SELECT count(*) {_FAULTS}"


async def count_readings(fleet: Transaction, asked: Asked, series: Series) -> int:
    if series is LOCATIONS:
        statement = COUNT_POSITIONS
    elif series.fault_kind:
        statement = COUNT_FAULTS
    else:
        statement = COUNT_READINGS if len(series.metrics) == 1 else COUNT_SWITCHES
    row = await fleet.row(statement, *asked.arguments, *_kind_of(series))
    return int(row["count"]) if row else 0


# Each table is asked by itself, since metrics and kinds of faults are numbered apart. It has a limit and no EXISTS,
# which would be turned into a join with all readings of the range.
SELECT_REPORTED = f"""
SELECT 'reading' AS source, number
FROM unnest($5::smallint[]) AS number, LATERAL (SELECT FROM reading WHERE metric = number AND {_OWN} LIMIT 1) AS one
UNION ALL
SELECT 'fault', number
FROM unnest($6::smallint[]) AS number, LATERAL (SELECT FROM fault WHERE kind = number AND {_OWN} LIMIT 1) AS one
UNION ALL
SELECT 'position', 0 FROM (SELECT {_POSITIONS} LIMIT 1) AS one
"""
_METRICS = [metric for series in SERIES for metric in series.metrics]
_FAULT_KINDS = [series.fault_kind for series in SERIES if series.fault_kind]


async def select_reported(fleet: Transaction, asked: Asked) -> tuple[Series, ...]:
    """The series that have a reading, in the order of the table of series."""
    rows = await fleet.rows(SELECT_REPORTED, *asked.arguments, _METRICS, _FAULT_KINDS)
    found = {(row["source"], row["number"]) for row in rows}
    return tuple(series for series in SERIES if found & _sources_of(series))


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
