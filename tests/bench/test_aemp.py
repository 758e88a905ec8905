"""The measurement of large fleets at smoke size: filled with real rows once, asked for on the wire, and told anew."""

from pathlib import Path

import pytest

from bench.size.aemp.plans import faults_of
from tests.bench.programs import measure
from tests.support.depth import too_long

SMOKE = (
    "--machines",
    "150",
    "--gigabytes",
    "0.045",
    "--rounds",
    "1",
    "--seconds",
    "0.3",
    "--warm-up",
    "0.1",
    "--workers",
    "1",
)


@pytest.mark.timeout(120)
@too_long("pages and ingest of a large fleet are measured")
def test_pages_and_ingest_of_a_filled_fleet_are_measured_and_leave_nothing_behind(tmp_path: Path) -> None:
    """Each round checks on the wire that a page holds what the machines told; then that what is taken in does too."""
    done = measure("size.aemp", tmp_path, *SMOKE)
    assert done.printed == done.report
    assert done.status == int("NOT MET" in done.printed)
    document = done.document
    small, large = document["fleets"]
    assert (small["machines"], small["readings"]) == (100, 288_000)
    assert (large["machines"], large["readings"]) == (150, large["told"] * 1500)
    a_reading = sum(document["bytes"].values()) / (small["readings"] + large["readings"])
    assert 100 < a_reading < 160
    sizes = {page: {"small: 100 machines", "large: 150 machines"} for page in ("fleet page", "series page")}
    choices = {
        f"page of {chosen}": {"the whole fleet", chosen}
        for chosen in ("all but one machine", "fifty machines")
    }
    assert {result["name"]: set(result["medians"]) for result in document["pages"]} == sizes | choices
    assert not [each for each in document["plans"] if each["faults"]], done.rounds["plans"]
    assert [each["readings"] for each in document["rendering"][:2]] == [1100, 1100]
    [taken_in], [copied] = done.rounds["ingest"]["ours"], done.rounds["ingest"]["copied"]
    assert taken_in["rows"] == copied["rows"] > 150 * 12 * 10


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
