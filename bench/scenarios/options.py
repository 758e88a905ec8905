"""The command line of `make bench`."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.ground import program
from bench.scenarios.catalogue import SCENARIOS, Scenario
from bench.scenarios.phases import SHAPES, most_users

_RATE = 200.0
_SHORTEST_SHAPE_S = 8.0  # locust looks at a shape once a second

_EPILOG = """
examples, each behind make bench BENCH="...":
  --scenario code_exchange introspect            two of the scenarios
  --users 50 --seconds 60                        more of it
  --scenario mix --model open --rate 300         300 tasks a second, however long answers take
  --scenario mix --model open --rate 200 --shape spike --seconds 30
                                                 threefold for a fifth of the time
  --scenario introspect --shape steps --users 40 --seconds 40
                                                 10, 20, 30 and 40 users
"""


@dataclass(frozen=True, slots=True)
class Load:
    """How each scenario is loaded. rate: tasks a second in the open model, None in the closed one."""

    users: int
    seconds: float
    warm_up_s: float
    rate: float | None
    shape: str | None

    @property
    def total_s(self) -> float:
        return self.warm_up_s + self.seconds

    @property
    def most_users(self) -> int:
        return most_users(self.shape, self.users)

    @property
    def most_rate(self) -> float | None:
        return self.rate and self.rate * self.most_users / self.users

    @property
    def model(self) -> str:
        if self.rate is None:
            return "closed: each user waits for its answer before it asks again"
        return f"open: {self.rate:g} tasks a second are due, {self.rate / self.users:g} of each user"


@dataclass(frozen=True, slots=True)
class Options:
    """p99_ms: at most, of every path but the sign-in's."""

    scenarios: Sequence[Scenario]
    load: Load
    workers: int
    machines: int
    p99_ms: float
    out: Path


def read_arguments() -> Options:
    parser = argparse.ArgumentParser(
        prog="make bench",
        description="Load a service of its own with locust, scenario after scenario, and judge what came out.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    names = {scenario.name: scenario for scenario in SCENARIOS}
    add("--scenario", nargs="+", choices=names, default=names, metavar="NAME", help=_about())
    add("--model", choices=("closed", "open"), default="closed", help="when a user asks again (closed)")
    add("--rate", type=program.positive, help=f"open model: tasks a second of all users together ({_RATE:g})")
    add("--shape", choices=("constant", *SHAPES), default="constant", help="of the load over time")
    add("--users", type=program.count, default=20, help="simulated users (20)")
    add("--seconds", type=program.positive, default=10.0, help="that each scenario is measured (10)")
    add("--warm-up", type=float, help="seconds before them (a quarter of them, at most 3)")
    add("--workers", type=program.count, default=program.WORKERS, help="processes that serve")
    add("--machines", type=program.count, default=250, help="of each customer that consents (250)")
    add("--p99", type=program.positive, default=1000.0, metavar="MS", help="at most, of every path (1000)")
    program.add_out(parser)
    options = parser.parse_args()
    if options.rate is not None and options.model == "closed":
        parser.error("--rate needs --model open")
    if options.shape != "constant" and options.seconds < _SHORTEST_SHAPE_S:
        parser.error(f"a shape needs --seconds {_SHORTEST_SHAPE_S:g} or more")
    return _options_of(options, [names[name] for name in options.scenario])


def _options_of(options: argparse.Namespace, scenarios: Sequence[Scenario]) -> Options:
    warm_up_s = min(3.0, options.seconds / 4) if options.warm_up is None else options.warm_up
    rate = (options.rate or _RATE) if options.model == "open" else None
    shape = None if options.shape == "constant" else options.shape
    return Options(
        scenarios=scenarios,
        load=Load(options.users, options.seconds, warm_up_s, rate, shape),
        workers=options.workers,
        machines=options.machines,
        p99_ms=options.p99,
        out=options.out.resolve(),
    )


def _about() -> str:
    return "; ".join(f"{scenario.name}: {scenario.about}" for scenario in SCENARIOS) + " (all in turn)"
