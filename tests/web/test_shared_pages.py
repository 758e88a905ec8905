"""A page of what is shared tells by its time and its tag of nothing else."""

from datetime import UTC, datetime

import httpx2

from app.flows.fleet.import_fleet import import_machines
from tests.support.browser import Browser
from tests.support.fleets import machine
from tests.support.people import World
from tests.support.sharing import change, these

OLDER, NEWER = datetime(2026, 5, 4, 12, tzinfo=UTC), datetime(2026, 5, 9, 12, tzinfo=UTC)


async def test_time_and_tag_of_a_page_are_those_of_what_is_shared(browser: Browser, world: World) -> None:
    """R-71: neither a machine that is left out nor a reading before the history shows in them."""
    told = [machine("PIN1", hours=1, at=OLDER), machine("PIN2", hours=1, at=NEWER)]
    await import_machines(world.context, world.member.customer_id, told)
    token = await world.token(browser)

    async def read(tag: str = '"none"') -> httpx2.Response:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", "If_None_Match": tag}
        return await browser.get("/api/v2/Fleet/1", **headers)

    whole = await read()
    assert whole.json()["snapshotTime"] == f"{NEWER:%Y-%m-%dT%H:%M:%SZ}"
    await change(browser, world, await these(world, "PIN1"))
    narrowed = await read(whole.headers["etag"])
    assert (narrowed.status_code, narrowed.json()["snapshotTime"]) == (200, f"{OLDER:%Y-%m-%dT%H:%M:%SZ}")
    await change(browser, world, {"history_from": f"{NEWER:%Y-%m-%d}"})
    hidden = await read(narrowed.headers["etag"])
    assert hidden.status_code == 200
    assert not {f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (OLDER, NEWER)} & {hidden.json()["snapshotTime"]}
    assert "CumulativeOperatingHours" not in hidden.text
    assert (await read(hidden.headers["etag"])).status_code == 304
