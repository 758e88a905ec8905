"""Contenders measured in turn, round after round on the same stores: a machine's speed wanders, neighbours in time share it."""

import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from bench.load.machine import Host, ProcessorTime, StorePids, cores, read_processor_time
from bench.load.models import RAMP_S

_SPARE_S = 60.0  # the generator's own start, reading its requests, and its last answers
_CALIBRATION_S = 1.5
_FIRST_GUESS = 4000  # requests a second
_LEAST_GUESS = (
    1000  # one that was slow while others had the machine may be several times as fast in the next round
)
_HEADROOM = 1.4
_QUIET_S = 0.25
_QUIET_SHARE = 0.08  # of one core
_LONGEST_NOISE_S = 30.0
_MOST_TAKEN = 0.01  # of the processors, by the host
_MOST_ATTEMPTS = 5  # for each round

Check = Callable[[Path, Path], object]


class RoundError(Exception):
    """Why a round is worth nothing."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A contender that is measured.

    pid: its main process. write_requests: puts so many requests into a file. once: none of them may be sent twice.
    check: is given the files of requests and answers after each round, and raises when an answer was wrong.
    connections: other than the plan's. status: of every right answer; None: the check knows which are right.
    """

    name: str
    url: str
    pid: int
    write_requests: Callable[[Path, int], None]
    once: bool = False
    check: Check | None = None
    connections: int | None = None
    status: int | None = 200


@dataclass(frozen=True, slots=True)
class Plan:
    """How it is measured. rate: offered, in the open model with Poisson arrivals; None: the closed model."""

    rounds: int
    seconds: float
    warm_up_s: float
    connections: int
    rate: float | None = None

    @property
    def total_s(self) -> float:
        return self.seconds + self.warm_up_s


@dataclass(frozen=True, slots=True)
class Round:
    """One contender's result in one round. Processor time is in microseconds a request.

    elsewhere: share of the machine's processor time that went to what is none of the run's; it tells how far to trust it.
    """

    rate: float
    p50_ms: float
    p99_ms: float
    requests: int
    unsent: int
    service_us: float
    postgres_us: float
    valkey_us: float
    generator_us: float
    elsewhere: float
    ended: str

    @property
    def server_us(self) -> float:
        return self.service_us + self.postgres_us + self.valkey_us


Rounds = Mapping[str, Sequence[Round]]


def interleave(contenders: Sequence[Contender], stores: StorePids, plan: Plan, folder: Path) -> Rounds:
    """Every contender once a round, in the same order: A B A B. What comes before the first round is discarded."""
    fastest = {contender.name: _calibrate(contender, stores, plan, folder) for contender in contenders}
    rounds: dict[str, list[Round]] = {contender.name: [] for contender in contenders}
    for number in range(plan.rounds):
        for contender in contenders:
            rate = plan.rate or max(fastest[contender.name] * _HEADROOM, _LEAST_GUESS)
            done = _measure(contender, stores, plan, folder, count_needed(contender, plan, rate))
            fastest[contender.name] = max(fastest[contender.name], done.rate)
            rounds[contender.name].append(done)
            tell(f"round {number + 1} of {plan.rounds}, {contender.name}", done)
    return rounds


def ratios(rounds: Rounds, one: str, other: str, measure: Callable[[Round], float]) -> list[float]:
    """Ratios of neighbours in time: each round of the one against the other's of that round, and against the one before."""
    ours, theirs = ([measure(each) for each in rounds[name]] for name in (one, other))
    same = [mine / its for mine, its in zip(ours, theirs, strict=True)]
    earlier = [mine / its for (_, mine), (its, _) in zip(pairwise(ours), pairwise(theirs), strict=True)]
    return same + earlier


def middle(rounds: Sequence[Round], measure: Callable[[Round], float]) -> float:
    return median(measure(each) for each in rounds)


def _calibrate(contender: Contender, stores: StorePids, plan: Plan, folder: Path) -> float:
    """A first round that is not counted: it warms what must be warm, and tells how many requests a round needs."""
    plan = Plan(1, min(_CALIBRATION_S, plan.total_s), 0.0, plan.connections, plan.rate)
    count = count_needed(contender, plan, plan.rate or _FIRST_GUESS)
    done = _measure(contender, stores, plan, folder, count)
    tell(f"warm-up, {contender.name}", done)
    return done.rate


def count_needed(contender: Contender, plan: Plan, rate: float) -> int:
    """How many requests a round may need, those under way while its connections are made among them."""
    ramp_s = RAMP_S * (contender.connections or plan.connections) if plan.rate is None else 0.0
    connections = contender.connections or plan.connections
    # One that answered nothing within the warm-up is slow, not dead.
    return max(math.ceil(rate * (plan.total_s + ramp_s) * 1.1), 2 * connections)


