"""The command line where the shell, the terminal or the environment is not as usual."""

import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO, TextIOWrapper

import pytest
import typer

from app.cli.main import run
from app.cli.output import print_table
from app.cli.walk import Walk
from tests.support.server import ROOT, free_port
from tests.support.threads import answering


def test_help_stays_where_python_drops_docstrings() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app", "app", "register", "--help"],
        cwd=ROOT,
        env={**os.environ, "PYTHONOPTIMIZE": "2", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Register an application, and print its client_id" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_terminal_that_is_not_utf_8_shows_what_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    written = BytesIO()
    screen = TextIOWrapper(written, encoding="ascii")

    def verb(**_: object) -> None:
        print_table([{"name": "B\u00fccher \u2026", "company": "\u2603"}])

    monkeypatch.setattr("app.cli.main.command_line", lambda _words: verb)
    monkeypatch.setattr(sys, "stdout", screen)
    with pytest.raises(SystemExit) as ended:
        run()
    assert not ended.value.code
    screen.flush()
    printed = written.getvalue()
    assert b"B\\xfccher \\u2026" in printed
    assert b"\\u2603" in printed


class _Service(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_said: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), _Service) as server, answering(server):
        yield server.server_address[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_proxy_of_the_environment_does_not_hide_a_service_on_this_machine(
    host: str, service: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with Walk(f"http://{host}:{service}", as_json=True) as walk:
        assert walk.get("Asked", "/") == {}


def test_a_proxy_that_is_in_the_way_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    proxy = f"http://ann:hidden@127.0.0.1:{free_port()}"
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, proxy)
    with pytest.raises(typer.Exit), Walk("http://auth.example", as_json=True) as walk:
        walk.get("Asked", "/")
    said = capsys.readouterr().err
    assert "no service answers at http://auth.example through the proxy http://ann:****@127.0.0.1" in said
    assert "hidden" not in said
