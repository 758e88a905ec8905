"""Machines that report while their pages are read: each tells its hours once more, a second later."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from bench.ground.database import connected
from bench.load.rounds import RoundError

MACHINES = 100  # of each fleet, which are one page

REPORT = """
UPDATE equipment_latest l SET cumulative_operating_hours = l.cumulative_operating_hours + 0.01,
                              cumulative_operating_hours_at = l.cumulative_operating_hours_at + interval '1 second'
FROM equipment e WHERE e.key = l.equipment_key AND e.customer_id = ANY($1::uuid[]) AND e.position % 10 < $2
"""


@dataclass(frozen=True, slots=True)
class Reporter:
    """Whoever writes the readings of these customers' fleets."""

    writer: Any
    customer_ids: Sequence[UUID]

    async def report(self, machines: int) -> None:
        """Let so many machines of ten report. Raises RoundError when others do."""
        reported = await self.writer.execute(REPORT, self.customer_ids, machines)
        if reported != f"UPDATE {machines * MACHINES // 10 * len(self.customer_ids)}":
            raise RoundError(f"other machines report than are meant to: {reported}")


@asynccontextmanager
async def reporting(database_url: str, customer_ids: Sequence[UUID]) -> AsyncIterator[Reporter]:
    """Connect as the ingest role, which alone may write readings."""
    async with connected(database_url) as writer:
        await writer.execute("SET ROLE rovitracker_ingest")
        yield Reporter(writer, customer_ids)
