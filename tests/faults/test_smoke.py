"""A few seconds of `make check-faults`: the true service under a quick fault, judged as in a long run."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tests.conformance.plant import break_source
from tests.faults.__main__ import NOT_JUDGED, conclude
from tests.faults.fault import Fault
from tests.faults.ground import Ground, laid_out
from tests.faults.judge import NoJudgeError, judge, porcupine
from tests.faults.kept import record_of, render
from tests.faults.planted import PLANTED, Bug
from tests.faults.registers import entries_of
from tests.faults.report import summary_of
from tests.faults.schedule import FAULTS, Plan, Result, run_schedule

_QUICK = next(each for each in FAULTS if each.name == "PostgreSQL: replies lost")
_PLAN = Plan(seconds=1.0, at_once=24)

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
async def ground() -> AsyncIterator[Ground]:
    async with laid_out(workers=1) as ground:
        yield ground


@pytest.fixture(scope="module")
async def result(ground: Ground) -> Result:
    """The outcome of one strike. Porcupine has not judged it yet."""
    return await run_schedule(ground, replace(_QUICK, times=1), 1, _PLAN, None)


async def test_no_promise_is_broken_under_a_fault(result: Result) -> None:
    """R-1, R-3, R-4, R-11, R-12, R-16: by the rules in Python, and in what the database holds."""
    assert result.violations == []
    assert result.bit
    outcomes = result.journal.outcomes()
    assert min(outcomes[each] for each in ("redeem ok", "redeem refused", "introspect inactive")) > 5


async def test_some_order_explains_what_callers_saw(result: Result) -> None:
    """The same by Porcupine, a register a code, refresh family and grant."""
    try:
        program = porcupine()
    except NoJudgeError as error:
        pytest.skip(f"not judged by Porcupine, by the rules in Python alone: {error}")
    verdict = judge(program, entries_of(result.journal))
    assert (verdict.violations, verdict.undecided) == ([], [])


async def test_a_run_can_be_kept(result: Result) -> None:
    summary = {"judged_by_porcupine": False, **summary_of([result], [])}
    page = render(record_of(summary, len(FAULTS)))
    assert (
        f"| {_QUICK.name} | 1 | {len(result.journal.operations):,} | {_QUICK.bites}: {result.bites} |" in page
    )


async def test_a_driver_that_fails_is_told_and_ends_no_other_schedule(ground: Ground) -> None:
    async def fail(_ground: Ground, _chance: Random) -> int:
        raise LookupError("its server is not there")

    failed = await run_schedule(ground, Fault("failing", "bites", fail), 1, Plan(0.2, at_once=2), None)
    assert failed.violations == ["the driver itself failed: LookupError its server is not there"]


def test_without_porcupine_a_run_says_so_and_ends_with_a_status_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert conclude(tmp_path, None, [], []) == NOT_JUDGED
    assert "not judged" in capsys.readouterr().err
    assert json.loads((tmp_path / "faults.json").read_text())["judged_by_porcupine"] is False


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.name)
def test_a_bug_can_still_be_planted(bug: Bug) -> None:
    """Its fault is known, and each of its texts stands once in the source, which parses with the bug in it."""
    assert bug.under in {each.name for each in FAULTS}
    for text in bug.texts:
        compile(break_source(text), text.file, "exec")
