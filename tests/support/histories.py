"""Readings over time, written straight into the tables as the role that ingests, over those there."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.context import Context
from app.storage.postgres.database import Transaction

_OF = "FROM equipment e JOIN fleet f ON f.customer_id = e.customer_id WHERE e.customer_id = $1 AND e.pin = $2"
INSERT_READINGS = f"""
INSERT INTO reading (at, value, equipment_key, fleet_number, metric)
SELECT given.at, given.value, named.key, named.number, $3
FROM unnest($4::timestamptz[], $5::float8[]) AS given(at, value), (SELECT e.key, f.number {_OF}) AS named
ON CONFLICT (equipment_key, metric, at) DO UPDATE SET value = excluded.value
"""
INSERT_POSITION = f"""
INSERT INTO position (at, latitude, longitude, altitude_m, equipment_key, fleet_number) SELECT $3, $4, $5, $6, e.key, f.number {_OF}
ON CONFLICT DO NOTHING
"""
INSERT_FAULT = f"""
INSERT INTO fault (at, equipment_key, fleet_number, kind, code_identifier, code_description)
SELECT $3, e.key, f.number, $4, $5, $6 {_OF}
"""


@dataclass(frozen=True, slots=True)
class History:
    """The history of one customer's machine.

    A reading, a position or a fault is written only while the customer has a machine of this PIN.
    """

    ingest: Transaction
    customer_id: UUID
    pin: str

    async def owned_since(self, at: datetime) -> None:
        """All machines of the customer are theirs from then on, and the partitions of that moment are made."""
        owned = "UPDATE equipment_ownership SET during = tstzrange($2, NULL) WHERE customer_id = $1"
        await self.ingest.count(owned, self.customer_id, at)
        await self.ingest.row("SELECT create_partitions_of(ARRAY[$1::timestamptz])", at)

    async def read(self, metric: int, readings: Sequence[tuple[datetime, float]]) -> None:
        """metric: the number that the table has for it. A figure that stands for the same moment is overwritten."""
        times, values = [at for at, _ in readings], [value for _, value in readings]
        await self.ingest.count(INSERT_READINGS, self.customer_id, self.pin, metric, times, values)

    async def stood(self, at: datetime, latitude: float, longitude: float, altitude_m: float | None) -> None:
        """latitude and longitude are in degrees. A position that stands for that moment is left as it is."""
        place = (latitude, longitude, altitude_m)
        await self.ingest.count(INSERT_POSITION, self.customer_id, self.pin, at, *place)

    async def failed(self, at: datetime, kind: int, identifier: str, description: str) -> None:
        named = (kind, identifier, description)
        await self.ingest.count(INSERT_FAULT, self.customer_id, self.pin, at, *named)


@asynccontextmanager
async def history_of(context: Context, customer_id: UUID, pin: str) -> AsyncIterator[History]:
    """One transaction under the role that ingests, which is committed when the block ends."""
    async with context.database.transaction() as ingest:
        await ingest.count("SET LOCAL ROLE rovitracker_ingest")
        yield History(ingest, customer_id, pin)
