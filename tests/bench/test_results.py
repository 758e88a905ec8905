"""Full runs leave medians and not rounds, tables that follow from them, and the pictures of the README."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench import pictures
from bench.compare.interval import Interval
from bench.compare.report import row_of
from bench.load.summary import table_of
from tests.distributed.report import table_of_costs, table_of_faults
from tests.failover.kept import table_of as table_of_fail_overs
from tests.support.server import ROOT

RESULTS = ROOT / "bench" / "results"
KEPT = sorted(RESULTS.rglob("*.json"))
# locust's summary and the bytes of requests have no contenders.
OF_SEVERAL_STORES: dict[str, Callable[[list[dict[str, Any]]], str]] = {
    "compare": lambda results: "\n".join(map(row_of, results)),
    "citus": table_of_costs,
    "citus_faults": table_of_faults,
    "failover": table_of_fail_overs,
}
COMPARED = [file for file in KEPT if file.stem not in {"bench", "traffic", *OF_SEVERAL_STORES}]
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


@pytest.mark.parametrize(
    "file",
    [file for file in KEPT if file.stem in OF_SEVERAL_STORES],
    ids=lambda file: str(file.relative_to(RESULTS)),
)
def test_a_published_table_of_several_stores_follows_from_what_is_kept(file: Path) -> None:
    results = json.loads(file.read_text())["results"]
    assert results
    assert OF_SEVERAL_STORES[file.stem](results) in file.with_suffix(".md").read_text()


def test_pages_quote_the_price_of_several_valkeys_as_it_is_kept() -> None:
    for folder in ("cluster", "sentinel"):
        [kept] = json.loads((RESULTS / folder / "compare.json").read_text())["results"]
        quoted = str(Interval(kept["ratio"], kept["low"], kept["high"]))
        for page in ("docs/operators.md", "bench/results/README.md"):
            assert quoted in (ROOT / page).read_text(), page


def test_results_quote_pages_beside_the_first_revision_as_they_are_kept() -> None:
    page = (RESULTS / "README.md").read_text()
    for kept in json.loads((RESULTS / "pages" / "compare.json").read_text())["results"]:
        assert str(Interval(kept["ratio"], kept["low"], kept["high"])) in page, kept["scenario"]


def test_pages_quote_the_price_of_citus_as_it_is_kept() -> None:
    plain, one, three = json.loads((RESULTS / "citus.json").read_text())["results"]
    ratios, grown = [f"{each['of_plain']:.2f}" for each in (one, three)], [one, three]
    text = " ".join((ROOT / "docs/operators.md").read_text().split())
    assert f"on one node took {ratios[0]} of plain PostgreSQL's processor time" in text
    assert f"and {ratios[1]} on three nodes" in text
    parts = [f"{each['postgres_us']:,.0f}" for each in grown]
    assert f"grew from {plain['postgres_us']:.0f} microseconds to {parts[0]}, and to {parts[1]}." in text
    assert f"| {ratios[0]} | met; {ratios[1]} on three nodes |" in (RESULTS / "README.md").read_text()


@pytest.mark.parametrize("picture", ["throughput.svg", "latency.svg"])
def test_a_picture_of_the_readme_shows_the_kept_results(picture: str, tmp_path: Path) -> None:
    pictures.draw(tmp_path)
    assert (tmp_path / picture).read_text() == (ROOT / "docs" / "images" / picture).read_text()
