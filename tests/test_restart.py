"""A service that was killed is started again, and answers soon."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from time import monotonic

import httpx2
import pytest

from tests.support.browser import Browser
from tests.support.people import World
from tests.support.server import ROOT, free_port, settings_on

WITHIN_S = 3.0
STARTS = 3  # the first writes what Python compiles, so the best counts

_PATIENCE_S = 90.0


@pytest.mark.alone
@pytest.mark.timeout(300)
async def test_a_restarted_service_gives_its_first_answer_within_three_seconds(
    database_url: str, redis_url: str, world: World, browser: Browser, tmp_path: Path
) -> None:
    """After `kill -9`, from the start of the program; what it waited for a processor of a busy machine is left out."""
    token, port = await world.token(browser), free_port()
    settings = {
        **settings_on(database_url, redis_url, tmp_path),
        "ROVITRACKER_SECRET_KEYS": "0123456789abcdef" * 4,
        "ROVITRACKER_LOG_LEVEL": "error",
    }
    took = []
    for _ in range(STARTS):
        began = monotonic()
        service = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "app",
            "serve",
            "--port",
            str(port),
            env={**os.environ, **settings},
            cwd=ROOT,
        )
        try:
            async with Browser(base_url=f"http://localhost:{port}") as other:
                assert (await first_answer(world, other, token))["active"] is True
            took.append(monotonic() - began - waited_s(service.pid))
        finally:
            service.send_signal(signal.SIGKILL)
            await service.wait()
    assert min(took) < WITHIN_S, took


def waited_s(pid: int) -> float:
    """Seconds that a process was ready to run, and was not let."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


async def first_answer(world: World, browser: Browser, token: str) -> dict[str, object]:
    """What is said of the token as soon as somebody listens."""
    async with asyncio.timeout(_PATIENCE_S):
        while True:
            try:
                return await world.introspect(browser, token)
            except httpx2.TransportError:
                await asyncio.sleep(0.01)
