"""Pages that are polled while machines report: what a request costs beside a service that remembers no page."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import product
from statistics import median
from typing import Any, NamedTuple
from uuid import UUID

import psutil
import uvloop

from bench.ground.applications import register_applications
from bench.ground.database import connected
from bench.ground.servers import service_serving
from bench.ground.serving import free_port
from bench.ground.token_path import Ground
from bench.load.bursts import Crowd
from bench.load.records import get_request
from bench.load.rounds import RoundError
from bench.load.summary import spread, spread_of

OURS, FORGETFUL = "ours", "nothing remembered"

_MACHINES = 100
_BURSTS_A_SECOND = 5  # of the plan: in each, every fleet is asked for once
_CONNECTIONS = 4
_WARM_UP = 2  # rounds
_FORMS = {"JSON": "application/json", "XML": "application/xml"}
_CODINGS = {"gzip": "gzip", "zstd": "zstd", "plain": "identity"}
# How many machines of ten report before each burst, and the most that a request may then cost of one that is read whole.
_CHANGES = {"unchanged": (0, 0.30), "one machine in ten changed": (1, 0.45), "all changed": (10, 1.15)}

REPORT = """
UPDATE equipment_latest l SET cumulative_operating_hours = l.cumulative_operating_hours + 0.01,
                              cumulative_operating_hours_at = l.cumulative_operating_hours_at + interval '1 second'
