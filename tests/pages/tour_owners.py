"""The part of the tour that owners of applications walk: sign-up, registration, and the test walk."""

from collections.abc import AsyncIterator
from pathlib import Path

from playwright.async_api import expect

from app.flows.account.change_application import change_application
from app.oauth.actor import COMMAND_LINE
from app.storage.people.application_changes import ApplicationChanges
from tests.pages.operator import sign_in_as_operator
from tests.pages.service import Service
from tests.pages.visitor import Visitor
from tests.support.people import PASSWORD

LOGO = Path(__file__).parents[2] / "app/web/pages/static/sitewise.png"
HOSTILE = "\u0634\u0631\u0643\u0629 " + "W" * 100


async def owners_tour(visitor: Visitor, service: Service, address: str) -> AsyncIterator[str]:
    """The name of each page while it is open. address: of somebody new."""
    page = visitor.page
    await page.goto(service.url("/app/register"))
    yield "register"
    await follow_mailed_link(visitor, address)
    yield "sign up"
    await page.get_by_label("Choose a password").fill("password123")
    await visitor.button("Sign up").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    yield "sign up refused"
    await page.get_by_label("Choose a password").fill(PASSWORD)
    await visitor.button("Sign up").click()
    await expect(page.get_by_role("heading", name="Register an application")).to_be_visible()
    yield "new application"
    await page.get_by_label("Company").fill(HOSTILE)
    await page.get_by_label("Name of the application").fill(HOSTILE)
    await page.get_by_label("Redirect addresses, one on a line").fill("http://sitewise.example/" + "w" * 300)
    await visitor.button("Register").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    yield "new application refused"
    await page.get_by_label("Redirect addresses, one on a line").fill("http://localhost:3000/" + "w" * 300)
    await page.get_by_label("Logo").set_input_files(LOGO)
    await visitor.button("Register").click()
    await expect(page.get_by_role("heading", name="Its credentials")).to_be_visible()
    yield "registered"
    await page.get_by_role("link", name="Go to the quick start").click()
    yield "quick start"
    async for name in _acting_alone(visitor, service):
        yield name
    async for name in _tabs(visitor):
        yield name
    await page.get_by_role("link", name="Your applications").click()
    yield "applications"
    await page.get_by_role("link", name=HOSTILE).click()
    await page.get_by_role("link", name="Try it now").click()
    yield "consent of the test customer"
    await visitor.button("Approve").click()
    yield "test walk with a code"
    await visitor.button("Send the token request").click()
    yield "test walk with a token"
    await visitor.button("Send the fleet request").click()
    await expect(page.get_by_role("table")).to_be_visible()
    yield "test walk with machines"
    async for name in _going_live(visitor, service, address):
        yield name


async def _acting_alone(visitor: Visitor, service: Service) -> AsyncIterator[str]:
    """The same page once RoviTracker let the application get tokens by itself."""
    page = visitor.page
    client_id = page.url.rpartition("/")[2]
    grants = frozenset({"authorization_code", "client_credentials"})
    await change_application(service.context, COMMAND_LINE, client_id, ApplicationChanges(grants=grants))
    await page.reload()
    await expect(visitor.button("Connect my test customer")).to_be_visible()
    yield "quick start, acts alone"
    await visitor.button("Connect my test customer").click()
    await expect(page.get_by_role("status")).to_be_visible()
    yield "quick start, test customer connected"


async def _going_live(visitor: Visitor, service: Service, address: str) -> AsyncIterator[str]:
    """Settings and review, as the owner and then an operator see them."""
    page = visitor.page
    await page.get_by_role("link", name="Going live").click()
    await expect(page.get_by_role("heading", name="What it needs")).to_be_visible()
    yield "going live, not ready"
    await page.get_by_role("link", name="Settings", exact=True).click()
    yield "settings"
    privacy = page.get_by_label("Link to what you do with customers' data (privacy notice)")
    await privacy.fill("http://sitewise.example/")
    await visitor.button("Save").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    yield "settings refused"
    await privacy.fill("https://sitewise.example/" + "p" * 300)
    addresses = page.get_by_label("Redirect addresses, one on a line")
    await addresses.fill("https://sitewise.example/callback\nhttp://localhost:3000/" + "w" * 300)
    await visitor.button("Save").click()
    await expect(page.get_by_role("status")).to_be_visible()
    await page.get_by_role("link", name="Going live").click()
    yield "going live"
    await visitor.button("Hand in for review").click()
    await expect(page.get_by_role("heading", name="Waits for review")).to_be_visible()
    yield "going live, handed in"
    await visitor.button("Sign out").click()
    await sign_in_as_operator(visitor, service, f"rita.{address}", "reviewer")
    await page.goto(service.url("/app/operator/reviews"))
    yield "reviews"
    await page.get_by_role("link", name=HOSTILE).last.click()
    yield "review"
    await page.get_by_label("Why not").fill("\u202e")
    await visitor.button("Refuse").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    yield "review with a fault"
    await page.get_by_label("Why not").fill("The logo is not yours.")
    await visitor.button("Refuse").click()
    await expect(page.get_by_role("status")).to_be_visible()
    await visitor.button("Sign out").click()


async def _tabs(visitor: Visitor) -> AsyncIterator[str]:
    page = visitor.page
    await page.get_by_role("link", name="Credentials").click()
    await page.get_by_text("Make a new secret", exact=True).click()
    await page.get_by_label("Password").fill("wrong horse")
    await visitor.button("Make the new secret").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    yield "credentials refused"
    await page.get_by_label("Password").fill(PASSWORD)
    await visitor.button("Make the new secret").click()
    await expect(page.get_by_role("heading", name="The new secret")).to_be_visible()
    yield "new secret"
    await page.get_by_role("link", name="Usage").click()
    yield "usage"
    await page.get_by_role("link", name="People").click()
    await page.get_by_label("E-mail address").fill("lee@sitewise.example")
    await visitor.button("Send the invitation").click()
    await expect(page.get_by_role("status")).to_be_visible()
    yield "owners"
    await page.get_by_role("link", name="Notices").click()
    await page.get_by_label("A customer is connected").uncheck()
    await visitor.button("Save").click()
    await expect(page.get_by_role("status")).to_be_visible()
    yield "notices"
    await page.get_by_role("link", name="Refused requests").click()
    await page.get_by_label("Find by reference").fill(HOSTILE[:60])
    yield "no refused request"
    await visitor.button("Find").click()
    await expect(page.get_by_role("status")).to_be_visible()
    yield "unknown reference"


async def follow_mailed_link(visitor: Visitor, address: str) -> None:
    """Ask for a link on the page that is open, and open it from the development mailbox."""
    page = visitor.page
    await page.get_by_label("E-mail address").fill(address)
    await visitor.button("Send the link").click()
    await page.get_by_role("link", name="/app/demo/mail").click()
    link = page.locator("article", has_text=address).get_by_role("link", name="/app/register/")
    while not await link.count():
        await page.wait_for_timeout(100)
        await page.reload()
    await link.click()
