"""Honest sign-ins beside wrong passwords from many addresses: new to the service, or above their limits already."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

from app.settings import Settings
from bench.ground.token_path import Ground, introspecting, serving
from bench.load.generator import Outcome, generate, load_of, percentiles_ms
from bench.load.machine import read_processor_time
from bench.load.records import read_answers, read_requests, write_requests
from bench.load.rounds import (
    DISTURBED,
    Contender,
    Plan,
    Round,
    attempts,
    generate_apart,
    most_attempts,
    ratios,
    round_of,
    tell,
    wait_until_quiet,
)
from bench.strain.guessers import Guessers, use_limits_up
from bench.strain.people import KNOWN, NEW, Person, SignIns, add_people, keep_signing_in, make_known

ALONE, FRESH, LIMITED = "alone", "beside new guessers", "beside guessers above their limits"
BAR = 2.0
# What the bar holds for. New browsers beside new guessers look just like these, and are only reported.
JUDGED = frozenset({(KNOWN, FRESH), (KNOWN, LIMITED), (NEW, LIMITED)})
GUESSES = 200  # a second

SIGN_INS = 8  # a second
_SPARE_S = (
    2  # of people, so that nobody signs in twice in a round; half of all are in a browser that is known
)
_ASKED = 100  # introspections a second
_TARGETS = 10  # accounts that exist, and as many addresses that nobody has
_CONNECTIONS = 512
_LONGEST_S = 120
_MOST_HASHED = 0.1  # of the guesses from addresses above their limits
_WRONG, _TOO_MANY, _UNAVAILABLE = "400", "429", "503"


def kind_of(browsers: str, beside: str) -> str:
    """The name of the sign-ins from such browsers in such rounds."""
    return f"{browsers}, {beside}"


def _of_each_kind() -> dict[str, list[Any]]:
    return {kind_of(browsers, beside): [] for browsers in (KNOWN, NEW) for beside in (ALONE, FRESH, LIMITED)}


@dataclass(slots=True)
class Guessing:
    """Filled round by round. rounds: by kind of sign-in; taken_s: of all sign-ins of a kind; honest: their answers.

    asked: p99 of the introspections meanwhile, in ms. seconds: answers to guesses by status, for each second of the
    rounds with new guessers, and for those with limited ones in all. slowest_s: of the sign-ins due in such a second.
    """

    name: str
    addresses: int
    round_s: int
    rounds: Mapping[str, list[Round]] = field(default_factory=_of_each_kind)
    taken_s: Mapping[str, list[float]] = field(default_factory=_of_each_kind)
    honest: dict[str, Counter[str]] = field(default_factory=dict)
    asked: Mapping[str, list[float]] = field(default_factory=lambda: {ALONE: [], FRESH: [], LIMITED: []})
    seconds: dict[int, Counter[str]] = field(default_factory=dict)
    slowest_s: dict[tuple[str, int], float] = field(default_factory=dict)
    limited: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def pairs(self, browsers: str, beside: str) -> Sequence[float]:
        one, other = kind_of(browsers, beside), kind_of(browsers, ALONE)
        return ratios(self.rounds, one, other, lambda each: each.p99_ms)

    def ratio(self, browsers: str, beside: str) -> float:
        return median(self.pairs(browsers, beside))

    def met_by(self, browsers: str, beside: str) -> bool:
        return self.ratio(browsers, beside) <= BAR

    @property
    def met(self) -> bool:
        return all(self.met_by(*each) for each in JUDGED) and not self.faults


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who is there in every round. known: people whose browsers are known; their accounts are guessed at too."""

    url: str
    known: Sequence[Person]
    new: Sequence[Person]
    asking: Contender

    @property
    def people(self) -> list[Person]:
        return [person for pair in zip(self.known, self.new, strict=True) for person in pair]


