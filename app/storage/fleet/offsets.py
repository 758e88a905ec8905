"""Offsets are added to a machine's figures since its device was replaced; stored figures are restated with them."""

from dataclasses import dataclass
from datetime import datetime

from app.aemp.model.series import Metric
from app.storage.postgres.database import Transaction


@dataclass(frozen=True, slots=True)
class Offset:
    """The offset of one machine and metric, from a time on."""

    key: int
    metric: int
    from_at: datetime


# The triggers on ownership and offsets take this lock too, but within a statement: it does not see what changed while
# it waited.
SELECT_EXCLUSIVE_LOCK = "SELECT pg_advisory_xact_lock(hashtext('rovitracker readings'))"


async def lock_readings(transaction: Transaction) -> None:
    """Nobody writes readings or changes offsets until the transaction ends."""
    await transaction.row(SELECT_EXCLUSIVE_LOCK)


SELECT_LAST_VALUE = """
SELECT value FROM reading WHERE equipment_key = $1::integer AND metric = $2 AND at < $3 ORDER BY at DESC LIMIT 1
"""


async def select_last_value(transaction: Transaction, offset: Offset) -> float | None:
    """The figure's last value before the offset begins."""
    row = await transaction.row(SELECT_LAST_VALUE, offset.key, offset.metric, offset.from_at)
    return float(row["value"]) if row else None


# It tells by how much the figures stored so far are too low, and until when the offset holds.
UPSERT_OFFSET = """
WITH before AS (
    SELECT value FROM equipment_offset
    WHERE equipment_key = $1 AND metric = $2 AND from_at <= $3 ORDER BY from_at DESC LIMIT 1
), put AS (
    INSERT INTO equipment_offset (equipment_key, metric, from_at, value) VALUES ($1, $2, $3, $4)
    ON CONFLICT (equipment_key, metric, from_at) DO UPDATE SET value = excluded.value
)
SELECT $4::float8 - coalesce((SELECT value FROM before), 0) AS difference,
       coalesce((SELECT min(from_at) FROM equipment_offset WHERE equipment_key = $1 AND metric = $2 AND from_at > $3),
                'infinity') AS until_at
"""
UPDATE_READINGS = """
UPDATE reading SET value = value + $4
WHERE equipment_key = $1::integer AND metric = $2 AND at >= $3 AND at < $5
"""
UPDATE_LATEST_FIGURES = f"""
UPDATE equipment_latest SET
    cumulative_operating_hours = cumulative_operating_hours + CASE
        WHEN $2 = {Metric.CUMULATIVE_OPERATING_HOURS} AND cumulative_operating_hours_at >= $3 AND cumulative_operating_hours_at < $5
        THEN $4::float8 ELSE 0 END,
    distance_km = distance_km + CASE
        WHEN $2 = {Metric.DISTANCE} AND distance_at >= $3 AND distance_at < $5
        THEN $4::float8 ELSE 0 END
WHERE equipment_key = $1
"""


async def upsert_offset(transaction: Transaction, offset: Offset, value: float) -> int:
    """Set an offset, and return how many stored figures were restated. The caller holds the readings' lock."""
    named = (offset.key, offset.metric, offset.from_at)
    [put] = await transaction.rows(UPSERT_OFFSET, *named, value)
    if not put["difference"]:
        return 0
    shift = (*named, put["difference"], put["until_at"])
    await transaction.count(UPDATE_LATEST_FIGURES, *shift)
    return await transaction.count(UPDATE_READINGS, *shift)
