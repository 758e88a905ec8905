"""The manual route in three browsers: an owner asks, an operator lets it through, a customer says yes, the owner picks up."""

import re

from playwright.async_api import Page, expect
from pyotp import TOTP

from tests.pages.conftest import Visit
from tests.pages.service import Service
from tests.pages.visitor import Visitor
from tests.support.people import PASSWORD
from tests.support.requests import WHY, Asking, add_operator_person

QUEUE, AUTHENTICATOR = "/app/operator/requests", "/app/account/security/authenticator"


async def test_three_people_and_two_mails_lead_to_a_token(visit: Visit, service: Service) -> None:
    """R-50, R-63, O-143: on a phone, without script, by the mails that the development page shows."""
    asking = await Asking.make(service.context)
    owner = await visit(java_script_enabled=False, viewport={"width": 390, "height": 844})
    await owner.page.goto(service.url(asking.address))
    await owner.sign_in(asking.owner.email, PASSWORD)
    await owner.page.get_by_label("The customer's e-mail address").fill(asking.world.member.email)
    await owner.page.get_by_label("Why you ask").fill(WHY)
    await owner.button("Ask").click()
    await expect(owner.page.get_by_role("status")).to_contain_text("RoviTracker looks at the request next")
    operator = await visit()
    await release(operator, service, asking)
    customer = await visit(java_script_enabled=False)
    link = await mailed(customer.page, service, asking.world.member.email, "/app/account/requests/")
    await customer.page.goto(service.url(link))
    await customer.sign_in(asking.world.member.email, PASSWORD)
    await expect(customer.page.get_by_text(WHY)).to_be_visible()
    await customer.button("Say yes").click()
    await expect(customer.page.get_by_role("status")).to_contain_text("You said yes")
    link = await mailed(owner.page, service, asking.owner.email, "/app/developer/pick-up?link=")
    await owner.page.goto(service.url(link))
    await owner.button("Make the token and show it").click()
    await expect(owner.page.get_by_text(re.compile("^rovi_at_c"))).to_be_visible()
    await owner.page.goto(service.url(link))
    await expect(owner.page.get_by_role("heading", level=1)).to_have_text("This token was picked up already")


async def release(visitor: Visitor, service: Service, asking: Asking) -> None:
    """As a reviewer who signs in for the first time, and sets the second factor up."""
    page, person = visitor.page, await add_operator_person(service.context, "reviewer")
    await page.goto(service.url(QUEUE))
    await visitor.sign_in(person.email, PASSWORD)
    key = (await page.locator("code.key").inner_text()).replace(" ", "")
    await page.get_by_label("Code", exact=True).fill(TOTP(key).now())
    await page.get_by_label("Password").fill(PASSWORD)
    await visitor.button("Turn on").click()
    await expect(page.get_by_role("heading", name="Keep these codes now")).to_be_visible()
    await page.goto(service.url(QUEUE))
    asked = page.get_by_role("listitem").filter(has_text=asking.world.member.email)
    await asked.get_by_label("Your reason").fill("Known company")
    await asked.get_by_role("button", name="Let it through").click()
    await expect(page.get_by_role("status")).to_contain_text("The request was let through")


async def mailed(page: Page, service: Service, email: str, path: str) -> str:
    """The address that the newest mail to somebody holds, from the page of development."""
    link = page.get_by_role("article").filter(has_text=email).locator(f"a[href*='{path}']")
    for _ in range(40):
        await page.goto(service.url("/app/demo/mail"))
        if await link.count():
            break
        await page.wait_for_timeout(500)
    address = await link.first.get_attribute("href")
    assert address is not None
    return path + address.partition(path)[2]
