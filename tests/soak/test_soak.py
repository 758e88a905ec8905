"""A few seconds of the soak, and its judges: they find an answer that differs, and what grows."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from gzip import compress
from pathlib import Path

import pytest

from app.context import Context
from tests.conftest import make_settings
from tests.soak.comparison import Tally, difference
from tests.soak.customers import HEARD_WITHIN_S, House
from tests.soak.processes import Pair, Process, two_services
from tests.soak.quiet import Quiet
from tests.soak.resources import Resource
from tests.soak.run import ENOUGH_SAMPLES, LONG_ENOUGH_S, Findings, Plan, soak
from tests.support.raw import RawAnswer
from tests.support.server import listener, running_service

SHORT = Plan(seconds=6, machines=(30, 110), every_s=1)


@pytest.fixture
async def processes(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Pair]:
    [key] = make_settings(database_url, redis_url, tmp_path).secret_keys
    services = two_services(database_url, redis_url, tmp_path, SECRET_KEYS=key.get_secret_value())
    async with AsyncExitStack() as stack:
        running = (
            running_service(port=each.port, settings=dict(each.environment)) for each in services.values()
        )
        await asyncio.gather(*map(stack.enter_async_context, running))
        first, second = (Process(name, each.port, listener(each.port)) for name, each in services.items())
        yield first, second


async def test_smoke(context: Context, processes: Pair, database_url: str, redis_url: str) -> None:
    """R-112: `make check-soak` in short. What is remembered equals what is not, while machines and tokens change."""
    findings = await soak(House(context, processes, database_url, redis_url), SHORT)
    assert findings.tally.different == []
    assert set(findings.tally.compared) >= {"page", "AEMP 1.2 page", "machine", "series", "introspection"}
    assert set(findings.tally.statuses) >= {200, 304}
    assert findings.met
    assert findings.done["reported"]
    assert findings.done["revoked"]
    assert findings.done["refreshed"]
    assert {each.unit for each in findings.resources} == {
        "MiB",
        "descriptors",
        "threads",
        "connections",
        "dead rows",
        "keys",
        "MiB in Valkey",
    }
    assert all(len(each.readings) >= 3 for each in findings.resources)


def answer(body: bytes = b"<Fleet/>", status: int = 200, **headers: str) -> RawAnswer:
    given = {"x-request-id": "r1", "etag": '"a"', "date": "now", "content-length": str(len(body))}
    return RawAnswer(status, {**given, **{name.replace("_", "-"): v for name, v in headers.items()}}, body)


PACKED = compress(b"<Fleet/>")

DIFFERENT = {
    "a status": answer(b"", 304),
    "an ETag": answer(etag='"b"'),
    "no ETag": RawAnswer(200, {"x-request-id": "r1"}, b"<Fleet/>"),
    "a body": answer(b"<Fleet>1</Fleet>"),
    "a body of the same length": answer(b"<Fleet!>"),
    "a longer body": answer(b"<Fleet/> "),
    "a coding": answer(PACKED, content_encoding="gzip"),
    "another header": answer(content_language="en"),
}


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("other", DIFFERENT.values(), ids=DIFFERENT.keys())
def test_an_answer_that_differs_is_found_wherever_it_stands(other: RawAnswer, place: int) -> None:
    answers = [answer()] * 3
    assert difference(answers) is None
    answers[place] = other
    assert difference(answers)


def test_what_tells_of_the_request_or_of_the_budget_may_differ() -> None:
    later = answer(x_request_id="r2", date="later", x_ratelimit_reset="2", ratelimit='"a";r=1')
    assert difference([answer(), later, answer()]) is None
    unknown = [answer(b"not found, r%d" % n, 404, x_request_id=f"r{n}") for n in range(3)]
    assert difference(unknown) is None
    assert difference([*unknown[:2], answer(b"not here, r2", 404, x_request_id="r2")])


def test_bodies_are_compared_as_they_were_before_compression() -> None:
    one, other = (answer(compress(b"<Fleet/>" * 50, level), content_encoding="gzip") for level in (1, 9))
    assert one.body != other.body
    assert difference([one, other, one]) is None
    changed = answer(compress(b"<Fleet!>" * 50), content_encoding="gzip")
    assert difference([one, changed, one])


@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_no_answer_is_compared_that_none_should_be(status: int) -> None:
    assert difference([answer(status=status)] * 3) == f"status {status}, {status}, {status}"


def test_a_difference_counts_only_where_nothing_changed_meanwhile() -> None:
    tally = Tally()
    answers = [answer(), answer(etag='"b"'), answer()]
    tally.add("page", "/1", answers, settled=False)
    assert (tally.unsettled, tally.differences) == (1, 0)
    tally.add("page", "/1", answers, settled=True)
    assert (tally.unsettled, tally.differences, tally.compared.total()) == (1, 1, 0)
    assert tally.different == ["""page: /1: etag '"a"', '"b"', '"a"'"""]


def test_a_change_shows_in_the_mark_until_it_was_heard() -> None:
    quiet = Quiet()
    before = quiet.mark()
    assert before == quiet.mark() is not None
    with quiet.changing():
        assert quiet.mark() is None
    assert quiet.mark() not in (None, before)
    with quiet.changing(HEARD_WITHIN_S):
        pass
    assert quiet.mark() is None


FLAT = {
    "nothing happens": [100.0] * 30,
    "it warms up": [10.0] * 10 + [200.0] * 20,
    "it comes and goes": [0.0, 5000.0, 10_000.0] * 10,
    "one reading stands out": [100.0] * 29 + [10_000.0],
    "within the factor": [100.0] * 20 + [110.0] * 10,
}
GROWING = {
    "it never ends": [100.0 * step for step in range(30)],
    "late": [1000.0] * 20 + [1000.0 * step for step in range(1, 11)],
    "slowly": [10_000.0 * 1.02**step for step in range(30)],
}


@pytest.mark.parametrize("readings", FLAT.values(), ids=FLAT.keys())
def test_what_stays_as_it_is_is_flat(readings: list[float]) -> None:
    assert Resource("process", "MiB", readings).is_flat


@pytest.mark.parametrize("readings", GROWING.values(), ids=GROWING.keys())
@pytest.mark.parametrize("unit", ["MiB", "descriptors", "threads", "connections", "keys", "MiB in Valkey"])
def test_what_grows_is_noticed(readings: list[float], unit: str) -> None:
    assert not Resource("process", unit, readings).is_flat


def test_dead_rows_that_nobody_clears_are_noticed() -> None:
    """A hundred updates a second, read every five seconds, for ten minutes."""
    assert not Resource("tables", "dead rows", [500.0 * step for step in range(120)]).is_flat
    cleared = [500.0 * (step % 12) for step in range(120)]
    assert Resource("tables", "dead rows", cleared).is_flat


def test_a_long_run_demands_samples_and_judges_growth() -> None:
    growing = [Resource("process", "MiB", [100.0 * step for step in range(30)])]

    def findings(seconds: float, samples: int, resources: list[Resource], differences: int = 0) -> Findings:
        tally = Tally(differences=differences)
        tally.compared["page"] = samples
        return Findings(Plan(seconds), tally, tally.compared, resources)

    assert findings(60, 1, growing).met
    assert not findings(60, 0, []).met
    assert not findings(60, 1, [], differences=1).met
    assert findings(LONG_ENOUGH_S, ENOUGH_SAMPLES, []).met
    assert not findings(LONG_ENOUGH_S, ENOUGH_SAMPLES - 1, []).met
    assert not findings(LONG_ENOUGH_S, ENOUGH_SAMPLES, growing).met
    assert not findings(LONG_ENOUGH_S, ENOUGH_SAMPLES, [], differences=1).met
