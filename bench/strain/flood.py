"""The effect of a flood: rounds in which every second request has a forged token, and rounds of honest ones, take turns.

Both offer the same number of requests a second, so whoever forges should cost the honest no more than one of them does.
In rounds of a third kind the honest half is alone. What the flood takes beyond it is the price of the forged requests.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from bench.ground.token_path import Ground, serving
from bench.load.check import CheckError
from bench.load.machine import read_processor_time
from bench.load.rounds import (
    DISTURBED,
    Contender,
    Plan,
    Round,
    attempts,
    count_needed,
    generate_apart,
    interleave,
    middle,
    ratios,
    round_of,
    tell,
    wait_until_quiet,
)
from bench.strain.askers import Askers, asking_fleet, asking_introspection

ALONE, FLOODED, HALF = "all honest", "every second one forged", "half as many honest"
BAR, COST_BAR = 1.5, 1.0

_PEAK_ROUNDS = 3
_MOST_UNSENT = 0.01
_TURNED_AWAY = frozenset({"429", "503"})
# From another address, and as if from another machine: a forger's processor is not taken from the honest.
_ELSEWHERE = ("--source", "127.0.0.2", "--seed", "1", "--stand-back")

# By the names to choose them by: whether tokens are remembered, and who asks.
_SCENARIOS = {
    "introspect": (False, partial(asking_introspection, name="forged tokens, introspection, cache off")),
    "cached": (True, partial(asking_introspection, name="forged tokens, introspection, cache on")),
    "guard": (True, partial(asking_fleet, name="forged tokens, AEMP")),
}


@dataclass(slots=True)
class Flood:
    """Filled round by round.

    peak: honest requests a second in the closed model. rate: a second, of the honest beside the forger and of the
    forger; the honest alone offer twice that. honest, forged: answers by status; later: of the forged, those that said
    when to come again. unread: forged ones that were due, and found no connection that the service read from. faults:
    what was answered wrongly or not at all, and what was turned away without a time to come again.
    """

    name: str
    peak: float
    plan: Plan
    rate: float
    rounds: Mapping[str, list[Round]] = field(default_factory=lambda: {ALONE: [], FLOODED: [], HALF: []})
    honest: dict[str, int] = field(default_factory=dict)
    forged: dict[str, int] = field(default_factory=dict)
    later: dict[str, int] = field(default_factory=dict)
    unread: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def pairs(self) -> Sequence[float]:
        return ratios(self.rounds, FLOODED, ALONE, lambda each: each.p99_ms)

    @property
    def ratio(self) -> float:
        return median(self.pairs)

    @property
    def costs(self) -> Sequence[float]:
        """Processor time of a forged request that was due, whether it was read or not / of an honest one, round by round."""
        return [
            (flooded.server_us - half.server_us) / alone.server_us
            for alone, flooded, half in zip(
                *(self.rounds[name] for name in (ALONE, FLOODED, HALF)), strict=True
            )
        ]

    @property
    def cost(self) -> float:
        return median(self.costs)

    @property
    def met(self) -> bool:
        return self.ratio <= BAR and self.cost <= COST_BAR and not self.faults


def measure_floods(ground: Ground, wanted: frozenset[str], share: float) -> Iterator[Flood]:
    """share: of the peak, that the honest offer, and the forger as much again; alone they offer both."""
    for scenario, (cache, ask) in _SCENARIOS.items():
        if scenario in wanted:
            with serving(ground, cache=cache) as (url, pid):
                yield _measure(ask(ground, url, pid), ground, share)


def _measure(askers: Askers, ground: Ground, share: float) -> Flood:
    peaks = replace(ground.plan, rounds=min(_PEAK_ROUNDS, ground.plan.rounds))
    rounds = interleave([askers.honest], ground.pids, peaks, ground.folder)
    peak = middle(rounds[askers.honest.name], lambda each: each.rate)
    flood = Flood(askers.name, peak, ground.plan, round(peak * share, 1))
    _load(flood, askers, ground, FLOODED)  # not compared: from here on the forger is known
    for attempt in attempts(flood.plan.rounds):
        number = len(flood.rounds[ALONE]) + 1
        kinds = {name: _load(flood, askers, ground, name) for name in flood.rounds}
        if attempt.keep():
            flood.faults += [DISTURBED] * attempt.disturbed
            for name, done in kinds.items():
                flood.rounds[name].append(done)
                tell(f"{askers.name}, round {number} of {flood.plan.rounds}, {name}", done)
    return flood


def _load(flood: Flood, askers: Askers, ground: Ground, kind: str) -> Round:
    """One round; what was answered in it goes into `flood`."""
    plan = replace(flood.plan, rate=2 * flood.rate if kind == ALONE else flood.rate)
    loads = [_prepare(askers.honest, plan, ground)]
    loads += [_prepare(askers.forger, plan, ground, *_ELSEWHERE)] if kind == FLOODED else []
    pid = askers.honest.pid
    wait_until_quiet(pid, ground.pids)
    before, began = read_processor_time(pid, ground.pids), time.monotonic()
    with ThreadPoolExecutor(len(loads)) as pool:
        outcomes = [running.result() for running in [pool.submit(load) for load in loads]]
    used, took_s = read_processor_time(pid, ground.pids).since(before), time.monotonic() - began
    for who, asker, outcome in zip(
        ("honest", "forger"), (askers.honest, askers.forger), outcomes, strict=False
    ):
        flood.faults += [f"{who}: {fault}" for fault in _faults(asker, outcome, ground)]
    if outcomes[0]["unsent"] > _MOST_UNSENT * outcomes[0]["requests"]:
        flood.faults.append(f"honest: {outcomes[0]['unsent']} requests were due and could not be sent")
    _add(flood.honest, outcomes[0]["statuses"])
    for outcome in outcomes[1:]:
        _add(flood.forged, outcome["statuses"])
        _add(flood.later, outcome["later"])
        flood.unread += outcome["unsent"]
    return round_of(outcomes[0], used, took_s)


def _prepare(asker: Contender, plan: Plan, ground: Ground, *options: str) -> Callable[[], Mapping[str, Any]]:
    requests, answers = _files(asker, ground)
    asker.write_requests(requests, count_needed(asker, plan, plan.rate or 0.0))
    return partial(generate_apart, asker, plan, requests, answers, *options)


def _faults(asker: Contender, outcome: Mapping[str, Any], ground: Ground) -> Iterator[str]:
    for reason, count in outcome["errors"].items():
        yield f"{count} requests were not answered: {reason}"
    for status in _TURNED_AWAY & outcome["statuses"].keys():
        if silent := outcome["statuses"][status] - outcome["later"].get(status, 0):
            yield f"{silent} answers {status} without Retry-After"
    if asker.check is not None:
        try:
            asker.check(*_files(asker, ground))
        except CheckError as error:
            yield f"{error}"


def _add(counts: dict[str, int], more: Mapping[str, int]) -> None:
    for status, count in more.items():
        counts[status] = counts.get(status, 0) + count


def _files(asker: Contender, ground: Ground) -> tuple[Path, Path]:
    """The files of requests, and of the answers to them."""
    return ground.folder / f"{asker.name}.requests", ground.folder / f"{asker.name}.answers"
