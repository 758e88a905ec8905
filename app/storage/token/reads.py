"""How often an application read what of a customer's, by day, kind, machine and version of the connection."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from app.storage.postgres.database import Statements


class ReadKey(NamedTuple):
    """What reads are counted by. equipment_key: 0 where no machine was named; kind: a number of ReadKind."""

    customer_id: UUID
    application_id: UUID
    equipment_key: int
    day: date
    kind: int
    connection_version: int


@dataclass(slots=True)
class Count:
    """How many reads there were, and when the last was."""

    reads: int
    last_at: datetime


# A read that named a machine is counted twice: for the machine, and in the row that all of its kind share. So a list of
# connections reads a few rows of each, however many machines an application asks for one by one.
# In order of the key, or two processes that write the same rows would deadlock.
UPSERT_READS = """
INSERT INTO connection_read AS r
    (customer_id, application_id, equipment_key, day, kind, connection_version, reads, last_at)
SELECT customer_id, application_id, machine.key, day, kind, connection_version, sum(reads)::bigint, max(last_at)
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::date[], $5::smallint[], $6::integer[], $7::bigint[], $8::timestamptz[])
     AS noted(customer_id, application_id, equipment_key, day, kind, connection_version, reads, last_at)
CROSS JOIN LATERAL (SELECT 0 UNION SELECT equipment_key) AS machine(key)
GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
ON CONFLICT (customer_id, application_id, equipment_key, day, kind, connection_version) DO UPDATE
SET reads = r.reads + excluded.reads, last_at = greatest(r.last_at, excluded.last_at)
"""


async def upsert_reads(statements: Statements, counts: Mapping[ReadKey, Count]) -> None:
    keys = [list(column) for column in zip(*counts, strict=True)]
    reads = [count.reads for count in counts.values()]
    await statements.count(UPSERT_READS, *keys, reads, [count.last_at for count in counts.values()])


@dataclass(frozen=True, slots=True)
class ReadsOfDay:
    """Reads of one kind on one day, in UTC."""

    day: date
    kind: int
    reads: int
    last_at: datetime


# Today and the days before it, as many as asked for.
LAST_DAYS = "day > (now() AT TIME ZONE 'UTC')::date - {days}"
SELECT_READS_BY_DAY = f"""
SELECT day, kind, sum(reads)::bigint AS reads, max(last_at) AS last_at
FROM connection_read
WHERE customer_id = $1 AND application_id = $2 AND equipment_key = 0 AND {LAST_DAYS.format(days="$3::integer")}
GROUP BY day, kind ORDER BY day, kind
"""


async def select_reads_by_day(
    statements: Statements, *, customer_id: UUID, application_id: UUID, days: int
) -> tuple[ReadsOfDay, ...]:
    rows = await statements.rows(SELECT_READS_BY_DAY, customer_id, application_id, days)
    return tuple(ReadsOfDay(**row) for row in rows)


# From connection to connection, since the reads are stored by customer.
SELECT_READS_OF_APPLICATION = f"""
SELECT r.day, r.kind, sum(r.reads)::bigint AS reads, max(r.last_at) AS last_at
FROM connection k JOIN connection_read r ON r.customer_id = k.customer_id AND r.application_id = k.application_id
WHERE k.application_id = $1 AND r.equipment_key = 0 AND {LAST_DAYS.format(days="$2::integer")}
GROUP BY r.day, r.kind ORDER BY r.day, r.kind
"""


async def select_reads_of_application(
    statements: Statements, application_id: UUID, *, days: int
) -> tuple[ReadsOfDay, ...]:
    """The same over all customers."""
    rows = await statements.rows(SELECT_READS_OF_APPLICATION, application_id, days)
    return tuple(ReadsOfDay(**row) for row in rows)
