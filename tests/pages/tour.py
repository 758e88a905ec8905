"""A tour of every page in every state a person can bring it to, for what must hold on all of them."""

from collections.abc import AsyncGenerator, AsyncIterator
from datetime import UTC, datetime, timedelta

from playwright.async_api import expect
from pyotp import TOTP

from app.aemp.address.read_kind import ReadKind
from app.aemp.model.values import Equipment, EquipmentHeader
from app.flows.fleet.import_fleet import import_machines
from app.flows.mail.links import mint_email_link, mint_secret
from app.simulation.fleet import simulate_fleet
from app.storage.people.email_changes import select_pending_email_change
from app.storage.token.reads import Count, ReadKey, upsert_reads
from tests.pages.other_site import OtherSite
from tests.pages.passkey_device import Device
from tests.pages.service import Service
from tests.pages.tour_owners import owners_tour
from tests.pages.tour_people import people_tour
from tests.pages.tour_requests import requests_tour
from tests.pages.visitor import Visitor
from tests.support.browser import Browser
from tests.support.people import PASSWORD, World
from tests.support.sharing import page_of

WRONG_PASSWORD = "incorrect horse battery"


async def tour(
    visitor: Visitor, service: Service, world: World, site: OtherSite
) -> AsyncGenerator[str, None]:
    """The name of each page while it is open. Needs script, to submit one form twice."""
    async for name in _password(visitor, service, world):
        yield name
    async for name in _sign_in(visitor, service, world):
        yield name
    async for name in _consent(visitor, service, world, site):
        yield name
    async for name in _account(visitor, service, world):
        yield name
    async for name in people_tour(visitor, service, world):
        yield name
    async for name in _security(visitor, service, world):
        yield name
    async for name in owners_tour(visitor, service, f"olga.{world.member.email}"):
        yield name
    async for name in requests_tour(visitor, service):
        yield name
    async for name in _demo(visitor, service):
        yield name


async def _password(visitor: Visitor, service: Service, world: World) -> AsyncIterator[str]:
    page = visitor.page
    await page.goto(service.url("/app/password/forgotten"))
    yield "password forgotten"
    await page.get_by_label("E-mail address").fill(world.member.email)
    await visitor.button("Send the link").click()
    await expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    yield "password asked"
    secret = await mint_secret(service.context, "new password", world.member.id)
    await page.goto(service.url(f"/app/password/new?link={secret}"))
    yield "password new"
    await page.goto(service.url("/app/demo/mail"))
    yield "demo mail"


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
    await page.get_by_text("Choose machines, history or an end").click()
    await page.get_by_label("These machines").check()
    await page.get_by_label("Name machines, one on a line").fill("\u0634\u0631\u0643\u0629 7\n" + "W" * 115)
    yield "consent choice"
    await visitor.button("Approve").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    yield "consent choice refused"
    await page.goto(service.consent_url(world))
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
    await page.get_by_role("link", name="Disconnect all applications").click()
    await expect(visitor.button("Yes, disconnect all")).to_be_visible()
    yield "disconnect all"
    await page.get_by_role("link", name="Machines").click()
    await expect(page.get_by_role("heading", name="No machine yet")).to_be_visible()
    yield "no machines"
    await import_machines(service.context, world.member.customer_id, _fleet())
    await page.reload()
    yield "machines"
    await page.get_by_role("link", name="Next page").click()
    yield "machines last page"
    async for name in _connection(visitor, service, world):
        yield name
    await page.get_by_role("link", name="Connected applications").click()
    await page.get_by_text("Disconnect Sitewise", exact=True).click()
    yield "disconnect"
    await page.get_by_role("button", name="Yes, disconnect").click()
    await expect(page.get_by_role("status")).to_be_visible()
    yield "disconnected"
    await page.get_by_role("link", name="Profile").click()
    change = page.get_by_role("region", name="E-mail address")
    await change.get_by_label("New e-mail address").fill(f"lee.{world.member.email}")
    await change.get_by_label("Password").fill(WRONG_PASSWORD)
    await visitor.button("Change address").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    yield "profile refused"
    await change.get_by_label("Password").fill(PASSWORD)
    await visitor.button("Change address").click()
    await expect(visitor.button("Withdraw the change")).to_be_visible()
    await page.get_by_text("Close the account", exact=True).click()
    yield "profile with a change"
    await visitor.button("Sign out").click()
    pending = await select_pending_email_change(service.context.database, world.member.id)
    assert pending is not None
    secret = await mint_email_link(service.context, pending.id, "old")
    await page.goto(service.url(f"/app/email?link={secret}"))
    yield "email link"


