"""Passkeys in a real browser with a virtual authenticator: added, used, cancelled, removed; and no trace without script."""

import re

from playwright.async_api import expect
from pyotp import TOTP

from app.storage.people.passkeys import select_passkeys_of
from app.storage.people.people import select_person_by_id
from tests.pages.conftest import Visit
from tests.pages.other_site import OtherSite
from tests.pages.passkey_device import Device
from tests.pages.service import Service
from tests.pages.visitor import Visitor
from tests.support.people import PASSWORD, World, join

SECURITY = "/app/account/security"
WITH_PASSKEY = "Sign in with a passkey"


async def sign_in(visitor: Visitor, service: Service, world: World) -> None:
    await visitor.page.goto(service.url(SECURITY))
    await visitor.sign_in(world.member.email, PASSWORD)
    await expect(visitor.page.get_by_role("heading", name="Passkeys")).to_be_visible()


async def add(visitor: Visitor, name: str = "Work laptop") -> None:
    page = visitor.page
    await page.get_by_text("Add a passkey", exact=True).click()
    form = page.locator("form", has=page.get_by_role("button", name="Go on"))
    await form.get_by_label("Password").fill(PASSWORD)
    await form.get_by_role("button", name="Go on").click()
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Name").press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("The passkey was added")


async def sign_out(visitor: Visitor) -> None:
    await visitor.button("Sign out").click()
    await expect(visitor.button(WITH_PASSKEY)).to_be_visible()


async def test_a_passkey_is_added_and_signs_in_and_is_refused_once_removed(
    visit: Visit, service: Service, world: World
) -> None:
    visitor = await visit()
    page = visitor.page
    device = await Device.before(visitor)
    await sign_in(visitor, service, world)
    await add(visitor)
    [passkey] = await device.passkeys()
    assert passkey["isResidentCredential"]
    assert passkey["rpId"] == "localhost"
    await sign_out(visitor)
    await visitor.button(WITH_PASSKEY).click()
    await expect(page.get_by_role("heading", name="Connected applications")).to_be_visible()
    await page.goto(service.url(SECURITY))
    await expect(page.locator("[aria-labelledby=passkeys] dl")).not_to_contain_text("Not yet")
    await page.locator("summary", has_text="Remove").click()
    await (
        page.get_by_role("button", name="Yes, remove")
        .locator("xpath=..")
        .get_by_role("button", name="Use a passkey instead")
        .click()
    )
    await expect(page.get_by_role("status")).to_contain_text("The passkey was removed")
    await sign_out(visitor)
    await visitor.button(WITH_PASSKEY).click()
    await expect(page.get_by_text("That passkey was not accepted")).to_be_visible()
    await visitor.sign_in(world.member.email, PASSWORD)
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert await select_passkeys_of(service.context.database, world.member.id) == ()


async def test_a_passkey_leads_on_to_the_application(
    visit: Visit, service: Service, world: World, site: OtherSite
) -> None:
    """O-125."""
    visitor = await visit()
    await Device.before(visitor)
    await sign_in(visitor, service, world)
    await add(visitor)
    await sign_out(visitor)
    await visitor.page.goto(service.consent_url(world))
    await visitor.button(WITH_PASSKEY).click()
    await visitor.button("Approve").click()
    await visitor.page.wait_for_url(f"{site.callback}?**")
    assert site.callbacks[-1].query["code"]


async def test_the_browser_suggests_a_passkey_in_the_field_for_the_address(
    visit: Visit, service: Service, world: World
) -> None:
    visitor = await visit()
    await Device.before(visitor, suggests=True)
    await sign_in(visitor, service, world)
    await add(visitor)
    await visitor.button("Sign out").click()
    await expect(visitor.page.get_by_role("heading", name="Connected applications")).to_be_visible()
    rows = await service.context.database.rows(
        "SELECT event FROM audit_event WHERE customer_id = $1 AND event = 'person.signed_in'",
        world.member.customer_id,
    )
    assert len(rows) == 2


async def test_what_goes_wrong_in_the_window_is_told_beside_the_button(
    visit: Visit, service: Service, world: World
) -> None:
    """Nothing is lost: the button works again, and so does the password."""
    visitor = await visit()
    page = visitor.page
    device = await Device.before(visitor)
    await sign_in(visitor, service, world)
    await add(visitor)
    await page.get_by_text("Add a passkey", exact=True).click()
    form = page.locator("form", has=page.get_by_role("button", name="Go on"))
    await form.get_by_role("button", name="Use a passkey instead").click()
    await visitor.button("Make the passkey").click()
    await expect(page.get_by_text("This device has a passkey for you already")).to_be_visible()
    await page.goto(service.url(SECURITY))
    await sign_out(visitor)
    await device.verify(verified=False)
    await page.get_by_label("E-mail address").fill("kept@hillside.example")
    await visitor.button(WITH_PASSKEY).click()
    await expect(page.get_by_text("No passkey was used")).to_be_visible()
    await expect(page.get_by_label("E-mail address")).to_have_value("kept@hillside.example")
    await device.verify(verified=True)
    await visitor.button(WITH_PASSKEY).click()
    await expect(page.get_by_role("heading", name="Connected applications")).to_be_visible()


