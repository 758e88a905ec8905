"""The three ways in which growth is measured, all of them in interleaved rounds."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace

from bench.load.rounds import Plan
from bench.size.comparison import COST, Result, compare
from bench.size.growth.contenders import Make, exchanging, introspecting
from bench.size.growth.database import Database
from bench.size.growth.footprint import Footprint, measure_footprint
from bench.size.growth.ground import TokenGround

WORKERS = (1, 2, 4)
CONNECTIONS = (10, 100, 1000)

_BAR = 1.15


_FLOWS: tuple[tuple[str, Callable[[TokenGround, Database], Make]], ...] = (
    ("code exchange", exchanging),
    ("introspect, cache off", introspecting),
)


def by_tokens(
    ground: TokenGround, databases: Sequence[Database], plan: Plan, workers: int, exchanges: int
) -> tuple[list[Result], list[Footprint]]:
    """A service on each database; the smallest comes first. exchanges: whose bytes are counted."""
    with ExitStack() as stack:
        services = [(each, stack.enter_context(ground.serving_tokens(each, workers))) for each in databases]
        results = []
        for flow, maker in _FLOWS:
            contenders = [maker(ground, each)(each.name, served) for each, served in services]
            results.append(
                compare(f"{flow}, by tokens in the tables", ground, contenders, plan, by=COST, bar=_BAR)
            )
        footprints = [
            measure_footprint(each, exchanging(ground, each)(each.name, served), ground.folder, exchanges)
            for each, served in services
        ]
    return results, footprints


def by_workers(ground: TokenGround, database: Database, plan: Plan) -> list[Result]:
    with ExitStack() as stack:
        services = [(count, stack.enter_context(ground.serving_tokens(database, count))) for count in WORKERS]
        results = []
        for flow, maker in _FLOWS:
            make = maker(ground, database)
            contenders = [make(f"{count} worker(s)", served) for count, served in services]
            results.append(compare(f"{flow}, by workers, {database.name}", ground, contenders, plan, by=COST))
    return results


def by_connections(ground: TokenGround, database: Database, plan: Plan, workers: int) -> list[Result]:
    with ground.serving_tokens(database, workers) as served:
        results = []
        for flow, maker in _FLOWS:
            make = maker(ground, database)
            contenders = [
                replace(make(f"{count} connections", served), connections=count) for count in CONNECTIONS
            ]
            results.append(
                compare(f"{flow}, by connections, {database.name}", ground, contenders, plan, by=COST)
            )
    return results
