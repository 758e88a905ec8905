"""Which machines an application asked for by name, and how often."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.aemp.model.columns import HEADER_COLUMNS
from app.aemp.model.values import EquipmentHeader
from app.storage.postgres.database import Transaction
from app.storage.token.reads import LAST_DAYS


@dataclass(frozen=True, slots=True)
class ReadsOfMachine:
    """Reads that named one machine. header: None where the machine is not in the fleet any more."""

    header: EquipmentHeader | None
    reads: int
    last_at: datetime


_HEADER = [name for name, _ in HEADER_COLUMNS]
SELECT_READS_BY_MACHINE = f"""
SELECT r.reads, r.last_at, r.machines, e.key IS NOT NULL AS owned, {", ".join(f"e.{name}" for name in _HEADER)}
FROM (SELECT equipment_key, sum(reads)::bigint AS reads, max(last_at) AS last_at, count(*) OVER () AS machines
      FROM connection_read
      WHERE customer_id = $1 AND application_id = $2 AND equipment_key > 0 AND {LAST_DAYS.format(days="$3::integer")}
      GROUP BY equipment_key ORDER BY 2 DESC, equipment_key LIMIT $4) r
LEFT JOIN equipment e ON e.key = r.equipment_key AND e.customer_id = $1
ORDER BY r.reads DESC, r.equipment_key
"""


async def select_reads_by_machine(
    fleet: Transaction, customer_id: UUID, application_id: UUID, *, days: int, most: int
) -> tuple[tuple[ReadsOfMachine, ...], int]:
    """Those that were named most often, and how many machines were named in all.

    fleet: a transaction that sees the customer's whole fleet. days: how many, today included; in UTC.
    """
    rows = await fleet.rows(SELECT_READS_BY_MACHINE, customer_id, application_id, days, most)
    return tuple(
        ReadsOfMachine(
            EquipmentHeader(**{name: row[name] for name in _HEADER}) if row["owned"] else None,
            row["reads"],
            row["last_at"],
        )
        for row in rows
    ), rows[0]["machines"] if rows else 0
