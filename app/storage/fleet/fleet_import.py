"""Writing machines: the one place that takes the ingest role, in a transaction that writes a whole document or nothing."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import orjson

from app.aemp.model.columns import HEADER_COLUMNS
from app.aemp.model.values import EquipmentHeader
from app.storage.postgres.database import Database, Transaction

_HEADER = [name for name, _ in HEADER_COLUMNS]


@asynccontextmanager
async def ingest(database: Database) -> AsyncIterator[Transaction]:
    """A transaction that may write any customer's machines."""
    async with database.transaction() as transaction:
        await transaction.count("SET LOCAL ROLE rovitracker_ingest")
        yield transaction


LOCK_FLEET = """
INSERT INTO fleet AS f (customer_id) VALUES ($1)
ON CONFLICT (customer_id) DO UPDATE SET machine_count = f.machine_count
RETURNING machine_count
"""


async def lock_fleet(transaction: Transaction, customer_id: UUID) -> int:
    """Let nobody else give positions in this fleet until the transaction ends; return how many machines there are."""
    row = await transaction.row(LOCK_FLEET, customer_id)
    return int(row["machine_count"]) if row else 0


SELECT_HEADERS = f"SELECT key, {', '.join(_HEADER)} FROM equipment WHERE customer_id = $1"


async def select_headers(transaction: Transaction, customer_id: UUID) -> dict[int, EquipmentHeader]:
    rows = await transaction.rows(SELECT_HEADERS, customer_id)
    return {row["key"]: EquipmentHeader(**{name: row[name] for name in _HEADER}) for row in rows}


INSERT_EQUIPMENT = f"""
WITH added AS (
    INSERT INTO equipment (customer_id, position, joined, {", ".join(_HEADER)})
    SELECT $1, row.position, f.joined + row.position - f.machine_count, {", ".join(f"row.{name}" for name in _HEADER)}
    FROM jsonb_to_recordset($2::jsonb) AS row(position integer, {", ".join(f"{n} {t}" for n, t in HEADER_COLUMNS)})
    JOIN fleet f ON f.customer_id = $1
    ORDER BY row.position
    RETURNING key, position
), owned AS (
    INSERT INTO equipment_ownership (equipment_key, customer_id, during)
    SELECT key, $1, tstzrange(NULL, NULL) FROM added
), counted AS (
    UPDATE fleet SET machine_count = machine_count + new, joined = joined + new
    FROM (SELECT count(*) AS new FROM added) WHERE customer_id = $1
)
SELECT key, position FROM added
"""


async def insert_equipment(
    transaction: Transaction, customer_id: UUID, by_position: Mapping[int, EquipmentHeader]
) -> dict[int, int]:
    """Add machines at these positions, and return their keys by position."""
    records = [{"position": position, **_header(header)} for position, header in by_position.items()]
    rows = await transaction.rows(INSERT_EQUIPMENT, customer_id, _json(records))
    return {row["position"]: row["key"] for row in rows}


# What a document leaves out stays known: coalesce keeps it. A row that is as it was is not written: the fleet's pages
# would count as changed.
UPDATE_HEADERS = f"""
UPDATE equipment e SET {", ".join(f"{name} = coalesce(row.{name}, e.{name})" for name in _HEADER)}
FROM jsonb_to_recordset($1::jsonb) AS row(key bigint, {", ".join(f"{n} {t}" for n, t in HEADER_COLUMNS)})
WHERE e.key = row.key AND ({", ".join(f"e.{name}" for name in _HEADER)})
    IS DISTINCT FROM ({", ".join(f"coalesce(row.{name}, e.{name})" for name in _HEADER)})
"""


async def update_headers(transaction: Transaction, headers: Mapping[int, EquipmentHeader]) -> None:
    await transaction.count(
        UPDATE_HEADERS, _json([{"key": key, **_header(header)} for key, header in headers.items()])
    )


INSERT_IDENTIFIERS = """
INSERT INTO equipment_identifier (customer_id, value, kind, equipment_key)
SELECT $1, value, kind, key FROM unnest($2::text[], $3::smallint[], $4::bigint[]) AS row(value, kind, key)
ON CONFLICT DO NOTHING
"""


async def insert_identifiers(
    transaction: Transaction, customer_id: UUID, identifiers: Sequence[tuple[str, int, int]]
) -> None:
    """identifiers: (normalised value, kind, equipment key)."""
    values, kinds, keys = zip(*identifiers, strict=True) if identifiers else ((), (), ())
    await transaction.count(INSERT_IDENTIFIERS, customer_id, values, kinds, keys)


def _header(header: EquipmentHeader) -> dict[str, object]:
    return {name: getattr(header, name) for name in _HEADER}


def _json(records: Sequence[Mapping[str, object]]) -> str:
    return orjson.dumps(records).decode()
