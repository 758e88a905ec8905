"""Known machines judge readings: which machine a name means, who owned it when, and its offsets."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from app.aemp.history.settle import Machine, Period
from app.aemp.model.columns import HEADER_COLUMNS
from app.aemp.model.identifiers import IDENTIFIER_KINDS, Candidate
from app.aemp.model.values import EquipmentHeader
from app.storage.postgres.database import Transaction

_HEADER = [name for name, _ in HEADER_COLUMNS]

_CANDIDATES = f"""
SELECT i.value, i.kind, e.key, {", ".join(f"e.{name}" for name in _HEADER)}
FROM equipment_identifier i JOIN equipment e ON e.key = i.equipment_key
"""
SELECT_NAMED = f"{_CANDIDATES} WHERE i.customer_id = $1 AND i.value = ANY($2::text[]) ORDER BY e.key"
# An equipment id is a customer's own word, and means nothing beyond their fleet. It has the highest number.
_EQUIPMENT_ID = IDENTIFIER_KINDS.index("equipment_id") + 1
SELECT_NAMED_ANYWHERE = (
    f"{_CANDIDATES} WHERE i.value = ANY($1::text[]) AND i.kind < {_EQUIPMENT_ID} ORDER BY e.key"
)


async def select_candidates(
    transaction: Transaction, customer_id: UUID | None, values: Sequence[str]
) -> dict[str, list[Candidate]]:
    """The machines that go by each value. customer_id: None asks every customer's machines."""
    if customer_id is None:
        rows = await transaction.rows(SELECT_NAMED_ANYWHERE, values)
    else:
        rows = await transaction.rows(SELECT_NAMED, customer_id, values)
    named: dict[str, list[Candidate]] = defaultdict(list)
    for row in rows:
        header = EquipmentHeader(**{name: row[name] for name in _HEADER})
        named[row["value"]].append(Candidate(row["kind"], row["key"], header))
    return named


# The machine that was added first, in whatever fleet it is now, has the claim to a PIN. Any other of this PIN waits.
_PIN = IDENTIFIER_KINDS.index("pin") + 1
SELECT_MACHINES = f"""
SELECT o.equipment_key, f.number, lower(o.during) AS from_at, upper(o.during) AS until_at, l.newest_at,
       EXISTS (
           SELECT FROM equipment_identifier own
           JOIN equipment_identifier earlier
             ON earlier.value = own.value AND earlier.kind = {_PIN} AND earlier.equipment_key < own.equipment_key
           WHERE own.equipment_key = o.equipment_key AND own.kind = {_PIN}
       ) AS waits
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
    offsets: dict[int, dict[int, tuple[tuple[datetime, float], ...]]] = defaultdict(dict)
    for row in await transaction.rows(SELECT_OFFSETS, keys):
        of_machine = offsets[row["equipment_key"]]
        of_machine[row["metric"]] = (*of_machine.get(row["metric"], ()), (row["from_at"], row["value"]))
    machines: dict[int, Machine] = {}
    for row in await transaction.rows(SELECT_MACHINES, keys, customer_id):
        key, number, from_at, until_at, newest_at, waits = row.values()
        earlier = machines[key].periods if key in machines else ()
        period = Period(number, from_at, until_at)
        machines[key] = Machine(key, (*earlier, period), newest_at, offsets.get(key, {}), waits)
    return machines
