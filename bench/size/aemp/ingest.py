"""Writing what a fleet tells, beside a plain COPY of the same rows into empty tables with the same keys."""

import gc
import io
import os
import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median

from app.aemp.address.paging import PAGE_SIZE
from app.aemp.address.ranges import Range
from app.aemp.history.history import History
from app.aemp.model.identifiers import sought_by
from app.context import Context
from app.flows.fleet.last_24 import refresh_last_24
from app.flows.fleet.load_history import load_history
from app.flows.fleet.read_fleet import read_equipment
from app.flows.fleet.read_series import read_series
from app.flows.fleet.write_history import prepare_history
from app.storage.fleet.view import FleetView
from bench.ground.database import connected
from bench.load.check import CheckError
from bench.load.machine import ProcessorTime, read_processor_time
from bench.load.rounds import RoundError
from bench.size.aemp.accounts import keep_told, keys_of
from bench.size.aemp.figures import HOUR, METRICS, SERIES_OF, STEP, Fleet, figure, pin_of, tell
from bench.size.aemp.ground import FleetGround
from bench.size.progress import progressing

BAR = 0.40
STEPS = HOUR // STEP  # of the whole fleet, in a round

_CHECKED = 50  # machines, after a round

_CREATE_EMPTY = """
DROP TABLE IF EXISTS bench_reading, bench_fault;
CREATE TABLE bench_reading (LIKE reading INCLUDING INDEXES);
CREATE TABLE bench_fault (LIKE fault INCLUDING INDEXES);
"""
_TABLES = {
    "bench_reading": ("at", "value", "equipment_key", "fleet_number", "metric"),
    "bench_fault": (
        *("at", "equipment_key", "fleet_number", "kind"),
        *("code_identifier", "code_description", "code_severity", "code_source"),
    ),
}


@dataclass(frozen=True, slots=True)
class Written:
    """One contender's result in one round. Processor time is of the client and of PostgreSQL, together."""

    rows: int
    seconds: float
    processor_s: float

    @property
    def rate(self) -> float:
        return self.rows / self.seconds

    @property
    def cost_us(self) -> float:
        return self.processor_s / self.rows * 1e6


@dataclass(frozen=True, slots=True)
class Ingest:
    """The same hours, by either."""

    ours: Sequence[Written]
    copied: Sequence[Written]

    @property
    def pairs(self) -> list[float]:
        """The ratios of neighbours in time."""
        same = [ours.rate / copied.rate for ours, copied in zip(self.ours, self.copied, strict=True)]
        later = [
            ours.rate / copied.rate
            for (ours, _), (_, copied) in zip(pairwise(self.ours), pairwise(self.copied), strict=True)
        ]
        return same + later

    @property
    def ratio(self) -> float:
        return median(self.pairs)

    @property
    def met(self) -> bool:
        return self.ratio >= BAR


async def measure_ingest(ground: FleetGround, rounds: int) -> Ingest:
    """Hour after hour of the large fleet, latest readings and faults included. Each is copied first, then taken in."""
    fleet = ground.large
    _require_room(fleet, rounds)
    ours, copied = [], []
    with progressing("hours taken in", rounds) as advance:
        for number in range(rounds):
            hour = range(fleet.told + number * STEPS, fleet.told + (number + 1) * STEPS)
            async with ground.context() as context:
                told = _all_told(fleet, await keys_of(context, fleet), hour)
                copied.append(await _copy(ground, told))
                ours.append(await _take_in(ground, context, told))
                await _check(context, fleet, hour)
            await keep_told(ground.owner_url, ground.accounts, hour.stop)
            advance(1)
    async with ground.context() as context:
        await refresh_last_24(context)  # else the service would, when it is measured next
    return Ingest(ours, copied)


def _require_room(fleet: Fleet, rounds: int) -> None:
    if fleet.at(fleet.told + rounds * STEPS) > datetime.now(UTC):
        raise RoundError(
            f"the large fleet has told all until {fleet.at(fleet.told):%H:%M} UTC: ask for fewer"
        )


