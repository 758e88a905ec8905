"""Whoever is turned away is named to the edge by the service, with its front and without."""

import asyncio
from contextlib import AsyncExitStack

import httpx2
import pytest

from app.door.bounds import Bounds
from app.oauth.token_string import compose, new_id
from app.settings import Settings
from app.throttling.failures import Failures
from tests.door.serving import serving
from tests.support.people import World
from tests.web.services import Services

HERE = "127.0.0.1"


@pytest.mark.parametrize("front", [True, False], ids=["front", "framework"])
async def test_a_forger_whose_lane_is_full_is_answered_once_a_sweep(
    settings: Settings,
    world: World,
    front: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    """R-84: three at once, and the fourth waits."""
    failures = Failures(a_minute=3)
    for _ in range(8):
        failures.note(HERE)
    services = Services(settings.model_copy(update={"asgi_front": front}), world.context)
    forged = compose("at", "c", new_id(), bytes(20)).text
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(failures.lane(HERE))
        waiting = [asyncio.create_task(_wait_in(failures)) for _ in range(7)]
        port = await stack.enter_async_context(
            serving(services.like(failures=failures), Bounds(turned_away=3, sweep_s=4))
        )
        http = await stack.enter_async_context(httpx2.AsyncClient(base_url=f"http://{HERE}:{port}"))
        await http.get("/health/alive")
        await asyncio.sleep(0.3)  # its first sweep comes at once, and the next four seconds later
        headers = {"Authorization": f"Bearer {forged}"}
        answers = [await http.get("/api/v2/Fleet/1", headers=headers) for _ in range(3)]
        assert [each.status_code for each in answers] == [429] * 3
        with pytest.raises(httpx2.ReadTimeout):
            await http.get("/api/v2/Fleet/1", headers=headers, timeout=0.5)
        for task in waiting:
            task.cancel()


async def _wait_in(failures: Failures) -> None:
    async with failures.lane(HERE):
        pass
