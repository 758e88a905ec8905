"""A rental share as people walk it: two of three machines until an instant, widened and shortened, over by itself."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import expect

from tests.pages.conftest import Visit
from tests.pages.other_site import OtherSite
from tests.pages.service import Service
from tests.support.browser import Browser
from tests.support.changing import within_a_second
from tests.support.fleets import fill
from tests.support.people import PASSWORD, World
from tests.support.sharing import page_of, pins_read

PINS = ("9NRA2B3C4M0030117", "9NRA2B3C4M0030118", "9NRA2B3C4M0030119")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no_script"])
async def test_rental_share_shows_what_was_chosen_and_ends_by_itself(
    visit: Visit,
    service: Service,
    world: World,
    site: OtherSite,
    script: bool,  # noqa: FBT001  # a column
) -> None:
    """O-31, R-19: and nobody needs a new token in between."""
    await fill(service.context, world.member.customer_id, *PINS)
    visitor = await visit(java_script_enabled=script)
    page = visitor.page
    await page.goto(service.consent_url(world))
    await visitor.sign_in(world.member.email, PASSWORD)
    await page.get_by_text("Choose machines, history or an end").click()
    await expect(page.get_by_label("All machines, also those that join later")).to_be_checked()
    await page.get_by_label("These machines").check()
    # Nothing chosen is refused, and the page says how to share nothing.
    await visitor.button("Approve").click()
    await expect(page.get_by_role("alert")).to_contain_text("To share nothing, deny.")
    await expect(page.get_by_label("These machines")).to_be_checked()
    for pin in PINS[:2]:
        await page.get_by_role("checkbox", name=pin).check()
    in_an_hour = (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)
    await page.get_by_label("It ends by itself at").fill(f"{in_an_hour:%Y-%m-%dT%H:%M:%S}")
    await visitor.button("Approve").click()
    await page.wait_for_url(f"{site.callback}?**")
    async with Browser(base_url=service.origin) as server:
        answer = await world.exchange(server, site.callbacks[-1].query["code"])
        token = answer.json()["access_token"]
        assert await pins_read(server, token) == list(PINS[:2])
        assert (await world.introspect(server, token))["exp"] == int(in_an_hour.timestamp())
        await page.goto(service.url("/app/account/applications"))
        await expect(page.get_by_text("2 of 3")).to_be_visible()
        await page.get_by_role("link", name="Sitewise").click()
        await expect(page.get_by_role("checkbox", name=PINS[0])).to_be_checked()
        await page.get_by_role("checkbox", name=PINS[2]).check()
        ends_at = (datetime.now(UTC) + timedelta(seconds=20)).replace(microsecond=0)
        await page.get_by_label("It ends by itself at").fill(f"{ends_at:%Y-%m-%dT%H:%M:%S}")
        await visitor.button("Save").click()
        await expect(page.get_by_role("status")).to_be_visible()
        await expect(page.get_by_text("3 of 3")).to_be_visible()
        assert page.url == service.url(f"{page_of(world)}?changed")

        async def widened() -> bool:
            return await pins_read(server, token) == list(PINS)

        await within_a_second(widened)
        assert (await world.introspect(server, token))["exp"] == int(ends_at.timestamp())
        await asyncio.sleep((ends_at - datetime.now(UTC)).total_seconds() - 1)
        assert datetime.now(UTC) < ends_at, "the walk was too slow to see the last second"
        assert await pins_read(server, token) == list(PINS)
        await asyncio.sleep((ends_at - datetime.now(UTC)).total_seconds() + 0.05)
        ended = await server.get("/api/v2/Fleet/1", Authorization=f"Bearer {token}")
        assert ended.status_code == 401
        assert await world.introspect(server, token) == {"active": False}
    await page.goto(service.url(page_of(world)))
    await expect(page.get_by_role("heading", name="There is no such connection")).to_be_visible()


async def test_fields_of_what_is_not_sent_for_are_not_seen(
    visit: Visit, service: Service, world: World
) -> None:
    """The keyboard passes them by, too."""
    await fill(service.context, world.member.customer_id, *PINS)
    visitor = await visit()
    page = visitor.page
    await page.goto(service.consent_url(world))
    await visitor.sign_in(world.member.email, PASSWORD)
    await page.get_by_text("Choose machines, history or an end").click()
    await expect(page.get_by_role("checkbox")).to_have_count(0)
    await page.get_by_label("These machines").check()
    await expect(page.get_by_role("checkbox")).to_have_count(3)
    await expect(page.get_by_label("Or name machines, one on a line")).to_be_visible()
