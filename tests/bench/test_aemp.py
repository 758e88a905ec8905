"""The measurement of large fleets at smoke size: filled with real rows once, asked for on the wire, and told anew."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.aemp.plans import faults_of
from tests.server import ROOT

SMOKE = ("--machines", "150", "--gigabytes", "0.045", "--rounds", "1", "--seconds", "0.3", "--warm-up", "0.1")


@pytest.mark.timeout(120)
def test_pages_and_ingest_of_a_filled_fleet_are_measured_and_leave_nothing_behind(tmp_path: Path) -> None:
    """Each round checks on the wire that a page holds what the machines told; then that what is taken in does too."""
    out, temporary = tmp_path / "out", tmp_path / "tmp"
    temporary.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "bench.aemp", *SMOKE, "--out", str(out)],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        check=False,
    )
    # Whether the bars are met, so short a run cannot tell; that it ran to its end and found no wrong answer, it can.
    assert done.returncode in {0, 1}, done.stderr
    assert done.stdout == (out / "aemp.md").read_text()
    assert done.returncode == int("NOT MET" in done.stdout)
    document = json.loads((out / "aemp.json").read_text())
    small, large = document["fleets"]
    assert (small["machines"], small["readings"]) == (100, 288_000)
    assert (large["machines"], large["readings"]) == (150, large["told"] * 1500)
    a_reading = sum(document["bytes"].values()) / (small["readings"] + large["readings"])
    assert 100 < a_reading < 160
    assert {result["name"]: set(result["rounds"]) for result in document["pages"]} == {
        page: {"small: 100 machines", "large: 150 machines"} for page in ("fleet page", "series page")
    }
    assert all(each["met"] for each in document["plans"]), document["plans"]
    assert [each["readings"] for each in document["rendering"][:2]] == [1100, 1100]
    [taken_in], [copied] = document["ingest"]["ours"], document["ingest"]["copied"]
    assert taken_in["rows"] == copied["rows"] > 150 * 12 * 10
    assert not list(temporary.iterdir())


def test_a_plan_that_reads_a_table_or_many_rows_is_at_fault() -> None:
    walk = {"Node Type": "Index Scan", "Index Name": "reading_pkey", "Actual Rows": 100, "Actual Loops": 1}
    count = {**walk, "Rows Removed by Filter": 10_000}
    whole = {"Node Type": "Seq Scan", "Relation Name": "reading", "Actual Rows": 0, "Actual Loops": 1}
    limit = {"Node Type": "Limit", "Actual Rows": 100, "Actual Loops": 1}
    assert list(faults_of({"Plan": {**limit, "Plans": [walk]}})) == []
    assert list(faults_of({"Plan": {**limit, "Plans": [walk, {**limit, "Plans": [count, whole]}]}})) == [
        "Index Scan reads 10,100 rows, at most 400",
        "reading is read from end to end",
    ]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--fill-only",), "--data-dir"),
        (("--machines", "99"), "a page of the fleet"),
        (("--gigabytes", "0.1"), "two pages of a series"),
    ],
)
def test_what_could_not_be_measured_is_refused(options: tuple[str, ...], told: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.aemp", *options],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert told in done.stderr
