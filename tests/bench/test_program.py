"""How a benchmark's program ends: status, one line on stderr, and its report in two files."""

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.ground.lines import in_lines
from bench.ground.program import Findings, end_well, run
from bench.load.rounds import RoundError
from tests.bench.programs import start


@pytest.fixture(autouse=True)
def _sigterm() -> Iterator[None]:
    """A program keeps its own until its process ends."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def raising(error: BaseException) -> Callable[[], int]:
    def work() -> int:
        raise error

    return work


@pytest.mark.parametrize("met", [True, False])
def test_findings_are_printed_kept_and_judged(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    met: bool,  # noqa: FBT001
) -> None:
    out = tmp_path / "new" / "out"
    findings = Findings("# found\n", {"found": 1}, met, {"rounds": [1, 2]})
    assert run("limit", out, lambda: findings) == int(not met)
    assert capsys.readouterr().out == (out / "limit.md").read_text() == "# found\n"
    assert json.loads((out / "limit.json").read_text()) == {"found": 1}
    assert json.loads((out / "limit.rounds.json").read_text()) == {"rounds": [1, 2]}


def test_a_document_has_a_line_for_each_comparison() -> None:
    document = {
        "machine": "2 cores",
        "bars": [1, 2],
        "results": [{"a": 1}, {"b": [2]}],
        "by": {"c": {"d": 3}},
    }
    text = in_lines({**document, "none": {}})
    assert json.loads(text) == {**document, "none": {}}
    assert text.splitlines()[1:6] == [
        '  "machine": "2 cores",',
        '  "bars": [1,2],',
        '  "results": [',
        '    {"a":1},',
        '    {"b":[2]}',
    ]
    assert '    "c": {"d":3}' in text


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (RoundError("no rest"), 2, "bench-x: no rest\n"),
        (FileNotFoundError("no file"), 2, "bench-x: no file\n"),
        (KeyboardInterrupt(), 130, "bench-x: interrupted, everything is stopped\n"),
    ],
)
def test_what_ends_a_run_is_one_line_and_a_status(
    error: BaseException, status: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert end_well("bench-x", raising(error)) == status
    assert capsys.readouterr().err == told


def test_an_error_that_nobody_expected_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        end_well("bench-x", raising(ZeroDivisionError()))


def test_a_folder_that_cannot_be_made_ends_the_run_before_it_is_measured(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert run("limit", tmp_path / "file" / "out", lambda: pytest.fail("measured")) == 2


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("limit", ("--rounds", "0"), "--rounds: 1 or more"),
        ("limit", ("--seconds", "nan"), "--seconds: more than 0"),
        ("peers", ("--only", "nobody"), "--only: none of oidc-provider, PostgreSQL"),
        ("size.growth", ("--fill-only",), "--fill-only needs a --data-dir"),
        ("size.aemp", ("--fill-only",), "--fill-only needs a --data-dir"),
        ("size.aemp", ("--machines", "99"), "a page of the fleet"),
        ("size.aemp", ("--gigabytes", "0.1"), "two pages of a series"),
    ],
)
def test_what_could_not_be_measured_is_refused(name: str, options: tuple[str, ...], told: str) -> None:
    done = start(name, *options)
    assert done.returncode == 2
    assert told in done.stderr
