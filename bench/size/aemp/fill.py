"""History by the million: rows like any other, in the order in which a live fleet tells them, put there by their owner."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bench.ground.database import connected
from bench.size.aemp.figures import FIGURE, METRICS, Fleet
from bench.size.progress import progressing

_WRITERS = 2

# All machines at one step: that is how they lie in the table, so that a series has a page of its own for each reading.
INSERT_STEP = f"""
INSERT INTO {{week}} (at, value, equipment_key, fleet_number, metric)
SELECT $1::timestamptz, {FIGURE}, key, $2, metric
FROM unnest($3::integer[]) WITH ORDINALITY AS machine(key, place)
CROSS JOIN unnest($4::smallint[]) AS metric CROSS JOIN (SELECT $5::bigint) AS asked(step)
CROSS JOIN LATERAL (SELECT $6::bigint + place) AS numbered(number)
"""


@dataclass(frozen=True, slots=True)
class Filling:
    """keys: of its machines, in the order of their numbers. number: what history names the fleet by."""

    fleet: Fleet
    number: int
    keys: Sequence[int]


async def fill(owner_url: str, fillings: Sequence[Filling]) -> None:
    """Every step that the fleets told, step after step and index and all: what is built afterwards lies closer than it ever will."""
    total = sum(filling.fleet.readings for filling in fillings)
    with progressing("readings", total) as advance:
        for filling in fillings:
            await asyncio.gather(
                *(_write(owner_url, filling, part, advance) for part in _parts(filling.fleet.machines))
            )
    async with connected(owner_url) as owner:
        weeks = sorted(
            {_week_of(each.fleet.at(step)) for each in fillings for step in range(each.fleet.told)}
        )
        with progressing("weeks vacuumed", len(weeks)) as advance:
            for week in weeks:
                await owner.execute(f"VACUUM (FREEZE, ANALYZE) {week}", timeout=None)
                advance(1)


async def _write(owner_url: str, filling: Filling, numbers: range, advance: Callable[[int], None]) -> None:
    """The readings of these machines."""
    keys = filling.keys[numbers.start - 1 : numbers.stop - 1]
    async with connected(owner_url) as connection:
        await connection.execute("SET synchronous_commit = off")
        for step in range(filling.fleet.told):
            at = filling.fleet.at(step)
            statement = INSERT_STEP.format(week=_week_of(at))
            arguments = (at, filling.number, keys, METRICS, step, numbers.start - 1)
            await connection.execute(statement, *arguments, timeout=None)
            advance(len(keys) * len(METRICS))


def _parts(machines: int) -> Iterator[range]:
    """Each writer's machines by number: two of them never write the same series."""
    size = -(-machines // _WRITERS)
    for start in range(1, machines + 1, size):
        yield range(start, min(start + size, machines + 1))


def _week_of(at: datetime) -> str:
    """The partition that holds a time. Its owner may write to it: row-level security stands before the table as a whole."""
    return f"reading_{at - timedelta(days=at.weekday()):%Y%m%d}"
