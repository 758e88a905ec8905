"""The comparisons of `make bench-limit`, each with the bar it is held to."""

import dataclasses
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx2

from bench.ground.applications import register_applications
from bench.ground.codes import Stores
from bench.ground.guarded_path import GUARDED, PAGE
from bench.ground.servers import application_serving, guard_serving
from bench.ground.token_path import (
    Ground,
    exchanging,
    fleet_token,
    getting,
    introspecting,
    issuing,
    make_tokens,
    serving,
)
from bench.load.rounds import Contender, Plan, Round, Rounds, interleave, middle, ratios

OURS, LIMIT, BARE, CONSTANT = "ours", "limit", "limit, bare Valkey connection", "constant guard"

_CACHED_S = 60.0  # as long as the service remembers a token
_FLEET = "/api/v2/Fleet/1"
_SHARES = (10, 25, 50, 75, 90)  # percent of our peak


@dataclass(frozen=True, slots=True)
class Result:
    """One comparison. ratio: of medians of paired neighbours, ours to the other's; bar: None where none is set."""

    name: str
    plan: Plan
    rounds: Rounds
    measure: str
    pairs: tuple[float, ...]
    bar: float | None

    @property
    def ratio(self) -> float:
        return median(self.pairs)

    @property
    def other(self) -> str:
        """The contender that ours is compared with."""
        return list(self.rounds)[1]

    @property
    def cost_pairs(self) -> list[float]:
        """Processor time a request, of service and stores together, ours to the other's."""
        return ratios(self.rounds, OURS, self.other, _server_us)

    @property
    def cost(self) -> float:
        return median(self.cost_pairs)

    @property
    def met(self) -> bool:
        """The bar is the least for a rate, and the most for a latency."""
        if self.bar is None:
            return True
        return self.ratio >= self.bar if self.measure == "rate" else self.ratio <= self.bar


def without_cache(ground: Ground, stores: Stores, wanted: frozenset[str]) -> Iterator[Result]:
    """Every request reaches the stores. stores: the limit's."""
    if wanted.isdisjoint({"exchange", "latency", "loads", "client", "introspect"}):
        return
    with serving(ground, cache=False) as (url, pid), _limit(ground, stores, cache_s=0.0) as package:
        if wanted & {"exchange", "latency", "loads"}:
            ours = exchanging(ground, OURS, url, pid, ground.service_stores)
            limit = exchanging(ground, LIMIT, *package, stores)
            with _limit(ground, stores, cache_s=0.0, valkey="bare") as bare:
                stretch = exchanging(ground, BARE, *bare, stores)
                result = _compare("code exchange", ground, ground.plan, [ours, limit, stretch], 0.80)
            yield result
            peak = middle(result.rounds[OURS], _rate)
            if "latency" in wanted:
                half = dataclasses.replace(ground.plan, rate=peak / 2)
                yield _compare("code exchange, half of our peak offered", ground, half, [ours, limit], 2.0)
            for share in _SHARES if "loads" in wanted else ():
                plan = dataclasses.replace(ground.plan, rate=peak * share / 100)
                name = f"code exchange, {share} % of our peak offered"
                yield _compare(name, ground, plan, [ours, limit], None)
        if "client" in wanted:
            pair = [
                issuing(ground, OURS, url, pid, ground.service_stores),
                issuing(ground, LIMIT, *package, stores),
            ]
            yield _compare("client credentials", ground, ground.plan, pair, 0.80)
        if "introspect" in wanted:
            pair = [
                introspecting(ground, OURS, url, pid, ground.service_stores),
                introspecting(ground, LIMIT, *package, stores),
            ]
            yield _compare("introspect, cache off", ground, ground.plan, pair, 0.80)


