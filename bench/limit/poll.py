"""Pages that are polled while machines report: what a request costs beside a service that remembers no page."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from statistics import median
from typing import Any
from uuid import UUID

import uvloop

from bench.ground.applications import register_applications
from bench.ground.reporting import MACHINES, reporting
from bench.ground.servers import service_serving
from bench.ground.serving import free_port
from bench.ground.token_path import Ground
from bench.load.billed import Billed, Cost, Turns
from bench.load.records import get_request
from bench.load.rounds import RoundError
from bench.load.summary import spread, spread_of

OURS, FORGETFUL = "ours", "nothing remembered"

_BURSTS_A_SECOND = 5  # of the plan: in each, every fleet is asked for once
_CONNECTIONS = 4
_WARM_UP = 2  # rounds
_FORMS = {"JSON": "application/json", "XML": "application/xml"}
_CODINGS = {"gzip": "gzip", "zstd": "zstd", "plain": "identity"}
# How many machines of ten report before each burst, and the most that a request may then cost of one that is read whole.
_CHANGES = {"unchanged": (0, 0.30), "one machine in ten changed": (1, 0.45), "all changed": (10, 1.15)}


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
        f"### polled pages of {MACHINES} machines\n",
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
        register_applications(ground.service, ground.service_stores, 1, machines=MACHINES)
        for _ in range(fleets_count)
    ]
    bursts = max(2, round(ground.plan.seconds * _BURSTS_A_SECOND))
    customers = [fleet.customer_id for fleet in fleets]
    with _serving(ground, OURS) as ours, _serving(ground, FORGETFUL, LIMIT_PAGE_MEMORY="0") as other:
        service = replace(ground.service, port=ours.port)
        tokens = [service.client_token(**fleet.applications[0].credentials) for fleet in fleets]
        for (change, (machines, bar)), form, coding in product(_CHANGES.items(), _FORMS, _CODINGS):
            headers = {"Accept": _FORMS[form], "Accept_Encoding": _CODINGS[coding]}
            requests = [get_request("/api/v2/Fleet/1", bearer=each, **headers) for each in tokens]
            asked = _Asked(
                [replace(each, requests=requests) for each in (ours, other)], customers, machines, bursts
            )
            found = uvloop.run(_rounds(ground, asked))
            yield Poll(f"{change}, {form}, {coding}", found, bursts * fleets_count, bar)


@dataclass(frozen=True, slots=True)
class _Asked:
    """machines: of ten that report before each burst. bursts: of a round."""

    services: Sequence[Billed]
    customers: Sequence[UUID]
    machines: int
    bursts: int


@contextmanager
def _serving(ground: Ground, name: str, **settings: str) -> Iterator[Billed]:
    """The service in one process, so that one memory is asked. Both name the same origin in their links."""
    port = free_port()
    more = {"PUBLIC_URL": ground.service.url, **settings}
    service = replace(ground.service, port=port, settings={**ground.service.settings, **more})
    with service_serving(service, 1, ground.log(name)) as pid:
        yield Billed(name, port, pid, [])


async def _rounds(ground: Ground, asked: _Asked) -> dict[str, list[Cost]]:
    """Both are asked in turn after each report, and each begins as often. Raises RoundError when they answer otherwise."""
    found: dict[str, list[Cost]] = {each.name: [] for each in asked.services}
    async with reporting(ground.servers.database_url, asked.customers) as reporter:
        turns = Turns(
            asked.services, ground.pids.postgres, partial(reporter.report, asked.machines), _compare
        )
        async with turns.connected(_CONNECTIONS) as crowds:
            for number in range(_WARM_UP + ground.plan.rounds):
                costs = await turns.take(crowds, asked.bursts)
                for service, cost in zip(asked.services, costs, strict=True):
                    if number >= _WARM_UP:
                        found[service.name].append(cost)
    return found


def _compare(bodies: Sequence[list[bytes]]) -> None:
    ours, other = bodies
    if sorted(ours) != sorted(other):
        raise RoundError(f"{OURS} and {FORGETFUL} send other bytes")
