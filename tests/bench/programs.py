"""A benchmark's program as a person runs it, at smoke size: what it said, what it kept, and what it left behind."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.server import ROOT

FOREIGN = {"ROVITRACKER_NOBODY_KNOWS": "1"}  # a shell that is set to another service, which refuses the name


@dataclass(frozen=True, slots=True)
class Run:
    """report, document, rounds: NAME.md, NAME.json and NAME.rounds.json."""

    status: int
    printed: str
    said: str
    report: str
    document: dict[str, Any]
    rounds: dict[str, Any]


def start(name: str, *options: str, temporary: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program to its end. temporary: where its files are while it runs."""
    return subprocess.run(
        [sys.executable, "-m", f"bench.{name}", *options],
        cwd=ROOT,
        env={**os.environ, **FOREIGN, **({"TMPDIR": str(temporary)} if temporary else {})},
        capture_output=True,
        text=True,
        check=False,
    )


def measure(name: str, folder: Path, *options: str) -> Run:
    """A run that finds no wrong answer, says what it keeps, judges by it, and leaves nothing behind.

    Whether the bars are met, so short a run on a shared machine cannot tell.
    """
    out, temporary = folder / "out", folder / "tmp"
    temporary.mkdir(exist_ok=True)
    done = start(name, *options, "--out", str(out), temporary=temporary)
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr  # which ends with 1 as well
    kept = name.rpartition(".")[2]
    report = (out / f"{kept}.md").read_text()
    document = json.loads((out / f"{kept}.json").read_text())
    every_round = out / f"{kept}.rounds.json"
    rounds = json.loads(every_round.read_text()) if every_round.exists() else {}
    assert done.stdout.endswith(report)
    assert not list(temporary.iterdir())
    return Run(done.returncode, done.stdout, done.stderr, report, document, rounds)
