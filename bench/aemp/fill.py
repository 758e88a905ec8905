"""History by the hundred million: rows like any other, in the order in which a live fleet tells them, put into weeks by their owner."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bench.aemp.fleets import FIGURE, METRICS, Fleet
from bench.aemp.progress import progressing
from bench.growth.database import connected

_WRITERS = 2
_WEEK = timedelta(days=7)
_KEY = "PRIMARY KEY (equipment_key, metric, at) INCLUDE (value)"

# All machines at one step: that is how they lie in the table, so that a series has a page of its own for each reading.
INSERT_STEP = f"""
INSERT INTO {{week}} (at, value, equipment_key, fleet_number, metric)
SELECT $1::timestamptz, {FIGURE}, key, $2, metric
FROM unnest($3::integer[]) WITH ORDINALITY AS machine(key, number)
CROSS JOIN unnest($4::smallint[]) AS metric CROSS JOIN (SELECT $5::bigint) AS asked(step)
"""
_SELECT_SIZES = """
SELECT sum(pg_table_size(relid))::bigint AS tables, sum(pg_indexes_size(relid))::bigint AS indexes
FROM pg_partition_tree('reading') WHERE isleaf
"""


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes of all that readings take."""

    table: int
    index: int

    def since(self, earlier: "Size") -> "Size":
        return Size(self.table - earlier.table, self.index - earlier.index)


@dataclass(frozen=True, slots=True)
class Filling:
    """keys: of its machines, in the order of their numbers. number: what history names the fleet by."""

    fleet: Fleet
    number: int
    keys: Sequence[int]


async def fill(owner_url: str, fillings: Sequence[Filling]) -> None:
    """Every step that the fleets told. The rows come first and their index afterwards: several times quicker than both."""
    fleets = [filling.fleet for filling in fillings]
    async with connected(owner_url) as owner:
        weeks = sorted({_week_of(fleet.at(step)) for fleet in fleets for step in range(fleet.told)})
        # A partition's key cannot be dropped where it is.
        async with _apart(owner, weeks):
            total = sum(fleet.readings for fleet in fleets)
            work = ((each, step) for each in fillings for step in range(each.fleet.told))
            with progressing("readings", total) as advance:
                await asyncio.gather(*(_write(owner_url, work, advance) for _ in range(_WRITERS)))
        with progressing("weeks vacuumed", len(weeks)) as advance:
            for week in weeks:
                await owner.execute(f"VACUUM (FREEZE, ANALYZE) {_name_of(week)}", timeout=None)
                advance(1)


async def read_size(owner_url: str) -> Size:
    async with connected(owner_url) as owner:
        row = await owner.fetchrow(_SELECT_SIZES)
        return Size(row["tables"], row["indexes"])


async def _write(owner_url: str, work: Iterator[tuple[Filling, int]], advance: Callable[[int], None]) -> None:
    async with connected(owner_url) as connection:
        await connection.execute("SET synchronous_commit = off")
        for filling, step in work:
            at = filling.fleet.at(step)
            statement = INSERT_STEP.format(week=_name_of(_week_of(at)))
            arguments = (at, filling.number, filling.keys, METRICS, step)
            await connection.execute(statement, *arguments, timeout=None)
            advance(len(filling.keys) * len(METRICS))


@asynccontextmanager
async def _apart(owner: Any, weeks: Sequence[datetime]) -> AsyncIterator[None]:
    await owner.execute("SET maintenance_work_mem = '1GB'")
    for week in weeks:
        name = _name_of(week)
        await owner.execute(f"ALTER TABLE reading DETACH PARTITION {name}")
        await owner.execute(f"ALTER TABLE {name} DROP CONSTRAINT {name}_pkey")
    yield
    with progressing("indexes built", len(weeks)) as advance:
        for week in weeks:
            name = _name_of(week)
            bounds = f"FROM ('{week.isoformat()}') TO ('{(week + _WEEK).isoformat()}')"
            await owner.execute(f"ALTER TABLE {name} ADD CONSTRAINT {name}_pkey {_KEY}", timeout=None)
            await owner.execute(
                f"ALTER TABLE reading ATTACH PARTITION {name} FOR VALUES {bounds}", timeout=None
            )
            advance(1)


def _week_of(at: datetime) -> datetime:
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=at.weekday())


def _name_of(week: datetime) -> str:
    return f"reading_{week:%Y%m%d}"