FROM equipment e WHERE e.key = l.equipment_key AND e.customer_id = ANY($1::uuid[]) AND e.position % 10 < $2
"""


class Cost(NamedTuple):
    """Microseconds of processor time a request."""

    service_us: float
    postgres_us: float

    @property
    def together_us(self) -> float:
        return self.service_us + self.postgres_us


@dataclass(frozen=True, slots=True)
class Poll:
    """One comparison. rounds: by contender, each of so many requests. bar: the most that ours may cost of the other."""

    name: str
    rounds: Mapping[str, Sequence[Cost]]
    requests: int
    bar: float

    @property
    def pairs(self) -> list[float]:
        both = zip(self.rounds[OURS], self.rounds[FORGETFUL], strict=True)
        return [one.together_us / other.together_us for one, other in both]

    @property
    def met(self) -> bool:
        return median(self.pairs) <= self.bar

    @property
    def medians(self) -> dict[str, dict[str, float]]:
        return {
            name: {field: round(median(getattr(each, field) for each in done), 1) for field in Cost._fields}
            for name, done in self.rounds.items()
        }

    def document(self) -> dict[str, Any]:
        ratios = {"processor time a request": spread_of(self.pairs)}
        return {
            "name": self.name,
            "ratios": ratios,
            "bar": self.bar,
            "met": self.met,
            "costs": self.medians,
        }


def table(polls: Sequence[Poll]) -> str:
    """Markdown."""
    rounds = f"{len(polls[0].pairs)} rounds of {polls[0].requests} requests"
    lines = [
        f"### polled pages of {_MACHINES} machines\n",
        f"{rounds}; medians of processor time a request, of service and PostgreSQL\n",
        f"| page | {OURS} µs | {FORGETFUL} µs | ratio | |",
        "| --- | ---: | ---: | --- | --- |",
    ]
    for poll in polls:
        cells = [" + ".join(f"{figure:.0f}" for figure in each.values()) for each in poll.medians.values()]
        verdict = f"at most {poll.bar:.2f}: {'met' if poll.met else 'NOT MET'}"
        lines.append(f"| {' | '.join((poll.name, *cells, spread(poll.pairs), verdict))} |")
    return "\n".join(lines)


def poll_pages(ground: Ground, fleets_count: int) -> Iterator[Poll]:
    """Compare every form, in rounds that are interleaved."""
    fleets = [
        register_applications(ground.service, ground.service_stores, 1, machines=_MACHINES)
        for _ in range(fleets_count)
    ]
    bursts = max(2, round(ground.plan.seconds * _BURSTS_A_SECOND))
    customers = [fleet.customer_id for fleet in fleets]
    with _serving(ground, OURS) as ours, _serving(ground, FORGETFUL, LIMIT_PAGE_MEMORY="0") as other:
        service = replace(ground.service, port=ours.port)
        tokens = [service.client_token(**fleet.applications[0].credentials) for fleet in fleets]
        for (change, (machines, bar)), form, coding in product(_CHANGES.items(), _FORMS, _CODINGS):
            headers = {"Accept": _FORMS[form], "Accept_Encoding": _CODINGS[coding]}
            asked = _Asked(
                ground,
                customers,
                machines,
                bursts,
                [get_request("/api/v2/Fleet/1", bearer=each, **headers) for each in tokens],
            )
            found = uvloop.run(_rounds(asked, (ours, other), ground.plan.rounds))
            yield Poll(f"{change}, {form}, {coding}", found, bursts * fleets_count, bar)


class _Contender(NamedTuple):
    name: str
    port: int
    pid: int


@dataclass(frozen=True, slots=True)
class _Asked:
    """machines: of ten that report before each burst. bursts: of a round. requests: one for each customer."""

    ground: Ground
    customers: Sequence[UUID]
    machines: int
    bursts: int
    requests: Sequence[bytes]


@contextmanager
def _serving(ground: Ground, name: str, **settings: str) -> Iterator[_Contender]:
    """The service in one process, so that one memory is asked. Both name the same origin in their links."""
    port = free_port()
    more = {"PUBLIC_URL": ground.service.url, **settings}
    service = replace(ground.service, port=port, settings={**ground.service.settings, **more})
    with service_serving(service, 1, ground.log(name)) as pid:
        yield _Contender(name, port, pid)


async def _rounds(asked: _Asked, contenders: Sequence[_Contender], count: int) -> dict[str, list[Cost]]:
    """Both are asked in turn after each report, and each begins as often. Raises RoundError when they answer otherwise."""
    crowds = [Crowd(each.name) for each in contenders]
    found: dict[str, list[Cost]] = {each.name: [] for each in contenders}
    try:
        for crowd, contender in zip(crowds, contenders, strict=True):
            await crowd.open(contender.port, _CONNECTIONS)
        async with connected(asked.ground.servers.database_url) as writer:
            await writer.execute("SET ROLE rovitracker_ingest")
            for number in range(_WARM_UP + count):
                used = [Cost(0.0, 0.0) for _ in contenders]
                for burst in range(asked.bursts):
                    reported = await writer.execute(REPORT, asked.customers, asked.machines)
                    if reported != f"UPDATE {asked.machines * _MACHINES // 10 * len(asked.customers)}":
                        raise RoundError(f"other machines report than are meant to: {reported}")
                    bodies: list[list[bytes]] = [[], []]
                    for side in (0, 1) if burst % 2 == 0 else (1, 0):
                        cost, bodies[side] = await _burst(asked, crowds[side], contenders[side])
                        used[side] = Cost(*map(sum, zip(used[side], cost, strict=True)))
                    if sorted(bodies[0]) != sorted(bodies[1]):
                        raise RoundError(f"{contenders[0].name} and {contenders[1].name} send other bytes")
                for contender, cost in zip(contenders, used, strict=True):
                    if number >= _WARM_UP:
                        asks = asked.bursts * len(asked.requests)
                        found[contender.name].append(Cost(*(each / asks * 1e6 for each in cost)))
    finally:
        for crowd in crowds:
            crowd.close()
    return found


async def _burst(asked: _Asked, crowd: Crowd, contender: _Contender) -> tuple[Cost, list[bytes]]:
    """Seconds of processor time of service and PostgreSQL, and the bodies in no order."""
    before = [_clocks(pid) for pid in (contender.pid, asked.ground.pids.postgres)]
    bodies = await crowd.ask(asked.requests)
    after = [_clocks(pid) for pid in (contender.pid, asked.ground.pids.postgres)]
    used = (
        sum(at - began.get(pid, 0.0) for pid, at in ended.items())
        for began, ended in zip(before, after, strict=True)
    )
    return Cost(*used), bodies


def _clocks(pid: int) -> dict[int, float]:
    """The seconds that a process and its descendants used, by their own clocks, which count nanoseconds."""
    root = psutil.Process(pid)
    clocks = {}
    for each in (root, *root.children(recursive=True)):
        with suppress(OSError):  # it ended just now
            clocks[each.pid] = time.clock_gettime(~each.pid << 3 | 2)
    return clocks
