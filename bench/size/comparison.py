"""Small beside large, in interleaved rounds: how many times more the large one takes, and whether that is too much."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from bench.load.rounds import Contender, Plan, Round, Rounds, interleave, ratios
from bench.load.summary import medians, spread, spread_of, table
from bench.size.ground import Ground

Measures = dict[str, Callable[[Round], float]]

LATENCY: Measures = {"p50": lambda done: done.p50_ms}
COST: Measures = {"processor time a request": lambda done: done.server_us}


@dataclass(frozen=True, slots=True)
class Result:
    """One table. pairs: of the last contender to the first, of neighbouring rounds, by what is compared. bar: the most."""

    name: str
    plan: Plan
    rounds: Rounds
    pairs: Mapping[str, Sequence[float]]
    bar: float | None = None

    @property
    def ratios(self) -> dict[str, float]:
        return {name: median(pairs) for name, pairs in self.pairs.items()}

    @property
    def met(self) -> bool:
        return self.bar is None or max(self.ratios.values()) <= self.bar

    def markdown(self) -> Iterator[str]:
        """Paragraphs."""
        plan = self.plan
        connections = f"{plan.connections} connections unless said otherwise"
        yield f"### {self.name}\n\n{connections}, {plan.rounds} rounds of {plan.seconds:g} s; medians"
        yield table(self.rounds)
        first, *others = self.rounds  # one alone is compared with itself
        last = others[-1] if others else first
        seen = ", ".join(f"{name} {spread(pairs)}" for name, pairs in self.pairs.items())
        verdict = "" if self.bar is None else f", at most {self.bar:.2f}: {'met' if self.met else 'NOT MET'}"
        yield f"**{last} / {first}: {seen}{verdict}**"

    def document(self) -> dict[str, Any]:
        pairs = {name: spread_of(each) for name, each in self.pairs.items()}
        judged = {"ratios": pairs, "bar": self.bar, "met": self.met}
        return {"name": self.name, "plan": asdict(self.plan), **judged, "medians": medians(self.rounds)}


def compare(
    name: str,
    ground: Ground,
    contenders: Sequence[Contender],
    plan: Plan,
    *,
    by: Measures,
    bar: float | None = None,
) -> Result:
    """The smallest contender comes first, the largest last."""
    rounds = interleave(contenders, ground.pids, plan, ground.folder)
    small, large = contenders[0].name, contenders[-1].name
    pairs = {what: ratios(rounds, large, small, measure) for what, measure in by.items()}
    return Result(name, plan, rounds, pairs, bar)
