"""A tour of every page in every state a person can bring it to, for what must hold on all of them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from playwright.async_api import expect

from app.aemp.model.values import Equipment, EquipmentHeader
from app.flows.fleet.import_fleet import import_machines
from app.simulation.fleet import simulate_fleet
from tests.pages.other_site import OtherSite
from tests.pages.service import Service
from tests.pages.visitor import Visitor
from tests.support.browser import Browser
from tests.support.people import PASSWORD, World

WRONG_PASSWORD = "incorrect horse battery"


async def tour(visitor: Visitor, service: Service, world: World, site: OtherSite) -> AsyncIterator[str]:
    """The name of each page while it is open. Needs script, to submit one form twice."""
    async for name in _sign_in(visitor, service, world):
        yield name
    async for name in _consent(visitor, service, world, site):
        yield name
    async for name in _account(visitor, service, world):
        yield name
    async for name in _demo(visitor, service):
        yield name


async def _sign_in(visitor: Visitor, service: Service, world: World) -> AsyncIterator[str]:
    page = visitor.page
    await page.goto(service.url("/"))
    yield "home"
    await page.goto(service.consent_url(world, client_id="nobody"))
    yield "error"
    await page.goto(service.consent_url(world))
    yield "login"
    await visitor.sign_in(world.member.email, WRONG_PASSWORD)
    await expect(page.get_by_role("alert")).to_be_visible()
    yield "login refused"
    await visitor.sign_in(world.member.email, PASSWORD)


async def _consent(visitor: Visitor, service: Service, world: World, site: OtherSite) -> AsyncIterator[str]:
    page = visitor.page
    await expect(visitor.button("Approve")).to_be_visible()
    yield "consent"
    await approve_in_new_tab(visitor)
    async with Browser(base_url=service.origin) as server:
        await world.exchange(server, site.callbacks[-1].query["code"])
    await visitor.button("Approve").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("already connected")
    yield "already connected"
    await page.goto(service.consent_url(world))
    yield "consent again"


async def approve_in_new_tab(visitor: Visitor) -> None:
    """Approve, and keep the page that was approved."""
    form = visitor.page.locator("form", has=visitor.button("Approve"))
    await form.evaluate("form => form.target = '_blank'")
    async with visitor.context.expect_page() as opened:
        await visitor.button("Approve").click()
    tab = await opened.value
    await tab.wait_for_url("**/callback?**")
    await tab.close()
    await form.evaluate("form => form.removeAttribute('target')")


async def _account(visitor: Visitor, service: Service, world: World) -> AsyncIterator[str]:
    page = visitor.page
    await page.goto(service.url("/app/account/applications"))
    yield "connections"
    await page.get_by_role("link", name="Machines").click()
    await expect(page.get_by_role("heading", name="No machine yet")).to_be_visible()
    yield "no machines"
    await import_machines(service.context, world.member.customer_id, _fleet())
    await page.reload()
    yield "machines"
    await page.get_by_role("link", name="Next page").click()
    yield "machines last page"
    await page.get_by_role("link", name="Connected applications").click()
    await page.get_by_text("Disconnect Sitewise", exact=True).click()
    yield "disconnect"
    await page.get_by_role("button", name="Yes, disconnect").click()
    await expect(page.get_by_role("status")).to_be_visible()
    yield "disconnected"
    await visitor.button("Sign out").click()


def _fleet() -> tuple[Equipment, ...]:
    """More than a page, and one of a long name that never reported anything."""
    silent = Equipment(header=EquipmentHeader(oem_name="Nordhoff", model="X" * 60, pin="9NRA2B3C4M0030199"))
    made = simulate_fleet(machines=104, days=2, interval_s=3600, seed=3, now=datetime.now(UTC))
    return (silent, *made)


async def _demo(visitor: Visitor, service: Service) -> AsyncIterator[str]:
    page = visitor.page
    await page.goto(service.demo.consent_url)
    yield "demo login"
    await visitor.sign_in(service.demo.email, service.demo.password)
    await visitor.button("Deny").click()
    await expect(page.get_by_role("alert")).to_contain_text("access_denied")
    yield "demo denied"
    await page.goto(service.demo.consent_url)
    yield "demo consent"
    await visitor.button("Approve").click()
    await expect(visitor.button("Send the token request")).to_be_visible()
    yield "demo code"
    await visitor.button("Send the token request").click()
    await expect(visitor.button("Send the fleet request")).to_be_visible()
    yield "demo token"
    await visitor.button("Send the fleet request").click()
    await expect(page.get_by_role("region", name="Fleet answer")).to_be_visible()
    yield "demo fleet"
