"""A parallel run begins with what runs alone, and then with the longest files; tests that run alone share one turn."""

import re
from pathlib import Path

from tests.support.alone import Turns
from tests.support.order import ALONE, LONG, QUICK, scope_of
from tests.support.server import ROOT

MARKED = re.compile(r"\bpytest\.mark\.alone\b")


def test_files_of_the_order_are_there_and_each_stands_once() -> None:
    files = [*ALONE, *QUICK, *LONG]
    assert [file for file in files if not (ROOT / file).is_file()] == []
    assert len(set(files)) == len(files)


def test_those_that_run_alone_are_all_of_the_marked_files() -> None:
    tests = [file for file in (ROOT / "tests").rglob("test_*.py") if ".venv" not in file.parts]
    others = [file for file in tests if file != Path(__file__)]
    marked = {str(file.relative_to(ROOT)) for file in others if MARKED.search(file.read_text())}
    assert marked == set(ALONE)


def test_all_that_runs_alone_is_one_workers() -> None:
    assert len({scope_of(f"{file}::test_x[a::b]") for file in ALONE}) == 1
    assert scope_of("tests/test_order.py::test_x[a::b]") == "tests/test_order.py"


def is_free(folder: Path, *, alone: bool) -> bool:
    """Whether another worker would get its turn at once."""
    other = Turns(folder, waits=False)
    try:
        other.take(alone=alone)
    except BlockingIOError:
        return False
    finally:
        other.close()
    return True


def test_others_run_beside_each_other_and_nobody_beside_one_that_runs_alone(tmp_path: Path) -> None:
    turns = Turns(tmp_path)
    turns.take(alone=False)
    assert is_free(tmp_path, alone=False)
    assert not is_free(tmp_path, alone=True)
    turns.give()
    for _ in range(2):  # the second has the turn of the first
        turns.take(alone=True)
        assert not is_free(tmp_path, alone=False)
        assert not is_free(tmp_path, alone=True)
    turns.give()
    assert is_free(tmp_path, alone=True)
    turns.close()
