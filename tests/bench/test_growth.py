"""The growth measurement at smoke size: databases are filled with real rows once, measured, and found again."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.embedded.removal import remove
from tests.server import ROOT


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data"
    yield folder
    remove(folder)


def grow(folder: Path, *options: str) -> tuple[int, str, dict[str, Any]]:
    """Exit status, the progress, and the document."""
    out = folder / "out"
    done = subprocess.run(
        [sys.executable, "-m", "bench.growth", "--tokens", "20000", "--out", str(out), *options],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (out / "growth.json").exists(), done.stderr
    assert (out / "growth.md").read_text() in done.stdout
    return done.returncode, done.stderr, json.loads((out / "growth.json").read_text())


def test_filled_databases_are_kept_and_measured(tmp_path: Path, data_dir: Path) -> None:
    """Each round checks on the wire and in PostgreSQL that the filled rows are tokens like any other."""
    kept = ("--data-dir", str(data_dir))
    status, progress, filled = grow(tmp_path, *kept, "--fill-only")
    assert status == 0
    assert "20,000 of 20,000 tokens" in progress
    assert "building classic_token_pkey" in progress
    assert [each["tokens"] for each in filled["databases"]] == [10_000, 20_000]

    short = ("--rounds", "1", "--seconds", "1", "--warm-up", "0.5", "--only", "tokens")
    status, progress, measured = grow(tmp_path, *kept, *short)
    assert status in {0, 1}, progress
    assert "building" not in progress
    assert measured["databases"] == filled["databases"]
    exchange, introspect = measured["results"]
    assert status == (0 if exchange["met"] and introspect["met"] else 1)
    assert exchange["rounds"].keys() == introspect["rounds"].keys() == {"10,000 tokens", "20,000 tokens"}
    for footprint in measured["bytes_a_token"]:
        assert 300 < footprint["table"] < 1000
        assert footprint["wal"] > footprint["table"]


def test_filling_without_a_place_to_keep_it_is_refused() -> None:
    command = [sys.executable, "-m", "bench.growth", "--fill-only"]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "--data-dir" in done.stderr
