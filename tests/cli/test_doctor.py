"""`rovitracker doctor`: what it looks at, and that each thing that is wrong is one finding among the others."""

import json
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from secrets import token_hex
from typing import Any

import pytest

from app.cli.checks import check_settings
from app.settings import Settings
from tests.cli.conftest import Rovitracker, own_stores
from tests.support.threads import answering

CHECKS = {
    "Python",
    "settings",
    "data directory",
    "file descriptors",
    "schema",
    "PostgreSQL",
    "durability",
    "PostgreSQL connections",
    "clock of PostgreSQL",
    "database",
    "service role",
    "grants",
    "partitions of audit_event",
    "partitions of strict_token",
    "Valkey",
    "Valkey connections",
    "clock of Valkey",
}


def examine(rovitracker: Rovitracker, **settings: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Exit code, and the findings by what was checked."""
    done = rovitracker.run("doctor", **settings)
    assert done.stderr == ""
    return done.returncode, {finding["check"]: finding for finding in json.loads(done.stdout)}


def wrong_of(findings: dict[str, dict[str, Any]]) -> set[str]:
    return {check for check, finding in findings.items() if finding["verdict"] == "wrong"}


def test_everything_is_looked_at_and_good(rovitracker: Rovitracker) -> None:
    code, findings = examine(rovitracker)
    assert code == 0
    assert findings.keys() >= CHECKS
    assert wrong_of(findings) == set()


def test_stores_that_do_not_answer_are_two_findings_without_their_passwords(rovitracker: Rovitracker) -> None:
    code, findings = examine(
        rovitracker,
        ROVITRACKER_DATABASE_URL="postgresql://rovi:hidden@127.0.0.1:1/rovi",
        ROVITRACKER_REDIS_URL="redis://:hidden@127.0.0.1:1",
        ROVITRACKER_ENVIRONMENT="development",
    )
    assert code == 1
    assert wrong_of(findings) == {"PostgreSQL", "Valkey"}
    for store in ("PostgreSQL", "Valkey"):
        assert "127.0.0.1:1" in findings[store]["found"]
        assert "start it, or correct" in findings[store]["todo"]
    assert "hidden" not in json.dumps(findings)


def test_a_schema_behind_and_an_owner_as_login_are_told(rovitracker: Rovitracker) -> None:
    stores = own_stores(rovitracker, "examined")
    code, findings = examine(rovitracker, **stores)
    assert (code, wrong_of(findings)) == (1, {"schema"})
    assert findings["schema"]["todo"] == "rovitracker migrate up"
    assert rovitracker.run("migrate", "up", **stores).returncode == 0
    url = stores["ROVITRACKER_DATABASE_URL"]
    code, findings = examine(
        rovitracker, **stores, ROVITRACKER_MIGRATION_DATABASE_URL=f"{url}&application_name=x"
    )
    assert (code, wrong_of(findings)) == (1, {"service role"})


def test_an_instance_with_other_secret_keys_is_told(rovitracker: Rovitracker) -> None:
    """Codes of one could not be redeemed at the other."""
    one, other = "0123456789abcdef" * 4, "fedcba9876543210" * 4
    rotate = ("key", "rotate", "--at-once")
    assert rovitracker.run(*rotate, ROVITRACKER_SECRET_KEYS=one).returncode == 0
    for keys, verdict in {one: "ok", f"{other},{one}": "ok", other: "wrong"}.items():
        finding = examine(rovitracker, ROVITRACKER_SECRET_KEYS=keys)[1]["secret keys"]
        assert finding["verdict"] == verdict
        assert ("give every instance the same ROVITRACKER_SECRET_KEYS" in finding["todo"]) == (keys == other)
    rovitracker.ask(*rotate)
    assert examine(rovitracker)[1]["secret keys"]["verdict"] == "ok"


def test_a_key_file_without_a_key_is_told(rovitracker: Rovitracker) -> None:
    file = rovitracker.embedded.data_dir / "secret_key"
    rovitracker.ask("key", "rotate", "--at-once")
    key = file.read_text()
    file.write_text("x")
    finding = examine(rovitracker)[1]["secret keys"]
    file.write_text(key)
    assert (finding["verdict"], finding["todo"]) == (
        "wrong",
        "restore it, or remove it, and a new one is made",
    )
    assert finding["found"] == f"{file} holds no key"


def test_settings_that_cannot_be_read_are_a_finding(rovitracker: Rovitracker) -> None:
    code, findings = examine(rovitracker, ROVITRACKER_PROT="1")
    assert (code, wrong_of(findings)) == (1, {"settings"})
    assert "did you mean ROVITRACKER_PORT?" in findings["settings"]["found"]


class _Greeting(socketserver.StreamRequestHandler):
    """A mail server, as far as a caller that sends nothing meets it."""

    ANSWERS = {  # noqa: RUF012  # a constant
        b"EHLO": b"250-mail.example\r\n250 AUTH PLAIN\r\n",
        b"AUTH": b"235 welcome\r\n",
        b"QUIT": b"221 bye\r\n",
    }

    def handle(self) -> None:
        self.wfile.write(b"220 mail.example\r\n")
        for line in self.rfile:
            self.wfile.write(self.ANSWERS.get(line[:4], b"250 ok\r\n"))


@contextmanager
def mail_server() -> Iterator[int]:
    with socketserver.TCPServer(("127.0.0.1", 0), _Greeting) as server, answering(server):
        yield server.server_address[1]


@pytest.mark.parametrize("address", ["abuse@rovi.example", None])
def test_production_without_an_address_for_reports_is_warned_of(address: str | None) -> None:
    production = {
        "environment": "production",
        "public_url": "https://auth.example.com",
        "secret_keys": token_hex(32),
    }
    findings = check_settings(Settings.model_validate({**production, "support_email": address}))
    warned = [each for each in findings if each.check == "reports"]
    assert [each.verdict for each in warned] == ([] if address else ["warning"])
    assert all("ROVITRACKER_SUPPORT_EMAIL" in each.todo for each in warned)


@pytest.mark.parametrize("answers", [True, False])
def test_the_mail_server_is_greeted(answers: bool, rovitracker: Rovitracker) -> None:  # noqa: FBT001  # a parameter
    with mail_server() as port:
        code, findings = examine(
            rovitracker,
            ROVITRACKER_SMTP_URL=f"smtp://u:hidden@127.0.0.1:{port if answers else 1}",
            ROVITRACKER_MAIL_FROM="RoviTracker <no-reply@rovitracker.example>",
        )
    assert code == (0 if answers else 1)
    assert findings["mail"]["verdict"] == ("ok" if answers else "wrong")
    assert "127.0.0.1" in findings["mail"]["found"]
    assert "hidden" not in json.dumps(findings)
