"""From an owner's page to the first sign-in of the invited person, through the mail, with script and without."""

from typing import Any

import pytest
from playwright.async_api import expect

from tests.pages.conftest import Visit
from tests.pages.other_site import OtherSite
from tests.pages.service import Service
from tests.pages.test_flow import BROWSERS
from tests.support.people import PASSWORD, World, join


@pytest.mark.parametrize("options", BROWSERS.values(), ids=BROWSERS)
async def test_an_owner_invites_somebody_who_comes_in_by_the_mail(
    visit: Visit, service: Service, world: World, options: dict[str, Any]
) -> None:
    """R-50, R-63: on a phone and a desktop, light and dark; the mail is the one that the development page shows."""
    owner = await visit(**options)
    email = f"bo.{world.member.id.hex[-12:]}@elsewhere.example"
    await owner.page.goto(service.url("/app/account/people"))
    await owner.sign_in(world.member.email, PASSWORD)
    await owner.page.get_by_label("E-mail address", exact=True).fill(email)
    await owner.page.get_by_label("Role").last.select_option("connector")
    await owner.button("Send the invitation").click()
    await expect(owner.page.get_by_role("status")).to_have_text("The invitation is on its way.")
    guest = await visit(**options)
    await _open_mail(guest.page, service, email)
    await expect(guest.page.get_by_role("heading", level=1)).to_contain_text("Join Hillside Plant Hire")
    await guest.page.get_by_label("Your name").fill("Bo Berg")
    await guest.page.get_by_label("Choose a password").fill(PASSWORD)
    await guest.button("Accept and sign in").click()
    await expect(guest.page.get_by_role("status")).to_contain_text("Your role is connector.")
    await guest.button("Sign out").click()
    await guest.sign_in(email, PASSWORD)
    await expect(guest.page.get_by_role("heading", name="Hillside Plant Hire")).to_be_visible()
    await owner.page.reload()
    await expect(owner.page.get_by_role("heading", name="Bo Berg")).to_be_visible()
    await owner.page.get_by_text("Remove Bo Berg", exact=True).click()
    await owner.button("Yes, remove Bo Berg").click()
    await expect(owner.page.get_by_role("status")).to_contain_text("was removed")
    await guest.page.goto(service.url("/app/account/machines"))
    await expect(guest.button("Sign in")).to_be_visible()


async def _open_mail(page: Any, service: Service, email: str) -> None:
    """Wait for the mail on the page of development, and follow its link."""
    link = page.get_by_role("article").filter(has_text=email).locator("a[href*='/app/invitation/']")
    for _ in range(40):
        await page.goto(service.url("/app/demo/mail"))
        if await link.count():
            break
        await page.wait_for_timeout(500)
    address = await link.first.get_attribute("href")
    # The mail names the address that the service has in its settings.
    await page.goto(service.url("/app/invitation/" + address.rpartition("/")[2]))


async def test_a_viewer_denies_by_keyboard(
    visit: Visit, service: Service, world: World, site: OtherSite
) -> None:
    """R-50: the page is no dead end, with or without a mouse."""
    viewer = await join(world, "viewer")
    visitor = await visit(java_script_enabled=False)
    await visitor.page.goto(service.consent_url(world))
    await visitor.sign_in(viewer.email, PASSWORD)
    await expect(visitor.page.get_by_role("heading", level=1)).to_contain_text("You cannot connect")
    await visitor.button("Deny, and go back").focus()
    await visitor.page.keyboard.press("Enter")
    await visitor.page.wait_for_url(f"{site.callback}?**")
    assert site.callbacks[-1].query["error"] == "access_denied"
