"""A running service writes a JSON line a request, and nothing that opens anything."""

import asyncio
import json
import logging
import os
import signal
import sys
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import httpx2
import pytest

from app.logs import RequestLines
from app.web.front.access_log import note_request
from tests.support.browser import Browser
from tests.support.request_lines import request_lines
from tests.support.server import ROOT, free_port, settings_on


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_log_has_a_line_a_request_and_no_query(
    workers: str, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """R-80, R-81, O-106: a state, a code or a token in a log is one more place it can be stolen from."""
    port, log = free_port(), tmp_path / "log"
    settings = {
        **settings_on(database_url, redis_url, tmp_path),
    }
    with log.open("wb") as stream:
        service = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app", "serve", "--port", str(port), "--workers", workers),
            cwd=ROOT,
            env={**os.environ, **settings},
            stdout=stream,
        )
    try:
        async with Browser(base_url=f"http://localhost:{port}") as browser:
            await _until_answers(browser)
            await browser.get("/app/invitation/secret-invitation")
            await browser.get("/app/register/secret-invitation")
            await browser.get("/app/oauth2/authorize?client_id=x&state=secret-state")
            await browser.get("/app/demo/callback?code=secret-code")
            await browser.get("/api/v2/Fleet/1?access_token=secret-token")
    finally:
        service.send_signal(signal.SIGTERM)
        await asyncio.wait_for(service.wait(), 30)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    requests = [line["path"] for line in lines if line["event"] == "request"]
    assert requests[-5:] == [
        "/app/invitation/...",
        "/app/register/...",
        "/app/oauth2/authorize",
        "/app/demo/callback",
        "/api/v2/Fleet/1",
    ]
    assert "secret-" not in log.read_text()


async def _until_answers(browser: Browser) -> None:
    for _ in range(300):
        try:
            await browser.get("/health/alive")
        except httpx2.TransportError:
            await asyncio.sleep(0.1)
        else:
            return
    raise AssertionError("the service does not answer")


@pytest.mark.parametrize("path", ["/api/v2/Fleet/1", '/a"b\\c\x00\x7fé', "/%d%b{}"])
@pytest.mark.parametrize("client", [("192.0.2.7", 4711), None])
async def test_what_was_answered_has_the_line_of_what_was_refused(
    path: str, client: tuple[str, int] | None
) -> None:
    """R-80: the frequent ones are written in a way of their own, and nobody who reads them can tell."""
    scope = {"request_id": "r-0000001", "client": client, "method": "GET", "path": path}
    with request_lines() as lines:
        for status in (200, 304, 399, 400):
            note_request(scope, status, 0.01234)
    assert [line["status"] for line in lines] == [200, 304, 399, 400]
    assert len({tuple(line) for line in lines}) == 1
    for line in lines:
        assert datetime.fromisoformat(line["timestamp"]).tzinfo is not None
        assert line["timestamp"].endswith("Z")
    alike = {"event": "request", "client": client and client[0], "path": path, "ms": 12.3, "level": "info"}
    assert [{**line, **alike} for line in lines] == lines


async def test_a_person_who_watches_reads_refusals_with_their_references_alone() -> None:
    """Nothing that a stranger sent reaches the terminal as a command to it, and no token as itself."""
    stream = StringIO()
    lines = RequestLines()
    lines.open(stream, "warning", readable=True)
    assert lines.takes(logging.INFO)
    line = {
        "request_id": "r-0000001",
        "method": "GET",
        "path": "/app/\x1b[2J",
        "timestamp": datetime(2026, 5, 4, 9, 30, tzinfo=UTC),
    }
    lines.write({**line, "status": 200})
    lines.write({**line, "status": 400, "error": "invalid_request", "detail": "no rovi_at_cabc\r\nhere"})
    lines.write({**line, "status": 500})
    lines.flush()
    assert stream.getvalue().splitlines() == [
        "09:30:00  400  GET /app/?[2J  invalid_request: no rovi_at_...??here  (reference r-0000001)",
        "09:30:00  500  GET /app/?[2J  unexpected error, see above  (reference r-0000001)",
    ]
