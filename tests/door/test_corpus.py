"""The corpus sent directly: what is due comes back however the bytes are cut, and nothing is read behind a refusal."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from zlib import crc32

import pytest
from fastapi import FastAPI

from tests.door.conversation import converse
from tests.door.corpus.attack import SMUGGLED, Attack, get
from tests.door.corpus.everything import CORPUS
from tests.door.ear import PROGRESS, Ear
from tests.door.serving import server_of
from tests.door.target import Target, running_target
from tests.support.depth import DEPTH
from tests.support.raw import RawAnswer

PROBE_ID = "the-probe-itself"
PROBE = get(b"X-Request-Id: " + PROBE_ID.encode(), b"Connection: close")
DEEP = DEPTH > 1
AT_ONCE = 20
SHORT = 10_000  # bytes: a longer entry is cut everywhere near its ends, and here and there between
EDGE = 300
WRITTEN_S = 0.5  # lines of a moment are written together, and then are in the log
REFUSALS = {400, 413, 414, 431}
SAID = {
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "date",
    "x-content-type-options",
}  # by a refusal


@dataclass(frozen=True, slots=True)
class Sending:
    """An attack as it is sent."""

    attack: Attack
    where: str  # it is cut
    segments: tuple[bytes, ...]
    half_close: bool = False


@pytest.fixture(scope="module")
async def target(
    database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Target]:
    async with running_target(database_url, redis_url, tmp_path_factory.mktemp("corpus")) as target:
        yield target


@pytest.fixture(scope="module")
async def ear(app: FastAPI) -> AsyncIterator[int]:
    """The port of the same service in this process, which tells what it has read."""
    async with server_of(app, http=Ear) as server:
        yield server.config.port


def fault_in(sending: Sending, answers: Sequence[RawAnswer]) -> str:
    """The fault in the answers to an attack and the probe behind it; empty when there is none."""
    attack = sending.attack
    due = attack.answers if attack.closes else (*attack.answers, 200)
    statuses = tuple(answer.status for answer in answers)
    if statuses != due:
        return f"{statuses} instead of {due}"
    ids = [answer.headers.get("x-request-id") for answer in answers]
    if SMUGGLED.decode() in ids:
        return "the smuggled request was answered"
    if (ids[-1] == PROBE_ID) == attack.closes:
        return "the probe was answered" if attack.closes else "the probe was not answered"
    if answers[-1].headers.get("connection") != "close":
        return "the end of the connection was not announced"
    return ""


def fault_in_a_part(_sending: Sending, answers: Sequence[RawAnswer]) -> str:
    """The same, of an attack that stops in the middle."""
    statuses = [answer.status for answer in answers]
    if not statuses:
        return "it was not answered"
    return f"{statuses}" if max(statuses) >= 500 or SMUGGLED.decode() in str(answers) else ""


async def assert_faultless(
    port: int,
    sendings: Iterable[Sending],
    judge: Callable[[Sending, Sequence[RawAnswer]], str] = fault_in,
    pause: Callable[[int, int], Awaitable[None]] = PROGRESS.until,
) -> None:
    """Some of them at once, each on a connection of its own."""
    waiting = iter(sendings)
    faults: dict[str, list[str]] = defaultdict(list)

    async def send_the_next_ones() -> None:
        for sending in waiting:
            answers = await converse(port, sending.segments, pause=pause, half_close=sending.half_close)
            if fault := judge(sending, answers):
                faults[f"{sending.attack.name}: {fault}"].append(sending.where)

    await asyncio.gather(*(send_the_next_ones() for _ in range(AT_ONCE)))
    lines = [f"{fault} ({len(where)} times, {where[0]})" for fault, where in sorted(faults.items())]
    assert not lines, "\n".join([f"{len(lines)} faults:", *lines[:60]])


def cuts_of(attack: Attack) -> Sequence[int]:
    """The places where it is cut in two: all at depth, else the ends of a line and of the head, and one more."""
    size = len(attack.sent)
    if DEEP and size <= SHORT:
        return range(1, size)
    if DEEP:
        between = range(EDGE, size - EDGE, 61 if size < 100_000 else 9_973)
        return [*range(1, EDGE), *between, *range(size - EDGE, size)]
    line, head = attack.sent.find(b"\r\n"), attack.sent.find(b"\r\n\r\n")
    anywhere = crc32(attack.sent) % size
    return sorted({cut for cut in (line, head + 2, head + 4, anywhere) if 0 < cut < size})


def every_cut() -> Iterable[Sending]:
    for attack in CORPUS:
        for cut in cuts_of(attack):
            yield Sending(attack, f"cut at {cut}", (attack.sent[:cut], attack.sent[cut:] + PROBE))


def every_part() -> Iterable[Sending]:
    for attack in CORPUS:
        for cut in cuts_of(attack):
            part = attack.sent[:cut]
            if part.strip(b"\r\n"):
                yield Sending(attack, f"up to {cut}", (part,), half_close=True)


async def a_moment(_port: int, _sent: int) -> None:
    await asyncio.sleep(0.001)


def test_attacks_have_names_of_their_own() -> None:
    assert len({attack.name for attack in CORPUS}) == len(CORPUS)


async def test_every_attack_is_answered_as_is_due(target: Target) -> None:
    """R-76, R-77, R-78: whole, in one segment with an honest request behind it."""
    sendings = (Sending(attack, "whole", (attack.sent + PROBE,)) for attack in CORPUS)
    await assert_faultless(target.port, sendings, pause=a_moment)


async def test_every_refusal_says_nothing_but_why_and_leaves_a_line_with_the_address(
    target: Target,
) -> None:
    """R-77, R-80"""
    await asyncio.sleep(WRITTEN_S)
    before, given = len(target.lines()), Counter[int]()
    for attack in CORPUS:
        answers = await converse(target.port, (attack.sent + PROBE,), pause=a_moment)
        for answer in answers:
            assert answer.headers["x-content-type-options"] == "nosniff", attack.name
        last = answers[-1]
        if last.status in REFUSALS and last.headers.get("connection") == "close":
            given[last.status] += 1
            assert last.status == 413 or set(last.headers) <= SAID, attack.name
            assert SMUGGLED not in last.body, attack.name
    await asyncio.sleep(WRITTEN_S)
    every = target.lines()[before:]
    assert not [line for line in every if line["level"] in ("error", "critical")]
    lines = [line for line in every if line["event"] in ("request", "connection refused")]
    assert {line["client"] for line in lines} == {"127.0.0.1"}
    noted = Counter(line["status"] for line in lines if line["event"] == "connection refused")
    assert noted == Counter({status: given[status] for status in (400, 414, 431)})
    assert given[413] == sum(line["status"] == 413 for line in lines) > 0


async def test_of_twenty_requests_at_once_nine_are_answered_in_their_order(target: Target) -> None:
    """R-76: one is being answered, eight wait, and the others are not read."""
    names = [f"request-{number}" for number in range(20)]
    sent = b"".join(get(b"X-Request-Id: " + name.encode()) for name in names)
    answers = await converse(target.port, (sent,), pause=a_moment)
    assert [answer.headers["x-request-id"] for answer in answers] == names[:9]
    assert answers[-1].headers["connection"] == "close"


async def test_nine_requests_at_once_are_answered_and_the_connection_goes_on(target: Target) -> None:
    """R-76"""
    names = [f"request-{number}" for number in range(9)]
    sent = b"".join(get(b"X-Request-Id: " + name.encode()) for name in names)

    async def a_long_moment(_port: int, _sent: int) -> None:
        await asyncio.sleep(0.5)

    answers = await converse(target.port, (sent, PROBE), pause=a_long_moment)
    assert [answer.headers["x-request-id"] for answer in answers] == [*names, PROBE_ID]


async def test_answers_are_the_same_wherever_an_attack_is_cut_in_two(ear: int) -> None:
    """R-77: a segment ends where the network likes."""
    await assert_faultless(ear, every_cut())


async def test_answers_are_the_same_when_each_byte_comes_alone(ear: int) -> None:
    """R-77"""
    short = [attack for attack in CORPUS if len(attack.sent) < 1_000]
    some = short if DEEP else short[::17]
    bytewise = (
        Sending(attack, "byte by byte", (*(bytes([byte]) for byte in attack.sent), PROBE)) for attack in some
    )
    await assert_faultless(ear, bytewise)


async def test_whoever_stops_in_the_middle_is_answered(ear: int) -> None:
    """R-77, R-86: never silence after a part of a request, when the client says that no more will come."""
    await assert_faultless(ear, every_part(), judge=fault_in_a_part)
