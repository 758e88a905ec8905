"""History is copied into the session's own tables, and put in place by one statement a table."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from app.aemp.history.history import LOCATION
from app.aemp.history.settle import Kept, Latest, Rows
from app.aemp.model.columns import READING_COLUMNS
from app.aemp.model.elements import ELEMENTS, Element
from app.storage.fleet.fleet_import import ingest
from app.storage.postgres.database import Database, Transaction

_CLOCKS_AHEAD = timedelta(hours=1)  # a device that is further ahead than this has no clock

_READING = ["at", "value", "equipment_key", "fleet_number", "metric", "late"]
_POSITION = ["at", "latitude", "longitude", "altitude_m", "equipment_key", "fleet_number", "late"]
_FAULT = [
    "at",
    "equipment_key",
    "fleet_number",
    "kind",
    "code_identifier",
    "code_description",
    "code_severity",
    "code_source",
]
_LATEST = [name for name, _ in READING_COLUMNS]

# These tables have no row-level security, which COPY does not support. A temporary table is written without WAL, and
# one that stays with its session costs the catalogue nothing from the second time on.
STAGING = f"""
SET LOCAL work_mem = '32MB';
CREATE TEMPORARY TABLE IF NOT EXISTS arrived_reading (
    at timestamptz, value double precision, equipment_key integer, fleet_number integer, metric smallint, late boolean
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS arrived_position (
    at timestamptz, latitude double precision, longitude double precision, altitude_m double precision,
    equipment_key integer, fleet_number integer, late boolean
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS arrived_fault (
    at timestamptz, equipment_key integer, fleet_number integer, kind smallint, code_identifier text,
    code_description text, code_severity text, code_source text
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS arrived_latest (
    equipment_key bigint, newest_at timestamptz, {", ".join(f"{name} {kind}" for name, kind in READING_COLUMNS)}
) ON COMMIT DELETE ROWS
"""

# Held until the end: nobody changes periods of ownership or offsets meanwhile, by which readings are judged.
SELECT_SHARED_LOCK = "SELECT pg_advisory_xact_lock_shared(hashtext('rovitracker readings'))"


@asynccontextmanager
async def write_history(database: Database) -> AsyncIterator[Transaction]:
    """A transaction that may write any customer's history, once."""
    async with ingest(database) as transaction:
        await transaction.count(STAGING)
        await transaction.row(SELECT_SHARED_LOCK)
        yield transaction


CREATE_PARTITIONS_OF = "SELECT create_partitions_of($1) AS created"


async def create_partitions_of(database: Database, moments: Sequence[datetime]) -> None:
    """Create the missing partitions for the weeks of these moments, where history takes them."""
    async with ingest(database) as transaction:
        await transaction.row(CREATE_PARTITIONS_OF, moments)


# A batch fills all these tables, so the shortest retention counts: a longer one would find no partitions beside it.
SELECT_KEPT_FROM = """
SELECT clock_timestamp() - min(keep) AS kept_from, clock_timestamp() AS now FROM retention WHERE partition_step = 'week'
"""


async def select_kept(database: Database) -> Kept:
    [row] = await database.rows(SELECT_KEPT_FROM)
    return Kept(row["kept_from"], row["now"] + _CLOCKS_AHEAD)


# Among rows of one machine, metric and time the one that came last counts. They are sorted, so that each page of the
# index is filled at once. Rows that cannot be there already are spared the look, and the marks in the WAL, that a
# conflict would need: half of the cost.
INSERT_FRESH_READINGS = """
INSERT INTO reading (at, value, equipment_key, fleet_number, metric)
SELECT DISTINCT ON (equipment_key, metric, at) at, value, equipment_key, fleet_number, metric
FROM arrived_reading WHERE NOT late
ORDER BY equipment_key, metric, at, ctid DESC
"""
UPSERT_LATE_READINGS = """
INSERT INTO reading AS r (at, value, equipment_key, fleet_number, metric)
SELECT DISTINCT ON (equipment_key, metric, at) at, value, equipment_key, fleet_number, metric
FROM arrived_reading WHERE late
ORDER BY equipment_key, metric, at, ctid DESC
ON CONFLICT (equipment_key, metric, at) DO UPDATE SET value = excluded.value WHERE r.value <> excluded.value
"""
INSERT_FRESH_POSITIONS = """
INSERT INTO position (at, latitude, longitude, altitude_m, equipment_key, fleet_number)
SELECT DISTINCT ON (equipment_key, at) at, latitude, longitude, altitude_m, equipment_key, fleet_number
FROM arrived_position WHERE NOT late
ORDER BY equipment_key, at, ctid DESC
"""
UPSERT_LATE_POSITIONS = """
INSERT INTO position AS p (at, latitude, longitude, altitude_m, equipment_key, fleet_number)
SELECT DISTINCT ON (equipment_key, at) at, latitude, longitude, altitude_m, equipment_key, fleet_number
FROM arrived_position WHERE late
ORDER BY equipment_key, at, ctid DESC
ON CONFLICT (equipment_key, at) DO UPDATE
SET latitude = excluded.latitude, longitude = excluded.longitude, altitude_m = excluded.altitude_m
WHERE (p.latitude, p.longitude, p.altitude_m) IS DISTINCT FROM (excluded.latitude, excluded.longitude, excluded.altitude_m)
"""
UPSERT_FAULTS = """
INSERT INTO fault AS f (at, equipment_key, fleet_number, kind, code_identifier, code_description, code_severity, code_source)
SELECT DISTINCT ON (equipment_key, kind, at, code_identifier, code_source)
       at, equipment_key, fleet_number, kind, code_identifier, code_description, code_severity, code_source
FROM arrived_fault
ORDER BY equipment_key, kind, at, code_identifier, code_source, ctid DESC
ON CONFLICT (equipment_key, kind, at, code_identifier, code_source) DO UPDATE
SET code_description = excluded.code_description, code_severity = excluded.code_severity
WHERE (f.code_description, f.code_severity) IS DISTINCT FROM (excluded.code_description, excluded.code_severity)
"""


async def insert_rows(transaction: Transaction, rows: Rows) -> int:
    """Store rows, and return how many were new or told something else than was known.

    Raises StatementRefusedError when a row that was not late is there already, as when another transaction was faster.
    """
    stored = 0
    if rows.readings:
        await transaction.copy("arrived_reading", _READING, rows.readings)
        stored += await transaction.count(INSERT_FRESH_READINGS)
        stored += await transaction.count(UPSERT_LATE_READINGS)
    if rows.positions:
        await transaction.copy("arrived_position", _POSITION, rows.positions)
        stored += await transaction.count(INSERT_FRESH_POSITIONS)
        stored += await transaction.count(UPSERT_LATE_POSITIONS)
    if rows.faults:
        await transaction.copy("arrived_fault", _FAULT, rows.faults)
        stored += await transaction.count(UPSERT_FAULTS)
    return stored


def _newer(element: Element, column: str, *, required: bool) -> str:
    """Keep what stands with a machine, such as a tank's capacity, when a reading leaves it out."""
    told = f"a.{column}" if required else f"coalesce(a.{column}, l.{column})"
    return f"{column} = CASE WHEN a.{element.at_column} >= coalesce(l.{element.at_column}, '-infinity') THEN {told} ELSE l.{column} END"


_NEWER = ", ".join(
    _newer(element, column, required=required)
    for element in ELEMENTS
    for column, required in (
        *((child.column, child.required or element is LOCATION) for child in element.children),
        (element.at_column, True),
    )
)
# Every writer of these rows takes them in the order of their keys, so that no two wait for each other.
UPDATE_LATEST = f"""
UPDATE equipment_latest l SET newest_at = greatest(l.newest_at, a.newest_at), {_NEWER}
FROM arrived_latest a WHERE l.equipment_key = a.equipment_key
"""
INSERT_LATEST = f"""
INSERT INTO equipment_latest (customer_id, equipment_key, newest_at, {", ".join(_LATEST)})
SELECT e.customer_id, a.equipment_key, a.newest_at, {", ".join(f"a.{name}" for name in _LATEST)}
FROM arrived_latest a JOIN equipment e ON e.key = a.equipment_key
WHERE e.customer_id IS NOT NULL
ORDER BY a.equipment_key
ON CONFLICT DO NOTHING
"""


async def update_latest(transaction: Transaction, latest: Mapping[int, Latest]) -> None:
    """Take each element whose reading is not older than the stored one. latest: by key of the machine."""
    names = ["newest_at", *_LATEST]
    records = [(key, *map(latest[key].columns().get, names)) for key in sorted(latest)]
    await transaction.copy("arrived_latest", ["equipment_key", *names], records)
    if await transaction.count(UPDATE_LATEST) < len(records):
        await transaction.count(INSERT_LATEST)
