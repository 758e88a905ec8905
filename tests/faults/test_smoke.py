"""A few seconds of `make check-faults`: the true service under quick faults, judged as in a long run."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conformance.plant import break_source
from tests.faults.__main__ import NOT_JUDGED, conclude
from tests.faults.ground import laid_out
from tests.faults.judge import NoJudgeError, judge, porcupine
from tests.faults.planted import PLANTED, Bug
from tests.faults.registers import entries_of
from tests.faults.schedule import FAULTS, Plan, Result, run_schedule

_QUICK = ("PostgreSQL killed", "PostgreSQL: replies lost")
_PLAN = Plan(seconds=1.0, at_once=24)

pytestmark = [pytest.mark.alone, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
async def results() -> AsyncIterator[list[Result]]:
    """What came of the quick faults; Porcupine has not judged it yet."""
    async with laid_out(workers=1) as ground:
        faults = (each for each in FAULTS if each.name in _QUICK)
        yield [await run_schedule(ground, each, 1, _PLAN, None) for each in faults]


async def test_no_promise_is_broken_under_faults(results: list[Result]) -> None:
    """R-1, R-3, R-5, R-11, R-12, R-16, R-90, R-97: by the rules in Python, and in what the database holds."""
    for result in results:
        assert result.violations == []
        assert result.bit, result.fault.name
        assert result.journal.outcomes()["redeem ok"] > 5
        assert result.journal.outcomes()["introspect inactive"] > 5


async def test_some_order_explains_what_callers_saw(results: list[Result]) -> None:
    """The same by Porcupine, a register a code, refresh family and grant."""
    try:
        program = porcupine()
    except NoJudgeError as error:
        pytest.skip(f"not judged by Porcupine, by the rules in Python alone: {error}")
    for result in results:
        verdict = judge(program, entries_of(result.journal, weak=result.fault.weak))
        assert (verdict.violations, verdict.undecided) == ([], [])


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
