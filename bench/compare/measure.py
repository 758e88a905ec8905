"""The scenarios, what they ask, and the rounds in which both revisions are asked it."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle

import orjson
import uvloop

from bench.compare.sides import Running, Side, both_running
from bench.load.bursts import Asked, Crowd, Size, alternate
from bench.load.machine import Others, StorePids
from bench.load.records import form_request, get_request

# Seconds of processor time: short beside the waves of a shared machine, and long beside its own two ends.
_BURST_S = 0.025
_TOKENS = 100
_SAMPLE = (2, 100)  # bursts and requests


@dataclass(frozen=True, slots=True)
class Scenario:
    """holds: what every answer has. once: each of its requests has a code, which is good for one. bar: for the ratio."""

    about: str
    holds: bytes
    once: bool = False
    bar: float = 1.02


SCENARIOS = {
    "code_exchange": Scenario("code exchange", b'"access_token":"', once=True),
    "introspect": Scenario("introspection from memory", b'"active":true'),
    "aemp_guard": Scenario("guarded route, a fleet of no machine", b'"Equipment":[]'),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """A round of a scenario. seconds: of each service's processor time. connections: how many are busy at once."""

    seconds: float
    connections: int

    @property
    def bursts(self) -> int:
        return max(1, round(self.seconds / _BURST_S))


@dataclass(frozen=True, slots=True)
class Ready:
    """A revision, and by scenario those of its requests that may be sent again."""

    side: Side
    standing: Mapping[str, Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class Ground:
    """The working tree and the base. cores: the services'. sizes: of each scenario's rounds."""

    tree: Ready
    base: Ready
    cores: frozenset[int]
    stores: StorePids
    sizes: Mapping[str, Size]


@dataclass(frozen=True, slots=True)
class Round:
    """Microseconds of processor time a request, of each service. elsewhere: the share of the machine that others had.

    postgres_us: PostgreSQL's part of both, of a scenario that counts it.
    """

    scenario: str
    tree_us: float
    base_us: float
    elsewhere: float
    postgres_us: tuple[float, float] | None = None

    @property
    def ratio(self) -> float:
        return self.tree_us / self.base_us


def prepare(
    sides: Sequence[Side], scenarios: Sequence[str], stores: StorePids, cores: frozenset[int], plan: Plan
) -> Ground:
    """Make tokens, and ask a few requests to know how many a burst has to have."""
    with both_running(sides, cores, 0) as served:
        tree, base = (_make_ready(*each) for each in zip(sides, served, strict=True))
        sample = {name: Size(*_SAMPLE, plan.connections) for name in scenarios}
        ground = Ground(tree, base, cores, stores, sample)
        sizes = {each.scenario: _size(each.base_us, plan) for each in _ask(ground, served, 0)}
    return replace(ground, sizes=sizes)


def measure_round(ground: Ground, number: int) -> list[Round]:
    """Measure on fresh processes: where one happens to lie in memory makes a difference of one percent."""
    with both_running((ground.tree.side, ground.base.side), ground.cores, number) as served:
        return list(_ask(ground, served, number))


def _ask(ground: Ground, served: Sequence[Running], number: int) -> Iterator[Round]:
    ready = (ground.tree, ground.base)
    codes = [_codes(ground, each.side) for each in ready]
    for name, size in ground.sizes.items():
        tree, base = (_asked(*each, name) for each in zip(ready, served, codes, strict=True))
        # All that we started is below us, but for the stores, which are nobody's children.
        others = Others(os.getpid(), ground.stores)
        costs_us = uvloop.run(alternate((tree, base), size, number % 2))
        yield Round(name, *costs_us, others.share)


def _size(cost_us: float, plan: Plan) -> Size:
    return Size(plan.bursts, max(2 * plan.connections, round(_BURST_S * 1e6 / cost_us)), plan.connections)


def _codes(ground: Ground, side: Side) -> list[bytes]:
    """Let it write as many as one round spends."""
    wanted = [size.all_requests for name, size in ground.sizes.items() if SCENARIOS[name].once]
    return side.exchanges(sum(wanted)) if wanted else []


def _asked(ready: Ready, served: Running, codes: list[bytes], name: str) -> Asked:
    scenario = SCENARIOS[name]
    requests = iter(codes) if scenario.once else cycle(ready.standing[name])
    return Asked(ready.side.checkout.name, served.port, served.pids, requests, scenario.holds)


def _make_ready(side: Side, served: Running) -> Ready:
    """Make its tokens, and the requests that name them."""
    client = {name: side.account[name] for name in ("client_id", "client_secret")}
    answers = uvloop.run(_answers(side, served, side.exchanges(_TOKENS)))
    tokens = [orjson.loads(body)["access_token"] for body in answers]
    asking = [form_request("/app/oauth2/introspect", {**client, "token": each}) for each in tokens]
    own = replace(side.service, port=served.port).client_token(**client)
    fleet = get_request("/api/v2/Fleet/1", bearer=own, accept="application/json")
    return Ready(side, {"introspect": asking, "aemp_guard": [fleet]})


async def _answers(side: Side, served: Running, requests: Sequence[bytes]) -> list[bytes]:
    crowd = Crowd(side.checkout.name)
    await crowd.open(served.port, 4)
    try:
        return await crowd.ask(requests)
    finally:
        crowd.close()
