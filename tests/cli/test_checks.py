"""`doctor` judges the facts it finds, here without a server that has them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.cli.checks import (
    Finding,
    check_clock,
    check_data_dir,
    check_database,
    check_files,
    check_partitions,
    check_rights,
    check_settings,
    check_valkey,
)
from app.settings import Settings
from app.storage.schema.diagnosis import DatabaseFacts, PartitionFacts, ValkeyFacts

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
POSTGRES = DatabaseFacts("18.1", 180_001, NOW, connections=97, durable=True)
VALKEY = ValkeyFacts("9.1.2", NOW, connections=10_000, evicts=False, persistent=True)
PARTITIONS = PartitionFacts("strict_token", "day", ahead=8, pending=False)


def settings_of(**values: Any) -> Settings:
    return Settings.model_validate(values)


def verdicts(findings: Any) -> dict[str, str]:
    return {finding.check: finding.verdict for finding in findings}


@pytest.mark.parametrize(
    ("apart_s", "verdict"),
    [
        (0, "ok"),
        (1.9, "ok"),
        (2.1, "warning"),
        (59, "warning"),
        (61, "wrong"),
        (-2.1, "warning"),
        (-61, "wrong"),
    ],
)
def test_a_clock_is_judged_by_what_the_way_there_cannot_explain(apart_s: float, verdict: str) -> None:
    """Read between two of our own: a slow answer is no wrong clock."""
    before, after = NOW, NOW + timedelta(seconds=30)
    theirs = (after if apart_s > 0 else before) + timedelta(seconds=apart_s)
    assert check_clock("PostgreSQL", theirs, before, after).verdict == verdict
    assert check_clock("PostgreSQL", NOW + timedelta(seconds=15), before, after).verdict == "ok"


def test_a_good_database_is_found_good() -> None:
    assert set(verdicts(check_database(POSTGRES, settings_of())).values()) == {"ok"}


@pytest.mark.parametrize(
    ("facts", "check"),
    [
        (replace(POSTGRES, version_number=150_009), "PostgreSQL"),
        (replace(POSTGRES, durable=False), "durability"),
        (replace(POSTGRES, connections=31), "PostgreSQL connections"),
    ],
)
def test_an_old_forgetful_or_small_database_is_wrong(facts: DatabaseFacts, check: str) -> None:
    findings = verdicts(check_database(facts, settings_of(workers=4, limit_database_connections=8)))
    assert findings.pop(check) == "wrong"
    assert set(findings.values()) == {"ok"}


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        (VALKEY, "ok"),
        (replace(VALKEY, version="7.4"), "ok"),
        (replace(VALKEY, version="6.2.14"), "ok"),
        (replace(VALKEY, version="6.0.16"), "wrong"),
        (replace(VALKEY, evicts=True), "warning"),
        (replace(VALKEY, persistent=False), "warning"),
    ],
)
def test_a_valkey_that_forgets_codes_is_told(facts: ValkeyFacts, verdict: str) -> None:
    assert verdicts(check_valkey(facts, settings_of()))["Valkey"] == verdict


def test_more_connections_than_valkey_takes_are_wrong() -> None:
    few = replace(VALKEY, connections=63)
    findings = verdicts(check_valkey(few, settings_of(workers=4, limit_redis_connections=16)))
    assert findings == {"Valkey": "ok", "Valkey connections": "wrong"}


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        (PARTITIONS, "ok"),
        (replace(PARTITIONS, ahead=2), "ok"),
        (replace(PARTITIONS, ahead=1), "warning"),
        (replace(PARTITIONS, ahead=0), "wrong"),
        (replace(PARTITIONS, pending=True), "warning"),
    ],
)
def test_partitions_that_run_out_are_told_before_they_do(facts: PartitionFacts, verdict: str) -> None:
    [finding] = check_partitions((facts,))
    assert finding.verdict == verdict
    assert (finding.todo == "rovitracker maintain") == (verdict != "ok")


def test_rights_the_service_should_not_have_are_named() -> None:
    assert check_rights(()).verdict == "ok"
    finding = check_rights(("is a superuser", "owns tables"))
    assert finding.verdict == "wrong"
    assert "is a superuser, owns tables" in finding.found


def test_settings_that_can_be_read_and_still_be_a_mistake_are_told() -> None:
    assert verdicts(check_settings(settings_of())) == {"settings": "ok"}
    assert verdicts(check_settings(settings_of(host="0.0.0.0"))) == {"settings": "warning"}  # noqa: S104  # the mistake
    assert verdicts(check_settings(settings_of(smtp_url="smtps://u:p@mail.example")))["mail"] == "wrong"


def test_files_that_others_can_read_are_wrong(tmp_path: Path) -> None:
    key = tmp_path / "secret_key"
    key.write_text("x")
    key.chmod(0o600)
    assert check_data_dir(settings_of(data_dir=tmp_path)).verdict == "ok"
    key.chmod(0o640)
    assert check_data_dir(settings_of(data_dir=tmp_path)) == Finding(
        "data directory", "wrong", f"open to others: {key}", f"chmod go= {key}"
    )


@pytest.mark.parametrize(
    ("limit", "verdict"),
    [(10_088, "ok"), (10_087, "warning"), (1024, "warning"), (89, "warning"), (88, "wrong")],
)
def test_open_files_are_judged_by_the_connections_that_the_service_may_hold(limit: int, verdict: str) -> None:
    """R-111: 10,000 of clients, 24 of the stores, 64 for everything else."""
    finding = check_files(limit, settings_of(), connections=10_000)
    assert finding.verdict == verdict
    ways = ("ulimit -n 10088", "LimitNOFILE=10088", "--ulimit nofile=10088")
    assert [way in finding.todo for way in ways] == [verdict != "ok"] * 3
