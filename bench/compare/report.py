"""The comparison as markdown and as one document."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from bench.compare.interval import Interval, interval_of
from bench.compare.measure import SCENARIOS, Round
from bench.compare.pages import PAGES
from bench.load.bursts import Size

_ABOUT = {name: each.about for name, each in SCENARIOS.items()} | {
    name: each.about for name, each in PAGES.items()
}


@dataclass(frozen=True, slots=True)
class Result:
    """One scenario's rounds. bar: up to where the interval of the ratio may reach."""

    scenario: str
    size: Size
    rounds: Sequence[Round]
    bar: float

    @property
    def interval(self) -> Interval:
        return interval_of([each.ratio for each in self.rounds])

    @property
    def medians_us(self) -> tuple[float, float]:
        """Working tree and base."""
        return median(each.tree_us for each in self.rounds), median(each.base_us for each in self.rounds)

    @property
    def postgres_us(self) -> tuple[float, float] | None:
        """Medians of PostgreSQL's part of both; None where the scenario does not count it."""
        parts = [each.postgres_us for each in self.rounds if each.postgres_us]
        return (median(tree for tree, _ in parts), median(base for _, base in parts)) if parts else None

    @property
    def met(self) -> bool:
        return self.interval.high <= self.bar


@dataclass(frozen=True, slots=True)
class Report:
    """All that was measured, and what it was measured on."""

    machine: str
    interpreter: str
    pinned: str
    tree: str
    base: str
    results: Sequence[Result]

    @property
    def met(self) -> bool:
        return all(each.met for each in self.results)

    def markdown(self) -> str:
        rounds, bursts = self.results[0].rounds, self.results[0].size.bursts
        connections = " or ".join(dict.fromkeys(f"{each.size.connections}" for each in self.results))
        elsewhere = median(each.elsewhere for result in self.results for each in result.rounds)
        about = (
            f"{len(rounds)} rounds, each of fresh processes that are asked {bursts} bursts in turn over "
            f"{connections} connections; {self.pinned}. Others had {elsewhere:.0%} of the machine."
        )
        estimate = (
            "Processor time a request of the service; of a page, with PostgreSQL's, which stands in brackets. Ratio: Hodges-Lehmann estimate of the rounds' ratios, and "
            "Wilcoxon's signed-rank interval, both on logarithms; no round is left out."
        )
        heads = [
            "| | working tree µs | base µs | ratio (95 % interval) | at most | |",
            "| --- | ---: | ---: | ---: | ---: | --- |",
        ]
        parts = [
            self.machine,
            f"Both on {self.interpreter}",
            f"### {self.tree} / {self.base}",
            about,
            estimate,
        ]
        rows = [row_of(_document(each)) for each in self.results]
        return "\n\n".join([*parts, "\n".join([*heads, *rows])]) + "\n"

    def document(self) -> dict[str, Any]:
        return {**asdict(self), "results": [_document(each) for each in self.results], "met": self.met}

    def rounds(self) -> dict[str, Any]:
        return {each.scenario: [asdict(done) for done in each.rounds] for each in self.results}


def row_of(kept: Mapping[str, Any]) -> str:
    """A line of the table, from what is kept of a result."""
    interval = Interval(kept["ratio"], kept["low"], kept["high"])
    verdict = "met" if kept["met"] else "NOT MET"
    parts = kept.get("postgres_us") or (None, None)
    tree, base = map(_cell, (kept["tree_us"], kept["base_us"]), parts)
    about = _ABOUT[kept["scenario"]]
    return f"| {about} | {tree} | {base} | {interval} | {kept['bar']:g} | {verdict} |"


def _cell(cost_us: float, postgres_us: float | None) -> str:
    return f"{cost_us:.1f}" if postgres_us is None else f"{cost_us:.1f} ({postgres_us:.1f})"


def _document(result: Result) -> dict[str, Any]:
    tree, base = result.medians_us
    medians: dict[str, Any] = {"tree_us": round(tree, 2), "base_us": round(base, 2)}
    if result.postgres_us:
        medians["postgres_us"] = [round(each, 2) for each in result.postgres_us]
    judged = {**asdict(result.interval), "bar": result.bar, "met": result.met}
    return {"scenario": result.scenario, "size": asdict(result.size), **medians, **judged}