async def _connection(visitor: Visitor, service: Service, world: World) -> AsyncIterator[str]:
    page = visitor.page
    await _read_often(service, world)
    await page.goto(service.url(page_of(world)))
    await page.get_by_text("Day by day, as a table").click()
    await page.get_by_text("Report Sitewise", exact=True).click()
    await page.get_by_label("What is wrong").fill("W" * 115 + "\n\u0634\u0631\u0643\u0629")
    await page.get_by_label("These machines").check()
    for box in await page.get_by_role("checkbox").all():
        await box.check()
    await page.get_by_label("Show what was reported from this day on").fill("2026-05-04")
    await page.get_by_label("It ends by itself at").fill("2028-02-29T18:00:00")
    yield "connection"
    await visitor.button("Save").click()
    await expect(page.get_by_role("status")).to_be_visible()
    yield "connection changed"
    await page.get_by_label("It ends by itself at").fill("2026-01-01T00:00:00")
    await page.get_by_label("Or name machines, one on a line").fill("D 7\n\u0634\u0631\u0643\u0629 7")
    await visitor.button("Save").click()
    await expect(page.get_by_role("alert").first).to_be_visible()
    yield "connection refused"
    await page.get_by_text("Report Sitewise", exact=True).click()
    await page.get_by_label("What is wrong").fill(" ")
    await visitor.button("Send the report").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    yield "connection report refused"
    await page.get_by_label("What is wrong").fill("It reads what nobody shared.")
    await visitor.button("Send the report").click()
    await expect(page.get_by_role("status")).to_be_visible()
    yield "connection reported"


async def _read_often(service: Service, world: World) -> None:
    """Every other day of the picture, by a page of the fleet and by a machine of a long name."""
    now, ids = service.context.now(), (world.member.customer_id, world.registered.client.id)
    counts = {
        ReadKey(*ids, machine, (now - timedelta(days=ago)).date(), kind, 1): Count(1 + ago * ago, now)
        for ago in range(0, 30, 2)
        for kind, machine in ((ReadKind.FLEET_PAGE, 0), (ReadKind.MACHINE, 2**40))
    }
    await upsert_reads(service.context.database, counts)


async def _security(visitor: Visitor, service: Service, world: World) -> AsyncIterator[str]:
    page = visitor.page
    await page.goto(service.url("/app/account/security"))
    await visitor.sign_in(world.member.email, PASSWORD)
    async with Browser(base_url=service.origin) as elsewhere:
        await elsewhere.sign_in(await elsewhere.get("/app/login"), world.member.email, PASSWORD)
    await page.reload()
    yield "security"
    await page.get_by_label("Present password").fill(PASSWORD)
    await page.get_by_label("New password").fill("Hillside2026!")
    await visitor.button("Change password").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    yield "password refused"
    async for name in _passkeys(visitor, service):
        yield name
    await page.goto(service.url("/app/account/security"))
    await page.get_by_role("link", name="Set up an authenticator app").click()
    yield "authenticator"
    totp = TOTP((await page.locator(".key").inner_text()).replace(" ", ""))
    await page.get_by_label("Code", exact=True).fill(totp.now())
    await page.get_by_label("Password").fill(PASSWORD)
    await visitor.button("Turn on").click()
    await expect(page.get_by_role("heading", name="Keep these codes now")).to_be_visible()
    yield "recovery codes"
    code = await page.locator(".codes code").first.inner_text()
    await page.get_by_role("link", name="I kept them").click()
    await page.get_by_text("Turn off the authenticator app", exact=True).click()
    yield "security with app"
    await visitor.button("Sign out").click()
    await visitor.sign_in(world.member.email, PASSWORD)
    await expect(page.get_by_label("Code", exact=True)).to_be_focused()
    yield "login code"
    await page.get_by_label("Code", exact=True).fill("000000")
    await visitor.button("Sign in").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    yield "login code refused"
    await page.get_by_label("Code", exact=True).fill(code)
    await visitor.button("Sign in").click()
    await visitor.button("Sign out").click()


async def _passkeys(visitor: Visitor, service: Service) -> AsyncIterator[str]:
    page = visitor.page
    device = await Device.before(visitor)
    await page.goto(service.url("/app/account/security"))
    await page.get_by_text("Add a passkey", exact=True).click()
    form = page.locator("form", has=page.get_by_role("button", name="Go on"))
    await form.get_by_label("Password").fill(PASSWORD)
    await form.get_by_role("button", name="Go on").click()
    await page.get_by_label("Name").fill("\u0634\u0631\u0643\u0629 " + "W" * 50)
    yield "passkey new"
    await device.verify(verified=False)
    await visitor.button("Make the passkey").click()
    await expect(page.get_by_text("No passkey was used")).to_be_visible()
    yield "passkey cancelled"
    await device.verify(verified=True)
    await visitor.button("Make the passkey").click()
    await expect(page.get_by_role("status")).to_be_visible()
    await page.locator("summary", has_text="Rename").click()
    await page.locator("summary", has_text="Remove").click()
    yield "security with passkey"
    await visitor.button("Sign out").click()
    await device.verify(verified=False)
    await visitor.button("Sign in with a passkey").click()
    await expect(page.get_by_text("No passkey was used")).to_be_visible()
    yield "login passkey cancelled"
    await device.verify(verified=True)
    await visitor.button("Sign in with a passkey").click()
    await expect(page.get_by_role("heading", name="Connected applications")).to_be_visible()


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
