"""Full runs leave medians and not rounds, tables that follow from them, and the pictures of the README."""

import json
from pathlib import Path
from typing import Any

import pytest

from bench import pictures
from bench.load.summary import table_of
from tests.support.server import ROOT

RESULTS = ROOT / "bench" / "results"
KEPT = sorted(RESULTS.rglob("*.json"))
# locust's summary and the bytes of requests have no contenders.
COMPARED = [file for file in KEPT if file.stem not in {"bench", "traffic"}]
MOST_LINES, MOST_CHARACTERS = 50, 20_000


def comparisons_of(file: Path) -> list[dict[str, Any]]:
    document = json.loads(file.read_text())
    listed = [each for part in ("results", "comparisons", "pages") for each in document.get(part, ())]
    return [each for each in listed if "medians" in each]


@pytest.mark.parametrize("file", KEPT, ids=lambda file: str(file.relative_to(RESULTS)))
def test_a_kept_run_is_short_and_holds_no_rounds(file: Path) -> None:
    text = file.read_text()
    assert len(text.splitlines()) <= MOST_LINES
    assert len(text) < MOST_CHARACTERS
    assert '"rounds":{' not in text


@pytest.mark.parametrize("file", COMPARED, ids=lambda file: str(file.relative_to(RESULTS)))
def test_a_published_table_follows_from_the_kept_medians(file: Path) -> None:
    published = file.with_suffix(".md").read_text()
    found = comparisons_of(file)
    assert found
    assert all(table_of(each["medians"]) in published for each in found)


@pytest.mark.parametrize("picture", ["throughput.svg", "latency.svg"])
def test_a_picture_of_the_readme_shows_the_kept_results(picture: str, tmp_path: Path) -> None:
    pictures.draw(tmp_path)
    assert (tmp_path / picture).read_text() == (ROOT / "docs" / "images" / picture).read_text()