def measure_guesses(ground: Ground, seconds: int, addresses: int) -> Guessing:
    settings = {
        **ground.service.settings,
        "TRUSTED_PROXIES": "127.0.0.1",
        "LIMIT_PASSWORD_CHECKS": _default(),
    }
    ground = replace(ground, service=replace(ground.service, settings=settings))
    count = SIGN_INS * (seconds + _SPARE_S)
    people = add_people(ground, count, network="198.51.100.0")
    targets = add_people(ground, _TARGETS * (most_attempts(ground.plan.rounds) + 1), network="192.0.2.0")
    above = [f"10.200.0.{n}" for n in range(addresses)]
    result = Guessing("wrong passwords", addresses, seconds)
    with serving(ground, cache=True) as (url, pid):
        known = make_known(url, people[: count // 2])
        asking = introspecting(ground, "introspection", url, pid, ground.service_stores)
        crowd = Crowd(url, known, people[count // 2 :], asking)
        limited = Guessers(url, [*targets[:_TARGETS], *known], above)
        for attempt in attempts(ground.plan.rounds):
            mine = targets[_TARGETS * (attempt.number + 1) : _TARGETS * (attempt.number + 2)]
            new = [f"10.{attempt.number + 1}.0.{n}" for n in range(addresses)]
            fresh = Guessers(url, [*mine, *known], new)
            measured: dict[str, Round] = {}
            for name, guessers in ((ALONE, None), (FRESH, fresh), (LIMITED, limited)):
                if name == LIMITED:
                    use_limits_up(ground, above)
                measured |= _measure(ground, crowd, guessers, seconds, result, name)
            if attempt.keep():
                result.faults += [DISTURBED] * attempt.disturbed
                for kind, done in measured.items():
                    result.rounds[kind].append(done)
                    number = len(result.rounds[kind])
                    tell(f"{result.name}, round {number} of {ground.plan.rounds}, {kind}", done)
    hashed = result.limited[_WRONG] / max(1, result.limited.total())
    if hashed > _MOST_HASHED:
        result.faults.append(f"of guesses above the limits {hashed:.0%} were hashed")
    return result


def _default() -> str:
    """The service's own number of threads for hashing: a run of many users from one address has more."""
    return str(Settings.model_fields["limit_password_checks"].default)


def _measure(  # noqa: PLR0917
    ground: Ground, crowd: Crowd, guessers: Guessers | None, seconds: int, result: Guessing, name: str
) -> Mapping[str, Round]:
    """One round, by kind of sign-in; what was answered in it goes into `result`."""
    wrong = guessers.guesses(GUESSES * seconds) if guessers else []
    answered: list[tuple[int, int]] = []
    pid = crowd.asking.pid
    wait_until_quiet(pid, ground.pids)
    before, own, began = read_processor_time(pid, ground.pids), time.process_time(), time.monotonic()
    with ThreadPoolExecutor(3) as pool:
        asking = pool.submit(_ask, crowd, ground, seconds)
        guessing = pool.submit(_guess, crowd, ground.folder, wrong, answered) if wrong else None
        signing = pool.submit(keep_signing_in, crowd.url, crowd.people, rate=SIGN_INS, seconds=seconds)
        signed_in, asked = signing.result(), asking.result()
        guessed = guessing.result() if guessing else None
    took_s, own_s = time.monotonic() - began, time.process_time() - own
    used = replace(read_processor_time(pid, ground.pids).since(before), load_s=own_s)
    result.faults += [f"{name}: {fault}" for fault in _faults(signed_in, asked, guessed, name)]
    result.asked[name].append(asked.latency_ms["p99"])
    if name == FRESH:
        _by_second(result, answered, signed_in)
    result.limited.update(f"{status}" for _, status in answered if name == LIMITED)
    in_all = sum(len(done.taken_s) for done in signed_in.values())
    rounds = {}
    for browsers, done in signed_in.items():
        kind = kind_of(browsers, name)
        result.honest.setdefault(kind, Counter()).update(done.statuses)
        result.taken_s[kind].extend(done.taken_s)
        done_here = round_of(_outcome(done, seconds, own_s), used, took_s)
        rounds[kind] = _part(done_here, len(done.taken_s) / in_all)
    return rounds


def _part(done: Round, share: float) -> Round:
    """The round of so many of the sign-ins, as if each had cost the same."""
    costs = ("service_us", "postgres_us", "valkey_us", "generator_us")
    return replace(done, **{name: getattr(done, name) * share for name in costs})


def _ask(crowd: Crowd, ground: Ground, seconds: int) -> Outcome:
    path = ground.folder / "asked"
    crowd.asking.write_requests(path, 0)
    load = load_of(crowd.url, read_requests(path), seconds=seconds)
    return generate(replace(load, rate=_ASKED, connections=_CONNECTIONS))


def _guess(crowd: Crowd, folder: Path, wrong: Sequence[bytes], answered: list[tuple[int, int]]) -> Outcome:
    """answered: is given which guess was answered how. Guessers have a machine of their own: theirs stands back."""
    requests, answers = folder / "guesses", folder / "guessed"
    write_requests(requests, wrong)
    guesser = replace(crowd.asking, name="guesses", once=True, check=lambda _requests, _answers: None)
    plan = Plan(1, _LONGEST_S, 0, _CONNECTIONS, GUESSES)
    outcome = generate_apart(guesser, plan, requests, answers, "--arrivals", "constant", "--stand-back")
    answered += [(answer.position, answer.status) for answer in read_answers(answers)]
    return Outcome(**outcome)


def _outcome(signed_in: SignIns, seconds: int, own_s: float) -> Mapping[str, Any]:
    count = len(signed_in.taken_s)
    return {
        "requests": count,
        "warm_up_requests": 0,
        "rate": count / seconds,
        "latency_ms": percentiles_ms(signed_in.taken_s),
        "unsent": 0,
        "cpu_us_per_request": own_s / count * 1e6,
        "ended": "time",
    }


def _by_second(
    result: Guessing, answered: Sequence[tuple[int, int]], signed_in: Mapping[str, SignIns]
) -> None:
    for position, status in answered:
        result.seconds.setdefault(position // GUESSES, Counter())[f"{status}"] += 1
    for browsers, done in signed_in.items():
        for due, taken in zip(done.begun_s, done.taken_s, strict=True):
            second = (browsers, int(due))
            result.slowest_s[second] = max(taken, result.slowest_s.get(second, 0.0))


def _faults(
    signed_in: Mapping[str, SignIns], asked: Outcome, guessed: Outcome | None, name: str
) -> Iterator[str]:
    """What breaks the bar. A new browser beside new guessers may be told to come again."""
    for browsers, done in signed_in.items():
        for status, count in done.failed.items():
            if (browsers, name) != (NEW, FRESH) or status != _UNAVAILABLE:
                yield f"{count} sign-ins from {browsers} were answered {status}"
    if asked.errors or asked.statuses.keys() != {"200"}:
        yield f"introspection was answered {asked.statuses}, and not: {asked.errors}"
    if guessed is None:
        return
    if wrong := guessed.statuses.keys() - {_WRONG, _TOO_MANY, _UNAVAILABLE}:
        yield f"guesses were answered {', '.join(sorted(wrong))}"
    if guessed.errors:
        yield f"guesses were not answered: {guessed.errors}"
    for status in {_TOO_MANY, _UNAVAILABLE} & guessed.statuses.keys():
        if silent := guessed.statuses[status] - guessed.later.get(status, 0):
            yield f"{silent} guesses were answered {status} without Retry-After"
