"""The part of the tour that follows a request of the manual route, through the pages of all three parties."""

from collections.abc import AsyncIterator
from dataclasses import replace

from playwright.async_api import expect

from app.flows.account.register_application import register_application
from app.flows.manual.ask import ask_customer
from app.flows.manual.judge import refuse_request, release_request
from app.oauth.actor import COMMAND_LINE
from app.oauth.token_string import new_id
from app.storage.people.application_owners import insert_application_owner
from tests.pages.service import Service
from tests.pages.visitor import Visitor
from tests.support.people import PASSWORD, join
from tests.support.requests import Asking, add_operator_person, add_owner

LONG = "\u0634\u0631\u0643\u0629 " + "W" * 100
WHY = f"<b>{LONG}</b> " + "w" * 150


async def requests_tour(visitor: Visitor, service: Service) -> AsyncIterator[str]:
    """The name of each page while it is open."""
    asking = await Asking.make(service.context)
    registered = await register_application(service.context, COMMAND_LINE, name=LONG, company=LONG)
    await insert_application_owner(service.context.database, registered.client.id, asking.owner.id)
    asking = replace(asking, registered=registered)
    async for name in _owner(visitor, service, asking):
        yield name
    async for name in _operator(visitor, service):
        yield name
    async for name in _customer(visitor, service, asking):
        yield name
    async for name in _pick_up(visitor, service, asking):
        yield name


async def _owner(visitor: Visitor, service: Service, asking: Asking) -> AsyncIterator[str]:
    page, context = visitor.page, service.context
    await page.goto(service.url(asking.address))
    await visitor.sign_in(asking.owner.email, PASSWORD)
    yield "connections of nobody"
    [_, request_id] = [
        await ask_customer(
            context,
            asking.actor,
            asking.application_id,
            email=f"nobody.{number}.{'w' * 50}@x.example",
            reason=WHY,
        )
        for number in range(2)
    ]
    await refuse_request(context, asking.reviewer, request_id, reason=LONG)
    await page.get_by_label("The customer's e-mail address").fill("a@x.example")
    await page.get_by_label("Why you ask").fill("https://evil.example/")
    await visitor.button("Ask").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    yield "asking refused"
    await visitor.button("Sign out").click()


async def _operator(visitor: Visitor, service: Service) -> AsyncIterator[str]:
    page, database = visitor.page, service.context.database
    person = await add_operator_person(service.context, "reviewer")
    await page.goto(service.url("/app/login"))
    await visitor.sign_in(person.email, PASSWORD)
    # As if a passkey had been added and shown: the tour is about what comes behind it.
    await database.count(
        "INSERT INTO passkey (credential_id, person_id, rp_id, public_key, sign_count, transports, name, backed_up) "
        "VALUES ($1, $2, 'localhost', '\\x00', 0, '{}', 'Laptop', false)",
        new_id().bytes,
        person.id,
    )
    await database.count(
        "UPDATE browser_session SET proved_at = clock_timestamp() WHERE person_id = $1", person.id
    )
    await page.goto(service.url("/app/operator/requests"))
    yield "manual requests"
    await visitor.button("Sign out").click()


async def _customer(visitor: Visitor, service: Service, asking: Asking) -> AsyncIterator[str]:
    page, context = visitor.page, service.context
    request_id = await ask_customer(
        context, asking.actor, asking.application_id, email=asking.world.member.email, reason=WHY
    )
    await release_request(context, asking.reviewer, request_id, reason="Known company")
    viewer = await join(asking.world, "viewer", name="Vi Ewer")
    await page.goto(service.url(f"/app/account/requests/{request_id}"))
    await visitor.sign_in(viewer.email, PASSWORD)
    yield "request seen by a viewer"
    await visitor.button("Sign out").click()
    await page.goto(service.url("/app/account"))
    await visitor.sign_in(asking.world.member.email, PASSWORD)
    yield "overview with a request"
    await page.get_by_role("link", name="See the requests").click()
    yield "requests"
    await page.get_by_role("link", name=LONG).click()
    await page.get_by_text("Choose machines, history or an end", exact=True).click()
    yield "request"
    await visitor.button("Say yes").click()
    await expect(page.get_by_role("status")).to_be_visible()
    yield "requests answered"
    await page.goto(service.url(f"/app/account/applications/{asking.application_id}"))
    yield "connection by the manual route"
    await visitor.button("Sign out").click()


async def _pick_up(visitor: Visitor, service: Service, asking: Asking) -> AsyncIterator[str]:
    page, context = visitor.page, service.context
    row = await context.database.row(
        "SELECT id FROM access_request WHERE application_id = $1 AND state = 'approved'",
        asking.application_id,
    )
    assert row is not None
    link = service.url(f"/app/developer/pick-up?link={await asking.link(row['id'])}")
    stranger = await add_owner(context)
    await page.goto(link)
    await visitor.sign_in(stranger.email, PASSWORD)
    yield "pick-up by somebody else"
    await visitor.button("Sign in as somebody else").click()
    await visitor.sign_in(asking.owner.email, PASSWORD)
    yield "pick-up"
    pick_up = page.url
    await page.goto(service.url("/app/developer"))
    yield "applications with a token to pick up"
    await page.goto(pick_up)
    await visitor.button("Make the token and show it").click()
    yield "picked up"
    await page.goto(service.url(asking.address))
    yield "connections"
    await visitor.button("Sign out").click()
