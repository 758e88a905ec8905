"""The three figures of the last 24 hours, computed from history for machines that have told something new."""

from collections.abc import Sequence

from app.aemp.model.series import Metric
from app.storage.postgres.database import Statements

SELECT_DUE = """
SELECT equipment_key FROM equipment_latest
WHERE equipment_key > $1 AND newest_at IS DISTINCT FROM last_24_at AND newest_at IS NOT NULL
ORDER BY equipment_key LIMIT $2
"""


async def select_due(statements: Statements, *, after: int, most: int) -> list[int]:
    """Keys beyond `after`, in order, of machines whose figures are older than their newest reading."""
    return [row["equipment_key"] for row in await statements.rows(SELECT_DUE, after, most)]


# The 24 hours end with the newest reading, not now: what a machine did before it was parked stays true. Fuel counts
# from the last reading before those 24 hours, within a week, else from their first. Only what was told in the present
# fleet counts. If the machine itself tells a figure for the same time or a later one, that stands; the row that is
# written is asked for it, so that what came while the figures were computed counts too.
UPDATE_LAST_24 = f"""
WITH due AS (
    SELECT l.equipment_key::integer AS key, f.number, l.newest_at AS at, l.newest_at - interval '24 hours' AS from_at
    FROM equipment_latest l JOIN fleet f ON f.customer_id = l.customer_id
    WHERE l.equipment_key = ANY($1::bigint[])
    ORDER BY l.equipment_key
), computed AS (
    SELECT d.key, d.number, d.at,
        (SELECT max(r.value) FROM reading r
         WHERE r.equipment_key = d.key AND r.metric = {Metric.SPEED} AND r.at > d.from_at AND r.at <= d.at AND r.fleet_number = d.number) AS peak_kmh,
        (SELECT avg(r.value) FROM reading r
         WHERE r.equipment_key = d.key AND r.metric = {Metric.ENGINE_LOAD} AND r.at > d.from_at AND r.at <= d.at AND r.fleet_number = d.number) AS load_percent,
        (SELECT greatest(0, max(r.value) - coalesce(
             (SELECT b.value FROM reading b
              WHERE b.equipment_key = d.key AND b.metric = {Metric.CUMULATIVE_FUEL_USED} AND b.at > d.from_at - interval '7 days' AND b.at <= d.from_at
                AND b.fleet_number = d.number
              ORDER BY b.at DESC LIMIT 1), min(r.value))) FROM reading r
         WHERE r.equipment_key = d.key AND r.metric = {Metric.CUMULATIVE_FUEL_USED} AND r.at > d.from_at AND r.at <= d.at AND r.fleet_number = d.number) AS fuel_l
    FROM due d
), kept AS (
    INSERT INTO reading (at, value, equipment_key, fleet_number, metric)
    SELECT at, value, key, number, metric
    FROM computed, LATERAL (VALUES
        ({Metric.FUEL_USED_LAST_24}::smallint, fuel_l),
        ({Metric.AVERAGE_LOAD_FACTOR_LAST_24}::smallint, load_percent),
        ({Metric.MAXIMUM_SPEED_LAST_24}::smallint, peak_kmh)) AS told (metric, value)
    WHERE value IS NOT NULL
    ON CONFLICT DO NOTHING
)
UPDATE equipment_latest l SET
    last_24_at = c.at,
    fuel_used_last_24_at = CASE WHEN c.fuel_l IS NULL OR l.fuel_used_last_24_at >= c.at THEN l.fuel_used_last_24_at ELSE c.at END,
    fuel_used_last_24_l = CASE WHEN c.fuel_l IS NULL OR l.fuel_used_last_24_at >= c.at THEN l.fuel_used_last_24_l ELSE c.fuel_l END,
    average_load_factor_last_24_at = CASE WHEN c.load_percent IS NULL OR l.average_load_factor_last_24_at >= c.at
        THEN l.average_load_factor_last_24_at ELSE c.at END,
    average_load_factor_last_24_percent = CASE WHEN c.load_percent IS NULL OR l.average_load_factor_last_24_at >= c.at
        THEN l.average_load_factor_last_24_percent ELSE c.load_percent END,
    maximum_speed_last_24_at = CASE WHEN c.peak_kmh IS NULL OR l.maximum_speed_last_24_at >= c.at
        THEN l.maximum_speed_last_24_at ELSE c.at END,
    maximum_speed_last_24_kmh = CASE WHEN c.peak_kmh IS NULL OR l.maximum_speed_last_24_at >= c.at
        THEN l.maximum_speed_last_24_kmh ELSE c.peak_kmh END
FROM computed c
WHERE l.equipment_key = c.key
"""


async def update_last_24(statements: Statements, keys: Sequence[int]) -> int:
    """Bring the figures up to each machine's newest reading, and return how many machines changed."""
    return await statements.count(UPDATE_LAST_24, keys)