async def test_a_new_password_by_passkey_needs_only_the_new_one(
    visit: Visit, service: Service, world: World
) -> None:
    """Whoever forgot the password can set another."""
    visitor = await visit()
    page = visitor.page
    await Device.before(visitor)
    await sign_in(visitor, service, world)
    await add(visitor)
    form = page.locator("form", has=visitor.button("Change password"))
    await form.get_by_role("button", name="Use a passkey instead").click()
    await expect(form.get_by_label("New password")).to_be_focused()  # the browser asks for it
    await form.get_by_label("New password").fill("another horse, another battery")
    await form.get_by_role("button", name="Use a passkey instead").click()
    await expect(page.get_by_role("status")).to_contain_text("Your password was changed")


async def test_a_passkey_proves_on_the_pages_of_profile_people_and_set_up(
    visit: Visit, service: Service, world: World
) -> None:
    """The fields that it does not stand in for are asked for first."""
    visitor = await visit()
    page = visitor.page
    await Device.before(visitor)
    await sign_in(visitor, service, world)
    await add(visitor)
    await page.goto(service.url("/app/account/profile"))
    form = page.locator("form", has=visitor.button("Change address"))
    instead = form.get_by_role("button", name="Use a passkey instead")
    await instead.click()
    await expect(form.get_by_label("New e-mail address")).to_be_focused()
    await form.get_by_label("New e-mail address").fill(f"new.{world.member.email}")
    await instead.click()
    await expect(page.get_by_role("status").first).to_contain_text("Two mails are on their way")
    await page.goto(service.url("/app/account/security/authenticator"))
    key = (await page.locator("code.key").inner_text()).replace(" ", "")
    await page.get_by_label("Code", exact=True).fill(TOTP(key).now())
    await page.get_by_role("button", name="Use a passkey instead").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Recovery codes")
    other = await join(world, "viewer", name="Bo Berg")
    await page.goto(service.url("/app/account/people"))
    await page.locator("summary", has_text="Transfer the ownership").click()
    form = page.locator("form", has=visitor.button("Yes, transfer"))
    await form.get_by_role("button", name="Use a passkey instead").click()
    await expect(page.get_by_role("status")).to_contain_text("The account has a new owner")
    assert (await select_person_by_id(service.context.database, other.id)).role == "owner"


async def test_nobody_without_a_passkey_is_held_up(visit: Visit, service: Service, world: World) -> None:
    """No device: the browser says no, and the password signs in."""
    visitor = await visit()
    page = visitor.page
    await page.goto(service.url(SECURITY))
    await expect(visitor.button(WITH_PASSKEY)).to_be_visible()
    await expect(page.get_by_label("E-mail address")).to_have_attribute(
        "autocomplete", re.compile("username")
    )
    await visitor.sign_in(world.member.email, PASSWORD)
    await expect(page.get_by_role("heading", name="Passkeys")).to_be_visible()


async def test_without_script_the_pages_offer_no_passkey(
    visit: Visit, service: Service, world: World
) -> None:
    visitor = await visit(java_script_enabled=False)
    page = visitor.page
    await page.goto(service.url(SECURITY))
    await expect(page.get_by_text(WITH_PASSKEY)).to_be_hidden()
    await visitor.sign_in(world.member.email, PASSWORD)
    await expect(page.get_by_role("heading", name="Passkeys")).to_be_visible()
    await expect(page.get_by_text("or runs no script for it")).to_be_visible()
    await expect(page.get_by_text("Add a passkey")).to_be_hidden()


async def test_keyboard_alone_adds_and_uses_a_passkey(visit: Visit, service: Service, world: World) -> None:
    """R-50."""
    visitor = await visit()
    page = visitor.page
    await Device.before(visitor)
    await sign_in(visitor, service, world)
    await page.get_by_text("Add a passkey", exact=True).focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Name")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("The passkey was added")
    await sign_out(visitor)
    await visitor.button(WITH_PASSKEY).focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Connected applications")).to_be_visible()
