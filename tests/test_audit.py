"""`make audit` against a vulnerability service of this file, which is there, is not there, or does not do its work."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.audit import PINNED, UNKNOWN, VULNERABLE, main
from tests.support.server import free_port
from tests.support.threads import answering

JINJA = {
    "id": "TEST-2026-1",
    "summary": "made up",
    "affected": [
        {
            "package": {"name": "jinja2", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "999"}]}],
        }
    ],
}


@contextmanager
def serving(status: int, faulty: str = "") -> Iterator[tuple[str, set[str]]]:
    """A service that knows one fault of one package; its address, and the names it was asked after."""
    asked = set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name = query["package"]["name"]
            asked.add(name)
            body = json.dumps({"vulns": [JINJA]} if name == faulty else {}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: the tests read what the audit says."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, answering(server):
        yield f"http://127.0.0.1:{server.server_port}/", asked


def test_every_pinned_package_is_asked_after(capfd: pytest.CaptureFixture[str]) -> None:
    """R-114"""
    with serving(200) as (url, asked):
        assert main(["--osv-url", url]) == 0
    assert (
        f"audit: {len(asked)} packages were asked after, 0 vulnerabilities are known\n"
        in capfd.readouterr().err
    )
    pinned = {
        line.split("==")[0] for path in PINNED for line in path.read_text().splitlines() if "==" in line
    }
    elsewhere = {
        line.split("==")[0] for path in PINNED for line in path.read_text().splitlines() if " ; " in line
    }
    assert asked <= pinned
    assert pinned - asked <= elsewhere  # packages of other systems and versions of Python
    assert {"uvicorn", "cryptography", "pytest"} <= asked


def test_a_known_vulnerability_is_named_and_ends_the_audit_with_one(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """R-114: CI fails."""
    with serving(200, faulty="jinja2") as (url, _):
        assert main(["--osv-url", url]) == VULNERABLE
    said = capfd.readouterr().err
    assert "audit: jinja2 3" in said
    assert ": TEST-2026-1, mended in 999\n" in said


def test_where_nobody_can_be_asked_the_audit_says_so_with_a_status_of_its_own(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """R-114: silence is no proof."""
    assert main(["--osv-url", f"http://127.0.0.1:{free_port()}/"]) == UNKNOWN
    said = capfd.readouterr().err
    assert "audit: not known: whether a pinned package has a known vulnerability" in said
    assert "Connection refused" in said
    assert "Traceback" not in said


def test_a_service_that_fails_is_nobody_who_was_asked(capfd: pytest.CaptureFixture[str]) -> None:
    """R-114"""
    with serving(500) as (url, _):
        assert main(["--osv-url", url]) == UNKNOWN
    assert "audit: not known: " in capfd.readouterr().err
