"""Three times more codes than a slow store can take: what is answered meanwhile, and a second later, and what stands after."""

import resource
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice

import asyncpg
import uvloop

from bench.ground.codes import write_exchanges
from bench.ground.token_path import Ground, serving
from bench.load.check import CheckError, check_exchanges
from bench.load.generator import Outcome, generate, load_of
from bench.load.records import pack_answer, read_requests, write_requests
from bench.load.rounds import RoundError

CAPACITY = 500  # tokens a second that the store can take, of all workers together
OFFERED = 3 * CAPACITY
FEW = CAPACITY // 2  # a second, before and after
BOUND_S = (
    2.0  # half a second in the queue, as long for a full batch, and a second for a machine with other work
)
WITHIN_S = 1.0
BAR = 2.0

_WARM_UP_S = 1
_CONNECTIONS = 2048
_MOST_UNSENT = 0.01
_LONGEST_S = 300
_OK, _UNAVAILABLE = "200", "503"
_SLOW = """
CREATE FUNCTION be_slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep({seconds}); RETURN NEW; END $$;
CREATE TRIGGER be_slow BEFORE INSERT ON classic_token FOR EACH ROW EXECUTE FUNCTION be_slow();
"""
_QUICK = "DROP FUNCTION be_slow CASCADE"

Answers = dict[bytes, tuple[int, bytes]]  # status and body, by request


@dataclass(frozen=True, slots=True)
class Overload:
    """before and after: few are offered; after begins a second after the last of the crowd was due.

    again: those who had been turned away, once the store is quick again. stored: tokens that were answered, each of
    which stands in PostgreSQL as the only one of its code. faults: what breaks the bar, but for how late `after` is.
    """

    name: str
    seconds: int
    before: Outcome
    during: Outcome
    after: Outcome
    again: Outcome
    stored: int
    faults: Sequence[str]

    @property
    def ratio(self) -> float:
        return self.after.latency_ms["p99"] / self.before.latency_ms["p99"]

    @property
    def met(self) -> bool:
        return self.ratio <= BAR and not self.faults


def measure_overload(ground: Ground, seconds: int) -> Overload:
    few_s = max(2, seconds // 5)
    _allow_connections()
    codes = _write_codes(ground, FEW * (_WARM_UP_S + few_s), OFFERED * seconds, FEW * few_s)
    answers: Answers = {}
    with serving(ground, cache=True) as (url, _):
        _tell(f"{FEW}/s offered to a store that takes {CAPACITY}/s")
        with _slow_tokens(ground):
            before = _offer(url, codes[0], answers, rate=FEW, warm_up_s=_WARM_UP_S)
            _tell(f"{OFFERED}/s offered for {seconds} s, and {FEW}/s a second later")
            during, after = _offer_both(url, codes[1], codes[2], answers)
        turned_away = [code for code, (status, _) in answers.items() if str(status) == _UNAVAILABLE]
        if not turned_away:
            raise RoundError("nobody was turned away, so the store was not overloaded")
        _tell(f"the {len(turned_away):,} who were turned away come again")
        again = _offer(url, turned_away, answers)
    faults = [*_faults(before, during, after, again)]
    try:
        stored = _check(ground, answers)
    except CheckError as error:
        stored, faults = 0, [*faults, f"{error}"]
    return Overload("overload", seconds, before, during, after, again, stored, faults)


def _allow_connections() -> None:
    """Allow connections to this process and to the service it starts; a shell often allows a thousand."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 2 * _CONNECTIONS)), hard))


def _write_codes(ground: Ground, *sizes: int) -> list[list[bytes]]:
    path = ground.folder / "requests"
    write_exchanges(ground.service_stores, ground.applications, path, sum(sizes))
    requests = iter(read_requests(path))
    return [[*islice(requests, size)] for size in sizes]


@contextmanager
def _slow_tokens(ground: Ground) -> Iterator[None]:
    """Each token takes PostgreSQL its time, and each worker has one batch of them in flight."""
    url = ground.service_stores.database_url
    uvloop.run(_execute(url, _SLOW.format(seconds=ground.workers / CAPACITY)))
    try:
        yield
    finally:
        uvloop.run(_execute(url, _QUICK))


async def _execute(database_url: str, statement: str) -> None:
    owner = await asyncpg.connect(database_url)
    try:
        await owner.execute(statement)
    finally:
        await owner.close()


def _offer_both(
    url: str, crowd: Sequence[bytes], few: Sequence[bytes], answers: Answers
) -> tuple[Outcome, Outcome]:
    """The few come a second after the last of the crowd was due, whether or not that is answered by then."""
    with ThreadPoolExecutor(1) as pool:
        during = pool.submit(_offer, url, crowd, answers, rate=OFFERED)
        time.sleep(len(crowd) / OFFERED + WITHIN_S)
        after = _offer(url, few, answers, rate=FEW)
        return during.result(), after


def _offer(
    url: str,
    requests: Sequence[bytes],
    answers: Answers,
    *,
    rate: float | None = None,
    warm_up_s: float = 0.0,
) -> Outcome:
    """Each request once; its answer goes into `answers`."""

    def keep(position: int, status: int, body: bytes) -> None:
        answers[requests[position]] = status, body

    load = load_of(url, requests, seconds=_LONGEST_S, once=True)
    if rate is not None:
        load = replace(load, rate=rate, connections=_CONNECTIONS, warm_up_s=warm_up_s)
    return generate(load, keep)


def _faults(before: Outcome, during: Outcome, after: Outcome, again: Outcome) -> Iterator[str]:
    for name, outcome in (("before", before), ("during", during), ("after", after), ("again", again)):
        allowed = {_OK, _UNAVAILABLE} if outcome is during else {_OK}
        if wrong := outcome.statuses.keys() - allowed:
            yield f"{name}: answered {', '.join(sorted(wrong))}"
        if outcome.errors:
            yield f"{name}: not answered: {outcome.errors}"
        if outcome.unsent > _MOST_UNSENT * outcome.requests:
            yield f"{name}: {outcome.unsent} requests were due and could not be sent"
    if silent := during.statuses.get(_UNAVAILABLE, 0) - during.later.get(_UNAVAILABLE, 0):
        yield f"{silent} were turned away without Retry-After"
    if during.latency_ms["max"] > BOUND_S * 1000:
        yield f"an answer took {during.latency_ms['max']:,.0f} ms"


def _check(ground: Ground, answers: Answers) -> int:
    """How many tokens stand."""
    requests, file = ground.folder / "requests", ground.folder / "answers"
    write_requests(requests, answers)
    file.write_bytes(b"".join(pack_answer(n, *answer) for n, answer in enumerate(answers.values())))
    return check_exchanges(ground.service_stores.database_url, requests, file)


def _tell(what: str) -> None:
    print(f"overload: {what}", file=sys.stderr, flush=True)
