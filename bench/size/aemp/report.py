"""The results of large fleets, as markdown and as one document."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from bench.load.machine import describe_machine
from bench.load.summary import every_round, spread, spread_of
from bench.size.aemp import ingest, rendering
from bench.size.aemp.figures import DAY, METRICS, STEP, Fleet
from bench.size.aemp.ingest import Ingest, Written
from bench.size.aemp.plans import MOST_ROWS, Explained, nodes_of
from bench.size.aemp.rendering import Rendering
from bench.size.comparison import Result
from bench.size.database import Size

_GB = 1e9
_GIB = 2**30


@dataclass(slots=True)
class Report:
    """Filled as the run goes on. size: of the readings as they were found."""

    small: Fleet
    large: Fleet
    size: Size
    shared_buffers: str
    workers: int
    pages: Sequence[Result] = ()
    plans: Sequence[Explained] = ()
    renderings: Sequence[Rendering] = ()
    ingest: Ingest | None = None

    @property
    def met(self) -> bool:
        pages, plans = all(each.met for each in self.pages), all(each.met for each in self.plans)
        rendered = all(each.met for each in self.renderings)
        return pages and plans and rendered and (self.ingest is None or self.ingest.met)

    def markdown(self) -> str:
        return "\n\n".join(self._parts()) + "\n"

    def document(self) -> dict[str, Any]:
        return {
            "machine": describe_machine(),
            "workers": self.workers,
            "shared_buffers": self.shared_buffers,
            "fleets": [{**asdict(fleet), "readings": fleet.readings} for fleet in (self.small, self.large)],
            "bytes": asdict(self.size),
            "pages": [result.document() for result in self.pages],
            "plans": [_plan_document(each) for each in self.plans],
            "rendering": [{**asdict(each), "met": each.met} for each in self.renderings],
            "ingest": self.ingest and _ingest_document(self.ingest),
        }

    def rounds(self) -> dict[str, Any]:
        """And the plans as PostgreSQL told them."""
        pages = {result.name: every_round(result.rounds) for result in self.pages}
        plans = [asdict(each) for each in self.plans]
        return {**pages, "ingest": self.ingest and asdict(self.ingest), "plans": plans}

    def _parts(self) -> Iterator[str]:
        yield f"{describe_machine()}; {self.workers} workers"
        yield f"### Fleets\n\n{self._fleets()}"
        for result in self.pages:
            yield from result.markdown()
        if self.plans:
            yield f"### Plans\n\n{_plans(self.plans)}"
        if self.renderings:
            yield f"### Rendering of 100 machines\n\n{_renderings(self.renderings)}"
        if self.ingest:
            yield f"### Ingest\n\n{_ingest(self.ingest)}"

    def _fleets(self) -> str:
        lines = ["| machines | metrics | days | readings |", "| ---: | ---: | ---: | ---: |"]
        for fleet in (self.small, self.large):
            days = fleet.told * STEP / DAY
            lines.append(f"| {fleet.machines:,} | {len(METRICS)} | {days:.1f} | {fleet.readings:,} |")
        table_bytes, index_bytes = (each / self._readings for each in (self.size.table, self.size.index))
        a_reading = table_bytes + index_bytes
        held = (
            f"A reading every {STEP.seconds // 60} minutes, both fleets in the same tables: "
            f"{(self.size.table + self.size.index) / _GB:.2f} GB. A reading takes {table_bytes:.0f} bytes of table and "
            f"{index_bytes:.0f} of index, so 10 GiB hold {10 * _GIB / a_reading / 1e6:.0f} million. "
            f"PostgreSQL keeps {self.shared_buffers} at hand."
        )
        return "\n".join([*lines, "", held])

    @property
    def _readings(self) -> int:
        return self.small.readings + self.large.readings


def _plans(plans: Sequence[Explained]) -> str:
    lines = [
        "| page | statement | found by | most rows of a step | ms |",
        "| --- | --- | --- | ---: | ---: |",
    ]
    for each in plans:
        took_ms = each.plan["Execution Time"]
        found_by = ", ".join(_indexes(each))
        lines.append(f"| {each.page} | {each.statement} | {found_by} | {each.rows} | {took_ms:.2f} |")
    faults = [f"- {each.page}, {each.statement}: {fault}" for each in plans for fault in each.faults]
    met = all(each.met for each in plans)
    verdict = (
        f"**No table read from end to end, no step with more than {MOST_ROWS} rows: {_verdict(met=met)}**"
    )
    return "\n".join([*lines, "", *faults, *([""] if faults else []), verdict])


def _indexes(each: Explained) -> list[str]:
    """Each index once, and those of partitions only where they were looked into."""
    names = [
        node["Index Name"] for node in nodes_of(each.plan) if "Index Name" in node and node["Actual Loops"]
    ]
    return list(dict.fromkeys(names))


def _renderings(renderings: Sequence[Rendering]) -> str:
    lines = ["| | readings | bytes | processor time ms |", "| --- | ---: | ---: | ---: |"]
    lines += [
        f"| {each.name} | {each.readings:,} | {each.size:,} | {each.cpu_ms:.2f} |" for each in renderings
    ]
    met = all(each.met for each in renderings)
    return "\n".join([*lines, "", f"**Below {rendering.BAR_MS:g} ms: {_verdict(met=met)}**"])


def _ingest(result: Ingest) -> str:
    lines = ["| | rows a round | rows/s | processor time a row µs |", "| --- | ---: | ---: | ---: |"]
    lines += [
        _writer("taken in: settled, put in place, latest and faults kept", result.ours),
        _writer("COPY into empty tables with the same keys", result.copied),
    ]
    return "\n".join(
        [
            *lines,
            "",
            f"{len(result.ours)} rounds of an hour of the large fleet.",
            "",
            f"**Rate, taken in / COPY: {spread(result.pairs)}, at least {ingest.BAR:.2f}: {_verdict(met=result.met)}**",
        ]
    )


def _writer(name: str, done: Sequence[Written]) -> str:
    rate, cost = median(each.rate for each in done), median(each.cost_us for each in done)
    return f"| {name} | {done[0].rows:,} | {rate:,.0f} | {cost:.1f} |"


def _ingest_document(result: Ingest) -> dict[str, Any]:
    written = {
        name: {
            "rows": done[0].rows,
            "rate": round(median(each.rate for each in done), 1),
            "cost_us": round(median(each.cost_us for each in done), 4),
        }
        for name, done in (("taken in", result.ours), ("COPY", result.copied))
    }
    judged = {"ratios": {"rate": spread_of(result.pairs)}, "bar": ingest.BAR, "met": result.met}
    return {"rounds": len(result.ours), **judged, "medians": written}


def _plan_document(each: Explained) -> dict[str, Any]:
    return {
        "page": each.page,
        "statement": each.statement,
        "found_by": _indexes(each),
        "rows": each.rows,
        "ms": each.plan["Execution Time"],
        "faults": each.faults,
    }


def _verdict(*, met: bool) -> str:
    return "met" if met else "NOT MET"
