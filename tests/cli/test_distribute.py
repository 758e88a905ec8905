"""`rovitracker migrate distribute` and the setting beside it, on a PostgreSQL without Citus: each is refused in a sentence."""

from tests.cli.conftest import Rovitracker, own_stores
from tests.cli.test_doctor import examine, wrong_of
from tests.support.server import free_port

CITUS = {"ROVITRACKER_DISTRIBUTED": "citus"}


def test_a_postgresql_without_citus_is_not_distributed(rovitracker: Rovitracker) -> None:
    assert rovitracker.run("migrate", "up").returncode == 0
    said = rovitracker.refuse("migrate", "distribute")
    assert "this PostgreSQL has no Citus" in said
    assert "name its coordinator in the address" in said
    assert len(said.splitlines()) == 1


def test_pending_migrations_come_first(rovitracker: Rovitracker) -> None:
    said = rovitracker.refuse("migrate", "distribute", **own_stores(rovitracker, "undistributed"))
    assert "run `rovitracker migrate up` first" in said


def test_the_start_refuses_the_setting_without_citus(rovitracker: Rovitracker) -> None:
    said = rovitracker.refuse("serve", "--port", str(free_port()), **CITUS)
    assert "ROVITRACKER_DISTRIBUTED=citus is set, and this PostgreSQL has no Citus" in said
    assert "take ROVITRACKER_DISTRIBUTED away" in said


def test_doctor_finds_the_setting_without_citus(rovitracker: Rovitracker) -> None:
    code, findings = examine(rovitracker, **CITUS)
    assert (code, wrong_of(findings)) == (1, {"distribution"})
    assert "this PostgreSQL has no Citus" in findings["distribution"]["found"]
    assert "ROVITRACKER_DISTRIBUTED" in findings["distribution"]["todo"]


def test_doctor_does_not_speak_of_citus_where_nobody_asked(rovitracker: Rovitracker) -> None:
    code, findings = examine(rovitracker)
    assert (code, wrong_of(findings)) == (0, set())
    assert "distribution" not in findings


def test_another_word_than_citus_is_refused(rovitracker: Rovitracker) -> None:
    assert "ROVITRACKER_DISTRIBUTED" in rovitracker.refuse("config", ROVITRACKER_DISTRIBUTED="yugabyte")
