"""The part of the tour that goes through the people of an account: invited, joined, looking, refused, gone."""

from collections.abc import AsyncIterator

from playwright.async_api import expect

from app.flows.account.change_member import change_role, leave_account
from app.flows.account.invite import invite
from app.flows.mail.links import mint_invitation_secret
from app.oauth.actor import COMMAND_LINE
from app.storage.people.members import Member
from tests.pages.service import Service
from tests.pages.visitor import Visitor
from tests.support.people import PASSWORD, World, join

LONG = "W" * 115


async def people_tour(visitor: Visitor, service: Service, world: World) -> AsyncIterator[str]:
    """The name of each page while it is open."""
    viewer = await join(world, "viewer", name="Bo Berg")
    await join(world, "connector", name=LONG)
    async for name in _owner(visitor, service, world, viewer):
        yield name
    async for name in _invited(visitor, service, world):
        yield name
    page = visitor.page
    await page.goto(service.url("/app/account/people"))
    await visitor.sign_in(viewer.email, PASSWORD)
    await expect(page.get_by_text("Only owners change people.")).to_be_visible()
    yield "people seen by a viewer"
    await page.goto(service.consent_url(world))
    await expect(visitor.button("Deny, and go back")).to_be_visible()
    yield "consent without the role"
    await leave_account(service.context, viewer.actor, viewer)
    await page.goto(service.url("/app/account"))
    yield "overview without account"
    await visitor.button("Sign out").click()


async def _owner(visitor: Visitor, service: Service, world: World, viewer: Member) -> AsyncIterator[str]:
    page = visitor.page
    await page.goto(service.url("/app/login"))
    await visitor.sign_in(world.member.email, PASSWORD)
    await expect(page.get_by_role("heading", name=world.member.customer_name)).to_be_visible()
    yield "overview"
    await page.get_by_role("link", name="People", exact=True).click()
    await page.get_by_label("E-mail address", exact=True).fill(f"carla.{world.member.id}@elsewhere.example")
    await page.get_by_label("Role").last.select_option("connector")
    await visitor.button("Send the invitation").click()
    await expect(page.get_by_role("status")).to_be_visible()
    await page.get_by_text("Change the role of Bo Berg", exact=True).click()
    await page.get_by_text("Transfer the ownership", exact=True).click()
    yield "people"
    context, account = service.context, world.member.customer_id
    await change_role(context, COMMAND_LINE, account, viewer.id, "connector", before="viewer")
    await visitor.button("Save the role of Bo Berg").click()
    await expect(page.get_by_role("alert")).to_contain_text("meanwhile")
    yield "people changed meanwhile"
    await change_role(context, COMMAND_LINE, account, viewer.id, "viewer", before="connector")
    await visitor.button("Sign out").click()


async def _invited(visitor: Visitor, service: Service, world: World) -> AsyncIterator[str]:
    page, account = visitor.page, world.member.customer_id
    email = f"dora.{world.member.id}@elsewhere.example"
    made = await invite(service.context, world.member.actor, account, email=email, role="connector")
    link = service.url(f"/app/invitation/{await mint_invitation_secret(service.context, made.id)}")
    await page.goto(link)
    yield "invitation"
    await page.get_by_label("Your name").fill("Dora")
    await page.get_by_label("Choose a password").fill("Hillside2026!")
    await visitor.button("Accept and sign in").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    yield "invitation refused"
    other = await World.make(service.context)
    await page.goto(service.url("/app/login"))
    await visitor.sign_in(other.member.email, PASSWORD)
    await page.goto(link)
    yield "invitation of somebody else"
    await visitor.button("Sign out, and come back here").click()
    await page.get_by_label("Your name").fill("Dora")
    await page.get_by_label("Choose a password").fill(PASSWORD)
    await visitor.button("Accept and sign in").click()
    await expect(page.get_by_role("status")).to_contain_text("You belong to this account now")
    yield "overview after joining"
    await visitor.button("Sign out").click()
    await page.goto(link)
    await expect(page.get_by_role("heading", name="This invitation was accepted already")).to_be_visible()
    yield "invitation accepted already"
