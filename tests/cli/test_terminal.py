"""The command line as a person at a terminal meets it: tables, questions, secrets that are not shown, progress."""

import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.conftest import Rovitracker
from tests.support.server import ROOT

_PATIENCE_S = 20.0
_STYLES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(slots=True)
class Terminal:
    """A screen, how far it was read, and a keyboard."""

    process: subprocess.Popen[bytes]
    handle: int
    screen: str = ""
    read_to: int = 0

    def wait_for(self, text: str) -> None:
        """Behind what was waited for before."""
        deadline = time.monotonic() + _PATIENCE_S
        while (at := self.screen.find(text, self.read_to)) < 0:
            assert self._read(deadline), f"{text!r} never came: {self.screen}"
        self.read_to = at + len(text)

    def type(self, line: str) -> None:
        os.write(self.handle, f"{line}\n".encode())

    def type_unseen(self, secret: str) -> None:
        """Type once the terminal shows nothing of it, since a person's fingers are slow enough."""
        deadline = time.monotonic() + _PATIENCE_S
        while termios.tcgetattr(self.handle)[3] & termios.ECHO:
            assert time.monotonic() < deadline, "the terminal goes on to show what is typed"
            time.sleep(0.01)
        self.type(secret)

    def end(self) -> int:
        deadline = time.monotonic() + _PATIENCE_S
        while self._read(deadline):
            pass
        return self.process.wait(_PATIENCE_S)

    def _read(self, deadline: float) -> bool:
        """False when nothing more comes."""
        ready, _, _ = select.select([self.handle], [], [], max(0.0, deadline - time.monotonic()))
        try:
            text = os.read(self.handle, 65_536) if ready else b""
        except OSError:  # the other end is closed
            return False
        self.screen += _STYLES.sub("", text.decode(errors="replace"))
        return bool(text)


@contextmanager
def terminal(rovitracker: Rovitracker, *arguments: str) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "app", *arguments],
        cwd=ROOT,
        env=rovitracker.environment(TERM="xterm-256color", COLUMNS="160", LINES="40"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        try:
            yield Terminal(process, ours)
        finally:
            process.kill()
            os.close(ours)


def shown(rovitracker: Rovitracker, *arguments: str) -> str:
    with terminal(rovitracker, *arguments) as screen:
        assert screen.end() == 0, screen.screen
        return screen.screen


def registered(rovitracker: Rovitracker, name: str) -> str:
    answer = rovitracker.ask("app", "register", "--name", name, "--company", "Sitewise Ltd")
    return str(answer["client_id"])


def test_lists_are_tables_and_documents_only_when_asked(rovitracker: Rovitracker) -> None:
    assert "rovitracker customer add --help" in shown(rovitracker, "customer", "list")
    client_id = registered(rovitracker, "Sitewise [bold]not bold[/bold]")
    table = shown(rovitracker, "app", "list")
    assert "│" in table
    assert "client id" in table
    assert "Sitewise [bold]not bold[/bold]" in table
    assert '"client_id"' not in table
    assert "client id" in shown(rovitracker, "app", "show", client_id)
    assert '"client_id"' in shown(rovitracker, "app", "list", "--json")


def test_a_password_is_asked_for_twice_and_never_shown(rovitracker: Rovitracker) -> None:
    typed = "long enough password"
    with terminal(rovitracker, "customer", "add", "--email", "ann@hillside.example", "--name", "H") as screen:
        screen.wait_for("Password:")
        screen.type_unseen(typed)
        screen.wait_for("Repeat for confirmation:")
        screen.type_unseen("something else")
        screen.wait_for("do not match")
        screen.wait_for("Password:")
        screen.type_unseen(typed)
        screen.wait_for("Repeat for confirmation:")
        screen.type_unseen(typed)
        screen.wait_for("ann@hillside.example")
        assert screen.end() == 0
        assert typed not in screen.screen
    assert "ann@hillside.example" in shown(rovitracker, "customer", "list")


@pytest.mark.parametrize("verb", [("token", "inspect"), ("flow", "client", "--client-id", "x")], ids=" ".join)
def test_tokens_and_client_secrets_are_prompted_for(verb: tuple[str, ...], rovitracker: Rovitracker) -> None:
    what = {"token": "Token:", "flow": "Client secret:"}[verb[0]]
    with terminal(rovitracker, *verb) as screen:
        screen.wait_for(what)
        screen.type_unseen("hush-hush")
        screen.end()
        assert "hush-hush" not in screen.screen
        assert "Traceback" not in screen.screen


def test_deleting_asks_first(rovitracker: Rovitracker) -> None:
    client_id = registered(rovitracker, "Doomed")
    for answer, code in (("n", 1), ("y", 0)):
        with terminal(rovitracker, "app", "delete", client_id) as screen:
            screen.wait_for("Delete Doomed of Sitewise Ltd for ever? [y/N]")
            screen.type(answer)
            assert screen.end() == code
        assert ("Doomed" in rovitracker.run("app", "list").stdout) == (answer == "n")


def test_imports_and_simulation_show_how_far_they_are(rovitracker: Rovitracker, tmp_path: Path) -> None:
    """A terminal shows it: a program's stderr stays empty, which every other test of these verbs checks."""
    email = "bob@hillside.example"
    rovitracker.ask("customer", "add", "--email", email, "--name", "Bob", stdin="long enough password\n")
    simulated = shown(
        rovitracker, "fleet", "simulate", "--customer", email, "--machines", "30", "--days", "1"
    )
    assert re.search(r"simulating .* \d+%", simulated)
    assert re.search(r"added +30\b", simulated)
    document = tmp_path / "fleet.xml"
    document.write_text(
        '<Fleet xmlns="http://standards.iso.org/iso/15143/-3" version="1" snapshotTime="2026-05-04T12:00:00Z">'
        "<Equipment><EquipmentHeader><OEMName>Kranich</OEMName><EquipmentID>7</EquipmentID>"
        "<PIN>KRANICH0000000007</PIN></EquipmentHeader></Equipment></Fleet>"
    )
    imported = shown(rovitracker, "fleet", "import", "--customer", email, str(document))
    assert re.search(r"fleet\.xml .* \d+%", imported)


def test_doctor_prints_a_table(rovitracker: Rovitracker) -> None:
    table = shown(rovitracker, "doctor")
    assert "what to do" in table
    assert "│" in table