def _measure(contender: Contender, stores: StorePids, plan: Plan, folder: Path, count: int) -> Round:
    requests, answers = folder / "requests", folder / "answers"
    contender.write_requests(requests, count)
    wait_until_quiet(contender.pid, stores)
    before, began = read_processor_time(contender.pid, stores), time.monotonic()
    outcome = generate_apart(contender, plan, requests, answers)
    used, took_s = read_processor_time(contender.pid, stores).since(before), time.monotonic() - began
    wrong = contender.status is not None and list(outcome["statuses"]) != [f"{contender.status}"]
    if outcome["errors"] or wrong:
        raise RoundError(f"{contender.name}: statuses {outcome['statuses']}, errors {outcome['errors']}")
    if contender.check is not None:
        contender.check(requests, answers)
    return round_of(outcome, used, took_s)


def round_of(outcome: Mapping[str, Any], used: ProcessorTime, took_s: float) -> Round:
    """A round from the generator's outcome and the processor time its load cost."""
    answered = outcome["requests"] + outcome["warm_up_requests"]
    return Round(
        rate=outcome["rate"],
        p50_ms=outcome["latency_ms"]["p50"],
        p99_ms=outcome["latency_ms"]["p99"],
        requests=outcome["requests"],
        unsent=outcome["unsent"],
        service_us=used.service_s / answered * 1e6,
        postgres_us=used.postgres_s / answered * 1e6,
        valkey_us=used.valkey_s / answered * 1e6,
        generator_us=outcome["cpu_us_per_request"],
        elsewhere=used.elsewhere_s / took_s / cores(),
        ended=outcome["ended"],
    )


def generate_apart(
    contender: Contender, plan: Plan, requests: Path, answers: Path, *options: str
) -> dict[str, Any]:
    """The generator in a process of its own, so that its processor time is its own; its document."""
    command = [
        *(sys.executable, "-m", "bench.load.generator", "--url", contender.url, "--requests", str(requests)),
        *("--seconds", str(plan.seconds), "--warm-up", str(plan.warm_up_s)),
        *(["--answers", str(answers)] if contender.check is not None else []),
        *(["--once"] if contender.once else []),
        *(["--connections", str(contender.connections or plan.connections)] if plan.rate is None else []),
        *(["--rate", str(plan.rate), "--arrivals", "poisson"] if plan.rate is not None else []),
        *options,
    ]
    done = subprocess.run(command, capture_output=True, check=False, timeout=plan.total_s + _SPARE_S)
    if done.returncode != 0:
        raise RoundError(f"{contender.name}: {done.stderr.decode().strip()}")
    document: dict[str, Any] = orjson.loads(done.stdout)
    return document


DISTURBED = "the host takes this machine's processors too often to measure the latency of anything"


@dataclass(slots=True)
class Attempt:
    """number: from 0. host: watched since the attempt began. last: it counts in any case, since none is left."""

    number: int
    host: Host
    last: bool
    kept: bool = False
    disturbed: bool = False

    def keep(self) -> bool:
        """Whether what was measured counts: the host left the processors to this machine, or there is no time for more."""
        taken = self.host.taken > _MOST_TAKEN
        self.kept, self.disturbed = self.last or not taken, self.last and taken
        return self.kept


def attempts(rounds: int) -> Iterator[Attempt]:
    """Attempts at rounds, until so many were kept. One moment in a hundred that the host takes makes a p99.

    The last possible ones are kept in any case, and say whether they are worth anything.
    """
    kept, most = 0, most_attempts(rounds)
    for number in range(most):
        attempt = Attempt(number, Host(), last=most - number <= rounds - kept)
        yield attempt
        kept += attempt.kept
        if kept == rounds:
            return
        if not attempt.kept:
            print("measured again: the host took the processors", file=sys.stderr, flush=True)


def most_attempts(rounds: int) -> int:
    return rounds * _MOST_ATTEMPTS


def wait_until_quiet(pid: int, stores: StorePids) -> None:
    """Work left over by the round before must not count for this one."""
    deadline = time.monotonic() + _LONGEST_NOISE_S
    before = read_processor_time(pid, stores)
    while time.monotonic() < deadline:
        time.sleep(_QUIET_S)
        now = read_processor_time(pid, stores)
        used = now.since(before)
        if used.service_s + used.stores_s <= _QUIET_SHARE * _QUIET_S:
            return
        before = now
    raise RoundError(f"the stores or process {pid} do not come to rest")


def tell(what: str, done: Round) -> None:
    costs = (
        f"service {done.service_us:.0f}, PostgreSQL {done.postgres_us:.0f}, Valkey {done.valkey_us:.0f} µs"
    )
    speed = f"{done.rate:,.0f}/s, p50 {done.p50_ms:.2f} ms, p99 {done.p99_ms:.2f} ms"
    print(
        f"{what}: {speed}, {costs}, elsewhere {done.elsewhere:.0%}",
        file=sys.stderr,
        flush=True,
    )
