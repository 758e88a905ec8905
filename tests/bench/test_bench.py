"""The load test runs at smoke size, every answer right, and leaves its reports."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server import ROOT


@pytest.mark.timeout(120)
def test_the_bench_walks_the_flow_without_a_failure(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = subprocess.run(
        [
            sys.executable,
            "bench/run.py",
            "--users",
            "2",
            "--seconds",
            "4",
            "--workers",
            "1",
            "--out",
            str(out),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with (out / "bench_stats.csv").open() as file:
        rows = {row["Name"]: row for row in csv.DictReader(file)}
    assert {"consent page", "approve", "token", "introspect", "fleet page"} <= rows.keys()
    assert {row["Failure Count"] for row in rows.values()} == {"0"}
    assert (out / "bench.html").stat().st_size > 10_000
    assert "cores shared by PostgreSQL" in done.stdout
