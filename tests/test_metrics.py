"""/metrics on the management port: the requests of all workers, by route and never by address."""

import asyncio
import re
from pathlib import Path

import httpx2
import pytest

from app.door.lag import HAND_ON_EVERY_S as LAGS_HAND_ON_EVERY_S
from app.metrics import HAND_ON_EVERY_S
from tests.support.browser import Browser
from tests.support.server import free_port, running_service, settings_on


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_requests_are_counted_by_route_over_all_workers(
    workers: str, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    management = free_port()
    settings = {
        **settings_on(database_url, redis_url, tmp_path),
        "ROVITRACKER_WORKERS": workers,
        "ROVITRACKER_MANAGEMENT_PORT": str(management),
    }
    async with running_service(port=free_port(), settings=settings) as address:
        for number in range(8):  # each its own connection, so that both workers have some
            async with Browser(base_url=address) as browser:
                await browser.http.post("/app/oauth2/token", data={"client_id": "x"})
                await browser.get(f"/api/v2/Fleet/{number}")
                await browser.http.request("PROPFIND", "/app/login")
        await asyncio.sleep(2 * HAND_ON_EVERY_S)
        async with httpx2.AsyncClient() as client:
            text = (await client.get(f"http://localhost:{management}/metrics")).text
            public = await client.get(f"{address}/metrics")
    assert public.status_code == 404  # not for everybody
    counted = dict(re.findall(r"http_server_request_duration_seconds_count\{(.*?)\} (\S+)", text))
    assert counted['method="POST",route="/app/oauth2/token",status="401"'] == "8.0"
    assert counted['method="GET",route="/api/v2/{fleet:fleet}/{address:path}",status="401"'] == "8.0"
    assert counted['method="_OTHER",route="/app/login",status="405"'] == "8.0"
    assert not [labels for labels in counted if "Fleet/3" in labels]


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_how_late_the_loops_were_is_told_over_all_workers(
    workers: str, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """R-110: one histogram and one longest lateness, whatever the number of workers."""
    management = free_port()
    settings = {
        **settings_on(database_url, redis_url, tmp_path),
        "ROVITRACKER_WORKERS": workers,
        "ROVITRACKER_MANAGEMENT_PORT": str(management),
    }
    async with running_service(port=free_port(), settings=settings):
        await asyncio.sleep(LAGS_HAND_ON_EVERY_S + 0.3)
        async with httpx2.AsyncClient() as client:
            text = (await client.get(f"http://localhost:{management}/metrics")).text
    told = dict(re.findall(r"^(rovitracker_loop_\S+) (\S+)$", text, re.MULTILINE))
    for kind in ("lag", "busy"):
        assert float(told[f"rovitracker_loop_{kind}_seconds_count"]) > 0
        assert f'rovitracker_loop_{kind}_seconds_bucket{{le="0.05"}}' in told
        assert float(told[f"rovitracker_loop_{kind}_longest_seconds"]) >= 0
    assert "pid=" not in text