def _all_told(fleet: Fleet, keys: Sequence[int], hour: range) -> list[tuple[int, History]]:
    return [(key, tell(fleet, number, hour)) for number, key in enumerate(keys, start=1)]


async def _copy(ground: FleetGround, told: Sequence[tuple[int, History]]) -> Written:
    """Copy text that is ready, so that only PostgreSQL is waited for."""
    async with connected(ground.owner_url) as connection:
        await connection.execute(_CREATE_EMPTY)
        texts = {"bench_reading": _text(_reading_rows(told)), "bench_fault": _text(_fault_rows(told))}
        began, used = time.monotonic(), _used(ground)
        tags = [
            await connection.copy_to_table(table, source=io.BytesIO(text), columns=_TABLES[table])
            for table, text in texts.items()
        ]
        took_s, spent = time.monotonic() - began, _used(ground).since(used)
        rows = sum(int(tag.rpartition(" ")[2]) for tag in tags)
        await connection.execute("DROP TABLE bench_reading, bench_fault")
    return Written(rows, took_s, spent.service_s + spent.postgres_s)


async def _take_in(ground: FleetGround, context: Context, told: Sequence[tuple[int, History]]) -> Written:
    fleet = ground.large
    rows = sum(len(history.figures) + len(history.faults) for _, history in told)
    gc.collect()
    gc.freeze()  # what is still to be told would not be there in a service
    began, used = time.monotonic(), _used(ground)
    kept = await prepare_history(context, (at for at, _, _ in told[0][1].figures))
    stored = await load_history(context, fleet.customer_id, told, kept)
    took_s, spent = time.monotonic() - began, _used(ground).since(used)
    gc.unfreeze()
    if stored != rows:
        raise CheckError(f"of {rows:,} rows that were told {stored:,} were stored")
    return Written(rows, took_s, spent.service_s + spent.postgres_s)


async def _check(context: Context, fleet: Fleet, hour: range) -> None:
    """The hour stands in the series of machines from all over the fleet, and its end is the newest that is known."""
    within = Range(fleet.at(hour.start), fleet.at(hour.stop - 1))
    for number in random.sample(range(1, fleet.machines + 1), min(_CHECKED, fleet.machines)):
        sought = sought_by(pin_of(fleet.name, number))
        for metric in METRICS:
            series = SERIES_OF[metric]
            found = await read_series(
                context, FleetView(fleet.customer_id), sought, series=series, within=within, page=1
            )
            seen = [
                *zip(
                    *(found.readings[name] for name in (series.element.at_column, series.value.column)),
                    strict=True,
                )
            ]
            if (
                seen
                != [(fleet.at(step).timestamp(), figure(number, metric, step)) for step in hour][:PAGE_SIZE]
            ):
                raise CheckError(f"machine {number}, {series.name}: not what it told, but {seen}")
        machine = await read_equipment(context, FleetView(fleet.customer_id), sought)
        newest = machine.equipment.cumulative_operating_hours
        if newest is None or newest.at != within.end_at:
            raise CheckError(f"machine {number}: its newest reading is {newest}")


def _reading_rows(told: Sequence[tuple[int, History]]) -> Iterable[tuple[object, ...]]:
    for key, history in told:
        for at, metric, value in history.figures:
            yield at, value, key, 1, int(metric)


def _fault_rows(told: Sequence[tuple[int, History]]) -> Iterable[tuple[object, ...]]:
    for key, history in told:
        for at, kind, code in history.faults:
            yield at, key, 1, kind, code.identifier, code.description, code.severity, ""


def _text(rows: Iterable[tuple[object, ...]]) -> bytes:
    return "".join("\t".join(map(str, row)) + "\n" for row in rows).encode()


def _used(ground: FleetGround) -> ProcessorTime:
    """service_s: of this process, which is the client."""
    return read_processor_time(os.getpid(), ground.pids)
