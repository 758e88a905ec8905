"""docs/capacity.md is as written from the kept results, and the model fits the runs that judge it."""

from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from bench.capacity.__main__ import MOST_ERROR, PAGE
from bench.capacity.model import (
    DISK_OF_A_SERVER,
    UTILISATION,
    WAL_OF_A_SERVER,
    fleet_needs,
    needs,
    response_ms,
)
from bench.capacity.page import page_of
from bench.capacity.results import RESULTS, read
from bench.capacity.traffic import main
from tests.support.depth import too_long


def test_the_page_is_as_the_command_writes_it() -> None:
    assert PAGE.read_text() == page_of(*read()), "run: python -m bench.capacity"


def test_the_model_fits_runs_that_it_was_not_fitted_to() -> None:
    _, _, checks = read()
    assert len(checks) >= 3
    assert max(check.used for check in checks) > 0.7
    for check in checks:
        assert abs(check.error) <= MOST_ERROR, check


def test_time_grows_with_what_others_use_and_no_queue_is_full() -> None:
    assert response_ms(2.0, 0.0) == 2.0
    assert response_ms(2.0, 0.5) == 4.0
    with pytest.raises(ValueError, match="no queue is stable at a utilisation of 1"):
        response_ms(2.0, 1.0)


def test_no_part_is_busier_than_planned() -> None:
    _, measured, _ = read()
    for rate in (1_000, 100_000, 10_000_000):
        found = needs(rate, measured)
        costs = measured.together if found.gathered else measured.alone
        assert rate * costs.service / 1e6 <= UTILISATION * found.processes
        assert rate * costs.valkey / 1e6 <= UTILISATION * found.valkeys
        assert found.wal <= found.shards * WAL_OF_A_SERVER
    assert needs(100_000, measured).gathered
    assert not needs(10_000_000, measured).gathered


def test_a_fleet_that_is_told_more_often_needs_more_of_postgresql_alone() -> None:
    _, measured, _ = read()
    often = {"polled_s": 60, "page": 100, "metrics": 10, "kept_days": 400}
    slow, quick = (fleet_needs(10_000_000, measured, told_s=told_s, **often) for told_s in (300, 60))
    assert quick.readings == pytest.approx(5 * slow.readings)
    assert quick.needs.postgres_cores > slow.needs.postgres_cores
    assert quick.needs.processes == slow.needs.processes
    cheap = fleet_needs(10_000_000, replace(measured, page_http=1.0), told_s=300, **often)
    assert cheap.needs.http == slow.pages
    assert slow.kept <= slow.needs.shards * DISK_OF_A_SERVER


@too_long("the bytes of an exchange and of a page are measured")
def test_what_the_traffic_command_measures_is_what_is_kept(tmp_path: Path) -> None:
    """The bytes of a page differ by its values, and those of an exchange by next to nothing."""
    assert main(["--out", str(tmp_path)]) == 0
    kept, found = (
        orjson.loads((folder / "traffic.json").read_bytes())["bytes"] for folder in (RESULTS, tmp_path)
    )
    assert kept.keys() == found.keys()
    for name, sizes in kept.items():
        for side, size in sizes.items():
            if side != "wal":  # it depends on what else the service wrote meanwhile
                assert found[name][side] == pytest.approx(size, rel=0.1)
    assert 0 < found["page, gzip"]["wal"] < 10_000
