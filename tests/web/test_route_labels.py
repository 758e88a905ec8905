"""Measurements name every answer of an address by one route, however it is refused."""

import asyncio
from asyncio import TaskGroup
from collections import defaultdict
from contextlib import AsyncExitStack
from uuid import UUID

import pytest
from prometheus_client import REGISTRY

from app.metrics import MEASUREMENTS
from app.oauth.token_string import compose
from app.throttling.failures import Failures
from app.web.table import TABLE
from tests.support.browser import Browser
from tests.web.services import Services

# An address of each route that has parameters.
_ADDRESSES = {
    "/api/{fleet:fleet}": "/api/fleet",
    "/api/{fleet:fleet}/{address:path}": "/api/Fleet/7",
    "/api/v1/{fleet:fleet}": "/api/v1/Fleet",
    "/api/v1/{fleet:fleet}/{address:path}": "/api/v1/Fleet/7",
    "/api/v2/{fleet:fleet}": "/api/v2/fleet",
    "/api/v2/{fleet:fleet}/{address:path}": "/api/v2/Fleet/7/x",
    "/app/account/applications/{application:uuid}": "/app/account/applications/0192f0c1-7b1e-7c3a-9d7e-0c6f5a4b3c2d",
    **{
        f"/app/developer/{{application:uuid}}{page}": f"/app/developer/0192f0c1-7b1e-7c3a-9d7e-0c6f5a4b3c2d{page}"
        for page in (
            "",
            "/requests",
            "/usage",
            "/usage.csv",
            "/test-customer",
            "/people",
            "/people/invite",
            "/people/withdraw",
            "/people/remove",
            "/credentials",
            "/credentials/rotate",
            "/credentials/retire",
            "/credentials/keys",
            *(f"/try{step}" for step in ("", "/token", "/fleet")),
            *(f"/connections{verb}" for verb in ("", "/ask", "/withdraw", "/resend")),
            "/notices",
            "/settings",
            *(f"/publish{verb}" for verb in ("", "/withdraw", "/delete")),
        )
    },
    "/app/account/requests/{request:uuid}": "/app/account/requests/0192f0c1-7b1e-7c3a-9d7e-0c6f5a4b3c2d",
    "/app/account/applications/{application:uuid}/report": "/app/account/applications/0192f0c1-7b1e-7c3a-9d7e-0c6f5a4b3c2d/report",
    **{
        f"/app/operator/reviews/{{review:uuid}}{page}": f"/app/operator/reviews/0192f0c1-7b1e-7c3a-9d7e-0c6f5a4b3c2d{page}"
        for page in ("", "/approve", "/refuse")
    },
    "/app/logo/{digest}.png": "/app/logo/00.png",
    "/app/static": "/app/static/pages.css",
}
FORGED = compose("at", "c", UUID("0192f0c1-7b1e-7c3a-9d7e-0c6f5a4b3c2d"), bytes(20)).text


def counted() -> dict[str, float]:
    """Requests so far by route."""
    MEASUREMENTS.flush()
    found: dict[str, float] = defaultdict(float)
    for metric in REGISTRY.collect():
        for sample in metric.samples:
            if sample.name == "http_server_request_duration_seconds_count":
                found[sample.labels["route"]] += sample.value
    return found


def paths() -> list[str]:
    return list(dict.fromkeys(row.path for row in TABLE))


@pytest.mark.parametrize("path", paths())
async def test_every_answer_of_a_route_has_its_label(path: str, browser: Browser) -> None:
    address = _ADDRESSES.get(path, path)
    before = counted()
    sent = [
        await browser.http.request(method, address, headers=headers)
        for method in ("GET", "POST", "HEAD", "OPTIONS", "PUT", "PROPFIND")
        for headers in ({}, {"Authorization": f"Bearer {FORGED}"}, {"Content-Type": "text/plain"})
    ]
    after = counted()
    new = {route: after[route] - before.get(route, 0) for route in after if after[route] != before.get(route)}
    assert new == {path: len(sent)}


async def test_a_flood_that_is_turned_away_has_the_label_of_what_it_asked_for(services: Services) -> None:
    """It is answered before the router looks at it."""
    failures = Failures(a_minute=3)
    address = "192.0.2.77"
    for _ in range(8):
        failures.note(address)
    async with AsyncExitStack() as lanes, TaskGroup() as waiting:
        await lanes.enter_async_context(failures.lane(address))
        tasks = [waiting.create_task(_wait_in(failures, address)) for _ in range(7)]
        await asyncio.sleep(0)
        before = counted()
        async with Browser(services.like(failures=failures), address=address) as browser:
            answer = await browser.get("/api/v2/Fleet/7", Authorization=f"Bearer {FORGED}")
        after = counted()
        for task in tasks:
            task.cancel()
    assert answer.status_code == 429
    new = {route: after[route] - before[route] for route in after if after[route] != before[route]}
    assert new == {"/api/v2/{fleet:fleet}/{address:path}": 1}


async def _wait_in(failures: Failures, address: str) -> None:
    async with failures.lane(address):
        pass
