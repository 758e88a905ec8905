"""`doctor` judges the facts it finds, here without a server that has them."""

import os
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.cli.checks import (
    Finding,
    check_authenticators,
    check_clock,
    check_data_dir,
    check_database,
    check_files,
    check_grants,
    check_ground,
    check_outbox,
    check_partitions,
    check_rights,
    check_settings,
)
from app.cli.passkey_check import check_passkeys
from app.cli.python_check import check_python
from app.cli.valkey_check import check_valkey
from app.oauth.keys import derive_keys
from app.settings import Settings
from app.storage.mail.outbox import OutboxFacts
from app.storage.schema.diagnosis import DatabaseFacts, PartitionFacts, ValkeyFacts
from app.storage.schema.ground import Ground
from app.storage.schema.migrations import read_migrations, rights_of

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
POSTGRES = DatabaseFacts("18.1", 180_001, NOW, connections=97, fsync=True)
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


@pytest.mark.parametrize(("pgo", "verdict"), [(True, "ok"), (False, "warning")])
def test_an_interpreter_without_pgo_is_told(pgo: bool, verdict: str) -> None:  # noqa: FBT001  # a parameter
    finding = check_python(pgo=pgo)
    assert finding.verdict == verdict
    assert bool(finding.todo) is not pgo


def test_a_good_database_is_found_good() -> None:
    assert set(verdicts(check_database(POSTGRES, settings_of())).values()) == {"ok"}


@pytest.mark.parametrize(
    ("facts", "check"),
    [
        (replace(POSTGRES, version_number=150_009), "PostgreSQL"),
        (replace(POSTGRES, connections=75), "PostgreSQL connections"),
    ],
)
def test_an_old_or_small_database_is_wrong(facts: DatabaseFacts, check: str) -> None:
    findings = verdicts(check_database(facts, settings_of(workers=4, limit_database_connections=8)))
    assert findings.pop(check) == "wrong"
    assert set(findings.values()) == {"ok"}


def test_a_database_that_forgets_is_a_warning_since_a_provider_may_keep_copies() -> None:
    [finding] = [each for each in check_database(replace(POSTGRES, fsync=False), settings_of()) if each.todo]
    assert (finding.check, finding.verdict) == ("durability", "warning")
    assert "fsync = on" in finding.todo


GROUND = Ground("rovi", "rovi_login", "UTF8", '"$user", public', "public")


@pytest.mark.parametrize(
    ("ground", "found", "todo"),
    [
        (replace(GROUND, encoding="SQL_ASCII"), "SQL_ASCII", "ENCODING 'UTF8'"),
        (
            replace(GROUND, search_path="other, public", schema="other"),
            "other, public",
            "SET search_path = public",
        ),
        (replace(GROUND, search_path="gone", schema=""), "leads nowhere", "SET search_path = public"),
    ],
)
def test_a_database_whose_names_lead_elsewhere_is_wrong(ground: Ground, found: str, todo: str) -> None:
    assert check_ground(GROUND).verdict == "ok"
    finding = check_ground(ground)
    assert finding.verdict == "wrong"
    assert found in finding.found
    assert todo in finding.todo


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        (VALKEY, "ok"),
        (replace(VALKEY, version="7.4"), "ok"),
        (replace(VALKEY, version="6.2.14"), "ok"),
        (replace(VALKEY, version="6.0.16"), "wrong"),
        (replace(VALKEY, replica=True), "wrong"),
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


def test_a_right_that_is_missing_is_named_with_what_grants_it() -> None:
    right, other = rights_of(read_migrations())[:2]
    assert check_grants(()).verdict == "ok"
    finding = check_grants((right, other))
    assert (finding.verdict, finding.todo) == ("wrong", "rovitracker migrate up")
    assert finding.found == f"{right} (and more, 2 in all)"


def test_rights_the_service_should_not_have_are_named() -> None:
    assert check_rights(()).verdict == "ok"
    finding = check_rights(("is a superuser", "owns tables"))
    assert finding.verdict == "wrong"
    assert "is a superuser, owns tables" in finding.found


