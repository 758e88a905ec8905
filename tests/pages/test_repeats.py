"""Impatient customers: double clicks, a second press while the first is under way, going back."""

import asyncio
import re

from playwright.async_api import APIResponse, Route, expect

from tests.pages.conftest import Visit
from tests.pages.other_site import OtherSite
from tests.pages.service import Service
from tests.pages.tour import approve_in_new_tab
from tests.pages.visitor import Visitor
from tests.support.browser import Browser
from tests.support.people import PASSWORD, World


async def open_consent(visitor: Visitor, service: Service, world: World) -> None:
    await visitor.page.goto(service.consent_url(world))
    await visitor.sign_in(world.member.email, PASSWORD)
    await expect(visitor.button("Approve")).to_be_visible()


async def redeem(service: Service, world: World, code: str) -> None:
    async with Browser(base_url=service.origin) as server:
        assert (await world.exchange(server, code)).status_code == 200


async def count_grants(service: Service, world: World) -> int:
    row = await service.context.database.row(
        "SELECT count(*) AS grants FROM authorization_grant WHERE customer_id = $1", world.member.customer_id
    )
    assert row is not None
    return int(row["grants"])


async def press_mouse(visitor: Visitor) -> None:
    await visitor.page.mouse.down()
    await visitor.page.mouse.up()


async def test_double_click_gives_one_code_and_one_grant(
    visit: Visit, service: Service, world: World, site: OtherSite
) -> None:
    """R-45."""
    visitor = await visit()
    await open_consent(visitor, service, world)
    await visitor.button("Approve").dblclick()
    await visitor.page.wait_for_url(f"{site.callback}?**")
    codes = {arrival.query["code"] for arrival in site.callbacks}
    assert len(codes) == 1
    await redeem(service, world, codes.pop())
    assert await count_grants(service, world) == 1


async def test_second_press_while_the_first_is_under_way_gets_the_same_answer(
    visit: Visit, service: Service, world: World, site: OtherSite
) -> None:
    """R-45: the network is slow, so the service decides twice before the browser hears of it once."""
    visitor = await visit()
    await open_consent(visitor, service, world)
    answers: list[APIResponse] = []
    decided, pressed_again = asyncio.Event(), asyncio.Event()

    async def slow_network(route: Route) -> None:
        answers.append(await route.fetch(max_redirects=0))
        decided.set()
        if len(answers) == 1:
            await pressed_again.wait()
            return  # the browser gave this one up when the button was pressed again
        await route.fulfill(response=answers[-1])

    await visitor.page.route("**/app/oauth2/consent", slow_network)
    await visitor.button("Approve").hover()
    await press_mouse(visitor)  # a locator would wait for the page
    await asyncio.wait_for(decided.wait(), 10)
    await press_mouse(visitor)
    # The first navigation ends in an abort, which waiting for a URL would take for a failure.
    await expect(visitor.page).to_have_url(re.compile(re.escape(f"{site.callback}?")))
    pressed_again.set()
    first, second = answers
    assert first.status == second.status == 303
    assert first.headers["location"] == second.headers["location"] == visitor.page.url


async def test_page_approved_before_connects_nothing_more(
    visit: Visit, service: Service, world: World, site: OtherSite
) -> None:
    """R-45: a tab that was left open gives the same code again, and once that is used no other."""
    visitor = await visit()
    await open_consent(visitor, service, world)
    await approve_in_new_tab(visitor)
    await approve_in_new_tab(visitor)
    first, second = site.callbacks
    assert first.query == second.query
    await redeem(service, world, first.query["code"])
    await visitor.button("Approve").click()
    heading = visitor.page.get_by_role("heading", level=1)
    await expect(heading).to_have_text("Sitewise is already connected")
    assert len(site.callbacks) == 2
    assert await count_grants(service, world) == 1


async def test_going_back_asks_anew_and_names_the_earlier_connection(
    visit: Visit, service: Service, world: World, site: OtherSite
) -> None:
    """R-45: the page is never shown from the browser's memory, so nobody approves by accident what they did before."""
    visitor = await visit()
    await open_consent(visitor, service, world)
    await visitor.button("Approve").click()
    await visitor.page.wait_for_url(f"{site.callback}?**")
    await redeem(service, world, site.callbacks[0].query["code"])
    await visitor.page.go_back()
    await expect(visitor.page.get_by_text("You connected this application on")).to_be_visible()
    assert await count_grants(service, world) == 1
