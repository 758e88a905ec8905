"""An application that lives in a browser alone connects, reads and refreshes with oidc-client-ts in Chromium."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright, expect

from app.flows.account.register_application import RegisteredApplication
from bench.ground.installation import install_node
from tests.clients.pages import block
from tests.clients.served import Served
from tests.clients.software import FOLDER, installed
from tests.pages.other_site import OtherSite, open_other_site
from tests.pages.visitor import FLAGS, find_chromium, open_visitor
from tests.support.people import PASSWORD

BUNDLE = FOLDER / "javascript/node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js"
# What the application does with the page's block; its title tells how far it came.
APPLICATION = """
start().then(async () => {
  if (!location.search) return;
  const before = await machines();
  await manager.signinSilent();
  document.title = `${before.length} machines, then ${(await machines()).length}`;
}).catch((error) => (document.title = error.message));
"""
SHOWING = """
start().then(async () => {
  if (location.search) document.title = (await manager.getUser()).profile.account.name;
}).catch((error) => (document.title = error.message));
"""
NOT_FOUND = "Metadata does not contain property userinfo_endpoint"
SCOPES = ("account:read", "aemp:read")

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    found = find_chromium()
    if found is None:
        pytest.skip("not shown: that oidc-client-ts works in a browser; `make browsers` installs Chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def site() -> AsyncIterator[OtherSite]:
    async with open_other_site() as site:
        yield site


async def put_application(
    service: Served, site: OtherSite, text: str, then: str = APPLICATION
) -> RegisteredApplication:
    """The application of this block at the site's /app."""
    installed(install_node, "javascript")
    application = await service.register(f"{site.origin}/app", kind="strict", public=True, scope=SCOPES)
    scripts = [BUNDLE.read_text(), text.replace("CLIENT_ID", str(application.client.id)), then]
    site.pages["/app"] = "".join(f"<script>{script}</script>" for script in scripts)
    return application


def settings(service: Served, site: OtherSite) -> str:
    return block(
        "oidc-client-ts", "javascript", {"ISSUER": service.address, "REDIRECT_URI": f"{site.origin}/app"}
    )


async def test_it_connects_reads_and_refreshes(service: Served, site: OtherSite, chromium: Browser) -> None:
    application = await put_application(service, site, settings(service, site))
    async with open_visitor(chromium) as visitor:
        await visitor.page.goto(f"{site.origin}/app")
        await visitor.sign_in(service.world.member.email, PASSWORD)
        await visitor.button("Approve").click()
        await expect(visitor.page).to_have_title("3 machines, then 3")
    assert await service.refreshes(application) == 1


@pytest.mark.parametrize("left_out", ["nothing", "metadataSeed"])
async def test_it_shows_whose_account_was_connected(
    service: Served, site: OtherSite, chromium: Browser, left_out: str
) -> None:
    """And the trap of the page."""
    shown = block("oidc-client-ts", "js", {"ISSUER": service.address})
    shown = "".join(line for line in shown.splitlines(keepends=True) if left_out not in line)
    text = settings(service, site).replace('  scope: "aemp:read",\n', shown)
    await put_application(service, site, text, SHOWING)
    async with open_visitor(chromium) as visitor:
        await visitor.page.goto(f"{site.origin}/app")
        await visitor.sign_in(service.world.member.email, PASSWORD)
        await visitor.button("Approve").click()
        told = {"nothing": service.world.member.customer_name, "metadataSeed": NOT_FOUND}
        await expect(visitor.page).to_have_title(told[left_out])


async def test_without_a_scope_it_asks_for_another_one(
    service: Served, site: OtherSite, chromium: Browser
) -> None:
    """The trap of the page."""
    careless = settings(service, site).replace('  scope: "aemp:read",\n', "")
    await put_application(service, site, careless.replace('includes("code=")', 'includes("state=")'))
    async with open_visitor(chromium) as visitor:
        await visitor.page.goto(f"{site.origin}/app")
        await expect(visitor.page).to_have_title("scope has openid, which may not be asked for here")
