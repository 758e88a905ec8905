"""The growth measurement at smoke size: databases are filled with real rows once, measured, and found again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.embedded.removal import remove
from tests.bench.programs import measure

TOKENS = ("--tokens", "20000")
SHORT = (
    *("--only", "tokens", "--rounds", "1", "--seconds", "0.5", "--warm-up", "0.2"),
    *("--workers", "1", "--exchanges", "2000"),
)


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data"
    yield folder
    remove(folder)


def test_filled_databases_are_kept_and_measured(tmp_path: Path, data_dir: Path) -> None:
    """Each round checks on the wire and in PostgreSQL that the filled rows are tokens like any other."""
    kept = ("--data-dir", str(data_dir))
    filled = measure("size.growth", tmp_path, *TOKENS, *kept, "--fill-only")
    assert filled.status == 0
    assert "20,000 tokens: tokens: 20,000 in" in filled.said
    assert "20,000 tokens: indexes built: " in filled.said
    assert [each["tokens"] for each in filled.document["databases"]] == [10_000, 20_000]

    done = measure("size.growth", tmp_path, *TOKENS, *kept, *SHORT)
    assert done.printed == done.report
    assert "indexes built" not in done.said
    assert done.document["databases"] == filled.document["databases"]
    exchange, introspect = done.document["results"]
    assert done.status == (0 if exchange["met"] and introspect["met"] else 1)
    assert exchange["medians"].keys() == introspect["medians"].keys() == {"10,000 tokens", "20,000 tokens"}
    for footprint in done.document["bytes_a_token"]:
        assert 300 < footprint["table"] < 1000
        assert footprint["wal"] > footprint["table"]
        assert footprint["tokens"] == 2000