def with_cache(ground: Ground, stores: Stores, wanted: frozenset[str]) -> Iterator[Result]:
    """Measure the service as it is run, with its cache."""
    if wanted.isdisjoint({"cached", "guard", "page"}):
        return
    with serving(ground, cache=True) as (url, pid):
        if "cached" in wanted:
            with _limit(ground, stores, cache_s=_CACHED_S) as package:
                pair = [
                    introspecting(ground, OURS, url, pid, ground.service_stores),
                    introspecting(ground, LIMIT, *package, stores),
                ]
                yield _compare("introspect, cache on", ground, ground.plan, pair, 0.80)
        if "guard" in wanted:
            token = fleet_token(ground)
            with (
                _guarded(ground, constant=True) as constant,
                _guarded(ground, constant=False) as real,
                _limit(ground, stores, cache_s=_CACHED_S) as package,
            ):
                pair = [getting(OURS, url, pid, _FLEET, token), getting(CONSTANT, *constant, _FLEET, token)]
                yield _compare("AEMP guard", ground, ground.plan, pair, 0.85)
                [(_, limits)] = make_tokens(ground, package[0], stores, 1)
                contenders = [
                    getting(OURS, *real, GUARDED, token),
                    getting(LIMIT, *package, GUARDED, limits),
                    getting(CONSTANT, *constant, GUARDED, token),
                ]
                yield _compare("the guard alone, on an empty route", ground, ground.plan, contenders, 0.80)
        if "page" in wanted:
            yield from _pages(ground, stores, url, pid)


def _pages(ground: Ground, stores: Stores, url: str, pid: int) -> Iterator[Result]:
    """A page of 100 machines that stays as it is: sent whole, and answered 304."""
    [reader] = register_applications(ground.service, ground.service_stores, 1, machines=100).applications
    token = ground.service.client_token(**reader.credentials)
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", "Accept-Encoding": "gzip"}
    with httpx2.stream("GET", url + _FLEET, headers=headers) as page:
        body, tag = b"".join(page.iter_raw()), page.headers["ETag"]
    file = ground.folder / "page"
    file.write_bytes(body)
    with _limit(ground, stores, cache_s=_CACHED_S, page=file) as package:
        [(_, limits)] = make_tokens(ground, package[0], stores, 1)
        for name, more, status in (("a page", {}, 200), ("a page answered 304", {"If_None_Match": tag}, 304)):
            asked = {"Accept_Encoding": "gzip", **more}
            pair = [
                getting(OURS, url, pid, _FLEET, token, headers=asked),
                getting(LIMIT, *package, PAGE, limits, headers=asked),
            ]
            answered = [dataclasses.replace(each, status=status) for each in pair]
            yield _compare(f"{name}, unchanged", ground, ground.plan, answered, 0.75)


def _compare(name: str, ground: Ground, plan: Plan, contenders: list[Contender], bar: float | None) -> Result:
    rounds = interleave(contenders, ground.pids, plan, ground.folder)
    measure = "rate" if plan.rate is None else "p99"
    pairs = ratios(rounds, OURS, contenders[1].name, _rate if plan.rate is None else _p99)
    return Result(name, plan, rounds, measure, tuple(pairs), bar)


def _rate(done: Round) -> float:
    return done.rate


def _server_us(done: Round) -> float:
    return done.server_us


def _p99(done: Round) -> float:
    return done.p99_ms


@contextmanager
def _limit(
    ground: Ground, stores: Stores, *, cache_s: float, valkey: str = "package", page: Path | None = None
) -> Iterator[tuple[str, int]]:
    """valkey: over the redis package, or over a "bare" connection. page: the file of the page that it sends."""
    environment = {
        **os.environ,
        "BENCH_DATABASE_URL": stores.database_url,
        "BENCH_REDIS_URL": stores.redis_url,
        "BENCH_ISSUER": ground.service.url,
        "BENCH_VALKEY": valkey,
        "BENCH_CACHE_S": f"{cache_s}",
        **({"BENCH_PAGE": f"{page}"} if page else {}),
    }
    log = ground.log(f"limit, {valkey}")
    with application_serving("bench.limit.app:app", environment, ground.workers, log) as server:
        yield server


@contextmanager
def _guarded(ground: Ground, *, constant: bool) -> Iterator[tuple[str, int]]:
    """The service with its empty route; constant: with a guard that knows its caller beforehand."""
    name, more = "guard", {}
    if constant:
        customer, application = ground.fleet_customer, ground.applications[0].client_id
        name, more = "constant guard", {"BENCH_CALLER": f"{application},{customer},{application}"}
    with guard_serving(ground.service, ground.workers, ground.log(name), more) as server:
        yield server
