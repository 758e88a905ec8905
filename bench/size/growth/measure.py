"""The three ways in which growth is measured, all of them in interleaved rounds."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from statistics import median

from bench.load.rounds import Contender, Plan, Round, Rounds, interleave, ratios
from bench.size.database import Database
from bench.size.growth.contenders import Make, exchanging, introspecting
from bench.size.growth.footprint import Footprint, measure_footprint
from bench.size.growth.ground import Ground

WORKERS = (1, 2, 4)
CONNECTIONS = (10, 100, 1000)

_BAR = 1.15


@dataclass(frozen=True, slots=True)
class Result:
    """One table. pairs: processor time a request of the last contender to that of the first, of neighbouring rounds."""

    name: str
    plan: Plan
    rounds: Rounds
    pairs: Sequence[float]
    bar: float | None = None

    @property
    def ratio(self) -> float:
        return median(self.pairs)

    @property
    def met(self) -> bool:
        return self.bar is None or self.ratio <= self.bar


_FLOWS: tuple[tuple[str, Callable[[Ground, Database], Make]], ...] = (
    ("code exchange", exchanging),
    ("introspect, cache off", introspecting),
)


def by_tokens(
    ground: Ground, databases: Sequence[Database], plan: Plan, workers: int, exchanges: int
) -> tuple[list[Result], list[Footprint]]:
    """A service on each database; the smallest comes first. exchanges: whose bytes are counted."""
    with ExitStack() as stack:
        services = [(each, stack.enter_context(ground.serving(each, workers))) for each in databases]
        results = []
        for flow, maker in _FLOWS:
            contenders = [maker(ground, each)(each.name, served) for each, served in services]
            results.append(_compare(f"{flow}, by tokens in the tables", ground, contenders, plan, _BAR))
        footprints = [
            measure_footprint(each, exchanging(ground, each)(each.name, served), ground.folder, exchanges)
            for each, served in services
        ]
    return results, footprints


def by_workers(ground: Ground, database: Database, plan: Plan) -> list[Result]:
    with ExitStack() as stack:
        services = [(count, stack.enter_context(ground.serving(database, count))) for count in WORKERS]
        results = []
        for flow, maker in _FLOWS:
            make = maker(ground, database)
            contenders = [make(f"{count} worker(s)", served) for count, served in services]
            results.append(_compare(f"{flow}, by workers, {database.name}", ground, contenders, plan))
    return results


def by_connections(ground: Ground, database: Database, plan: Plan, workers: int) -> list[Result]:
    with ground.serving(database, workers) as served:
        results = []
        for flow, maker in _FLOWS:
            make = maker(ground, database)
            contenders = [
                replace(make(f"{count} connections", served), connections=count) for count in CONNECTIONS
            ]
            results.append(_compare(f"{flow}, by connections, {database.name}", ground, contenders, plan))
    return results


def _compare(
    name: str, ground: Ground, contenders: Sequence[Contender], plan: Plan, bar: float | None = None
) -> Result:
    rounds = interleave(contenders, ground.pids, plan, ground.folder)
    pairs = ratios(rounds, contenders[-1].name, contenders[0].name, _server_us)
    return Result(name, plan, rounds, pairs, bar)


def _server_us(done: Round) -> float:
    return done.server_us
