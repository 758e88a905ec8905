"""Known machines judge readings: which machine a name means, who owned it when, and its offsets."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from app.aemp.history.settle import Machine, Period
from app.aemp.model.identifiers import IDENTIFIER_KINDS
from app.storage.postgres.database import Row, Transaction

SELECT_KEYS_NAMED = """
SELECT value, kind, equipment_key FROM equipment_identifier WHERE customer_id = $1 AND value = ANY($2::text[])
"""
# An equipment id is a customer's own word, and means nothing beyond their fleet. It has the highest number.
_EQUIPMENT_ID = IDENTIFIER_KINDS.index("equipment_id") + 1
SELECT_KEYS_NAMED_ANYWHERE = f"""
SELECT value, kind, equipment_key FROM equipment_identifier WHERE value = ANY($1::text[]) AND kind < {_EQUIPMENT_ID}
"""


async def select_keys_named(
    transaction: Transaction, customer_id: UUID | None, values: Sequence[str]
) -> dict[str, list[tuple[int, int]]]:
    """The (kind, key) of each machine that goes by a value. customer_id: None asks every customer's machines."""
    if customer_id is None:
        rows = await transaction.rows(SELECT_KEYS_NAMED_ANYWHERE, values)
    else:
        rows = await transaction.rows(SELECT_KEYS_NAMED, customer_id, values)
    named: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in rows:
        named[row["value"]].append((row["kind"], row["equipment_key"]))
    return named


SELECT_MACHINES = """
SELECT o.equipment_key, f.number, lower(o.during) AS from_at, upper(o.during) AS until_at, l.newest_at
FROM equipment_ownership o
JOIN fleet f ON f.customer_id = o.customer_id
LEFT JOIN equipment_latest l ON l.equipment_key = o.equipment_key
WHERE o.equipment_key = ANY($1::bigint[]) AND ($2::uuid IS NULL OR o.customer_id = $2)
ORDER BY o.equipment_key, lower(o.during) NULLS FIRST
"""
SELECT_OFFSETS = """
SELECT equipment_key, metric, from_at, value FROM equipment_offset WHERE equipment_key = ANY($1::bigint[])
ORDER BY equipment_key, metric, from_at
"""


async def select_machines(
    transaction: Transaction, customer_id: UUID | None, keys: Sequence[int]
) -> dict[int, Machine]:
    """Machines by key, with their periods in the customer's fleet. customer_id: None gives those in every fleet."""
    offsets = _by_metric(await transaction.rows(SELECT_OFFSETS, keys))
    machines: dict[int, Machine] = {}
    for row in await transaction.rows(SELECT_MACHINES, keys, customer_id):
        key, number, from_at, until_at, newest_at = row.values()
        earlier = machines[key].periods if key in machines else ()
        period = Period(number, from_at, until_at)
        machines[key] = Machine(key, (*earlier, period), newest_at, offsets.get(key, {}))
    return machines


def _by_metric(rows: Iterable[Row]) -> dict[int, dict[int, tuple[tuple[datetime, float], ...]]]:
    offsets: dict[int, dict[int, tuple[tuple[datetime, float], ...]]] = defaultdict(dict)
    for row in rows:
        of_machine = offsets[row["equipment_key"]]
        of_machine[row["metric"]] = (*of_machine.get(row["metric"], ()), (row["from_at"], row["value"]))
    return offsets
