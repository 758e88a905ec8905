"""The faults of `make conformance` can be planted, and the command tells noticed ones from unnoticed ones."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.__main__ import main
from tests.conformance.citations import find_citations
from tests.conformance.plant import Fault, FaultError, break_source, read_faults, witnesses_of

FAULTS = read_faults()
CITATIONS = find_citations("O")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_can_be_planted_and_somebody_could_notice(fault: Fault) -> None:
    """Its text stands there once, what comes of it is Python, and tests cite what it breaks."""
    ast.parse(break_source(fault))
    assert witnesses_of(fault, CITATIONS)


def test_no_fault_names_what_is_not_there(tmp_path: Path) -> None:
    """Such code fails before a test can judge it."""
    for number, fault in enumerate(FAULTS):
        (tmp_path / f"{number} {Path(fault.file).name}").write_text(break_source(fault))
    command = ("check", "--isolated", "--select", "F821", "--output-format", "concise", f"{tmp_path}")
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_faults_are_told_apart() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert len({(fault.file, fault.text, fault.replacement) for fault in FAULTS}) == len(FAULTS)


def test_fault_whose_text_is_gone_is_told() -> None:
    fault = Fault("gone", (1,), "app/oauth/pkce.py", "no such text", "")
    with pytest.raises(FaultError, match="stands 0 times"):
        break_source(fault)
    with pytest.raises(FaultError, match="no test in tests/ cites"):
        witnesses_of(Fault("nobody's", (9999,), "app/oauth/pkce.py", "hmac", ""), CITATIONS)


def test_fault_may_be_for_the_tests_of_one_folder() -> None:
    [fault] = [each for each in FAULTS if each.name == "reuse is nothing to a whole life"]
    witnesses = witnesses_of(fault, CITATIONS)
    assert witnesses
    assert all(each.startswith("tests/lifecycle/") for each in witnesses)


TWO = """\
metadata is no JSON | 110 | app/web/oauth/metadata.py
- media_type="application/json"
+ media_type="text/plain"

nothing is broken | 110 | app/web/oauth/metadata.py
- media_type="application/json"
+ media_type="application/" + "json"
"""


@pytest.mark.timeout(400)
def test_a_fault_is_noticed_and_what_is_none_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The tests themselves run, in a copy of the source each."""
    faults = tmp_path / "faults.txt"
    faults.write_text(TWO)
    assert main(["--faults-only", "--jobs", "2", "--faults", str(faults)]) == 1
    told = capsys.readouterr().out.splitlines()
    assert "test_every_advertised_endpoint_exists" in next(line for line in told if "no JSON" in line)
    assert "NOBODY" in next(line for line in told if "nothing is broken" in line)
    assert told[-1] == "faults: 2 for 1 items, 1 unnoticed"