@pytest.mark.parametrize(
    ("sealed_by", "verdict"),
    [(("first",), "ok"), (("first", "second"), "warning"), (("second", "gone"), "wrong")],
)
def test_authenticator_apps_are_judged_by_the_key_that_sealed_them(
    sealed_by: tuple[str, ...], verdict: str
) -> None:
    """A key that is still needed is told before it is taken away, and one that is gone is told too."""
    keys = {name: derive_keys((name * 8,)).code_key_name for name in ("first", "second", "gone")}
    apps = {keys[name]: 3 for name in sealed_by}
    finding = check_authenticators(apps, derive_keys(("first" * 8, "second" * 8)))
    assert finding.verdict == verdict
    assert finding.found.startswith("3")


def test_passkeys_of_another_host_are_told_before_their_owners_notice() -> None:
    """With the value that is to be set, so that nobody has to try it on people."""
    settings = settings_of(public_url="https://auth.example.com")
    assert check_passkeys({}, settings).verdict == "ok"
    assert check_passkeys({"auth.example.com": 3}, settings).verdict == "ok"
    moved = check_passkeys({"auth.example.com": 1, "old.example": 3}, settings)
    assert moved.verdict == "warning"
    assert "1 bound to auth.example.com" in moved.found
    assert "3 to old.example" in moved.found
    assert "ROVITRACKER_PUBLIC_URL" in moved.todo


@pytest.mark.parametrize(
    ("public_url", "why"),
    [
        ("https://192.0.2.7", "its host is an IP address"),
        ("https://[2001:db8::7]:8443", "its host is an IP address"),
        ("http://auth.example.com", "it is not https"),
    ],
)
def test_an_address_that_no_passkey_can_be_made_for_is_told(public_url: str, why: str) -> None:
    settings = settings_of(public_url=public_url)
    finding = check_passkeys({}, settings)
    assert finding.verdict == "warning"
    assert why in finding.found
    assert "2 are kept" in check_passkeys({"old.example": 2}, settings).found


def test_settings_that_can_be_read_and_still_be_a_mistake_are_told() -> None:
    assert verdicts(check_settings(settings_of())) == {"settings": "ok"}
    assert verdicts(check_settings(settings_of(host="0.0.0.0"))) == {"settings": "warning"}  # noqa: S104  # the mistake
    production = settings_of(
        environment="production", public_url="https://auth.example.com", secret_keys=secrets.token_hex(32)
    )
    assert verdicts(check_settings(production))["mail"] == "warning"


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        (OutboxFacts(0, None, 0), "ok"),
        (OutboxFacts(2, NOW, 0), "warning"),
        (OutboxFacts(0, None, 1), "warning"),
    ],
)
def test_mails_that_do_not_leave_are_told(facts: OutboxFacts, verdict: str) -> None:
    finding = check_outbox(facts, settings_of())
    assert finding.verdict == verdict
    assert bool(finding.todo) == (verdict != "ok")


def test_files_that_others_can_read_are_wrong(tmp_path: Path) -> None:
    key = tmp_path / "secret_key"
    key.write_text("x")
    key.chmod(0o600)
    assert check_data_dir(settings_of(data_dir=tmp_path)).verdict == "ok"
    key.chmod(0o640)
    assert check_data_dir(settings_of(data_dir=tmp_path)) == Finding(
        "data directory", "wrong", f"open to others: {key}", f"chmod go= {key}"
    )


@pytest.fixture
def ordinary_user() -> Iterator[None]:
    """Root can write everywhere. What may be written is asked for the real user, who is nobody meanwhile."""
    real = os.getuid()
    os.setreuid(real or 65534, -1)
    yield
    os.setreuid(real, -1)


@pytest.mark.usefixtures("ordinary_user")
def test_a_folder_that_cannot_be_written_is_wrong_where_it_is_used(tmp_path: Path) -> None:
    """In a container nobody can write it, and with stores and keys of one's own nobody does."""
    tmp_path.chmod(0o500)
    elsewhere = {"database_url": "postgresql://db/rovitracker", "redis_url": "redis://valkey/0"}
    keys = {"secret_keys": "0123456789abcdef" * 4}
    for used in ({}, keys, elsewhere):
        finding = check_data_dir(settings_of(data_dir=tmp_path, environment="development", **used))
        assert (finding.verdict, finding.found) == ("wrong", f"{tmp_path} cannot be written")
    finding = check_data_dir(settings_of(data_dir=tmp_path, environment="development", **elsewhere, **keys))
    assert finding == Finding("data directory", "ok", "not used: stores and keys are elsewhere")


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
