"""The whole flow as customers walk it: on a phone and a desktop, light and dark, with script and without."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import expect

from app.flows.account.register_application import register_application
from app.oauth.actor import COMMAND_LINE
from tests.pages.conftest import Visit
from tests.pages.other_site import OtherSite
from tests.pages.service import Service
from tests.support.browser import Browser
from tests.support.fleets import fill
from tests.support.people import PASSWORD, VERIFIER, Strict, World

SCREENS: dict[str, dict[str, Any]] = {
    "phone": {"viewport": {"width": 360, "height": 740}, "has_touch": True},
    "desktop": {"viewport": {"width": 1280, "height": 800}},
}
BROWSERS = {
    f"{screen}-{scheme}-{'script' if script else 'no_script'}": {
        **SCREENS[screen],
        "color_scheme": scheme,
        "java_script_enabled": script,
    }
    for screen in SCREENS
    for scheme in ("light", "dark")
    for script in (True, False)
}


@pytest.mark.parametrize("options", BROWSERS.values(), ids=BROWSERS)
async def test_customer_connects_and_disconnects_an_application(
    visit: Visit, service: Service, world: World, site: OtherSite, options: dict[str, Any]
) -> None:
    """O-1, R-50; that nothing complains and no stranger is asked (R-41, R-42) is checked by `visit`."""
    visitor = await visit(**options)
    page = visitor.page
    await page.goto(service.consent_url(world, state="a b&c=ü"))
    await visitor.sign_in(world.member.email, PASSWORD)
    await expect(page.get_by_role("heading", level=1)).to_have_text(
        "Connect Sitewise to your RoviTracker account?"
    )
    await visitor.button("Approve").click()
    await page.wait_for_url(f"{site.callback}?**")
    [arrival] = site.callbacks
    assert arrival.query["state"] == "a b&c=ü"
    assert arrival.query["iss"] == service.origin
    async with Browser(base_url=service.origin) as server:
        answer = await world.exchange(server, arrival.query["code"])
    assert answer.status_code == 200
    await page.goto(service.url("/app/account/applications"))
    await page.get_by_text("Disconnect Sitewise", exact=True).click()
    await page.get_by_role("button", name="Yes, disconnect").click()
    await expect(page.get_by_role("heading", name="Nothing is connected")).to_be_visible()
    async with Browser(base_url=service.origin) as server:
        assert await world.introspect(server, answer.json()["access_token"]) == {"active": False}


# A page of the application's own, which knows an address and its client_id, and keeps no secret.
BROWSER_APPLICATION = """
async ({ issuer, fields }) => {
  const asked = await fetch(`${issuer}/app/oauth2/token`, { method: "POST", body: new URLSearchParams(fields) });
  const headers = { Authorization: `Bearer ${(await asked.json()).access_token}`, Accept: "application/json" };
  const fleet = await fetch(`${issuer}/api/v2/Fleet/1`, { headers });
  const tag = fleet.headers.get("ETag");
  const known = { ...headers, "If-None-Match": tag };
  const again = await fetch(`${issuer}/api/v2/Fleet/1`, { headers: known, cache: "no-store" });
  return { machines: (await fleet.json()).Equipment.length, limit: fleet.headers.get("RateLimit"), again: again.status };
}
"""


async def test_browser_application_gets_its_token_and_reads_the_machines(
    visit: Visit, service: Service, world: World, site: OtherSite
) -> None:
    """O-97: a public application on another origin, by nothing but what browsers let its script do."""
    registered = await register_application(
        service.context,
        COMMAND_LINE,
        name="Sitewise in a browser",
        company="Sitewise Rentals Ltd",
        kind="strict",
        public=True,
        redirect_uris=(site.callback,),
    )
    application = Strict(service.context, world.member, registered)
    await fill(service.context, world.member.customer_id, "PIN1", "PIN2")
    visitor = await visit()
    await visitor.page.goto(service.consent_url(application))
    await visitor.sign_in(world.member.email, PASSWORD)
    await visitor.button("Approve").click()
    await visitor.page.wait_for_url(f"{site.callback}?**")
    fields = {
        "grant_type": "authorization_code",
        "client_id": application.client_id,
        "code": site.callbacks[0].query["code"],
        "code_verifier": VERIFIER,
    }
    read = await visitor.page.evaluate(BROWSER_APPLICATION, {"issuer": service.origin, "fields": fields})
    assert (read["machines"], read["again"]) == (2, 304)
    assert read["limit"].startswith('"reads";r=')


async def test_application_does_not_learn_where_the_customer_came_from(
    visit: Visit, service: Service, world: World, site: OtherSite
) -> None:
    """R-42: the page before holds the whole request in its address."""
    visitor = await visit()
    await visitor.page.goto(service.consent_url(world))
    await visitor.sign_in(world.member.email, PASSWORD)
    await visitor.button("Approve").click()
    await visitor.page.wait_for_url(f"{site.callback}?**")
    [arrival] = site.callbacks
    assert "referer" not in arrival.headers
    assert await visitor.page.evaluate("document.referrer") == ""


async def test_denying_tells_the_application_and_grants_nothing(
    visit: Visit, service: Service, world: World, site: OtherSite
) -> None:
    """R-47, O-17."""
    visitor = await visit()
    await visitor.page.goto(service.consent_url(world))
    await visitor.sign_in(world.member.email, PASSWORD)
    await visitor.button("Deny").click()
    await visitor.page.wait_for_url(f"{site.callback}?**")
    [arrival] = site.callbacks
    assert (arrival.query["error"], arrival.query["state"]) == ("access_denied", "s-1")
    assert "code" not in arrival.query
    await visitor.page.goto(service.url("/app/account/applications"))
    await expect(visitor.page.get_by_role("heading", name="Nothing is connected")).to_be_visible()


@pytest.mark.parametrize("decision", ["Approve", "Deny"])
async def test_customer_lands_where_the_application_leads(
    visit: Visit, service: Service, world: World, site: OtherSite, decision: str
) -> None:
    """R-41: very many callbacks answer with a redirect to another origin; browsers hold our policy against that too."""
    site.redirects["/callback"] = f"{site.elsewhere}/dashboard"
    visitor = await visit()
    await visitor.page.goto(service.consent_url(world))
    await visitor.sign_in(world.member.email, PASSWORD)
    await visitor.button(decision).click()
    await visitor.page.wait_for_url(f"{site.elsewhere}/dashboard")
    [arrival] = site.callbacks
    assert ("code" in arrival.query, "error" in arrival.query) == (
        decision == "Approve",
        decision == "Deny",
    )


async def test_sign_in_lands_where_the_application_leads(
    visit: Visit, service: Service, world: World, site: OtherSite
) -> None:
    """R-41: the request was refused while the person typed, so signing in is followed by two redirects of others."""
    site.redirects["/callback"] = f"{site.elsewhere}/dashboard"
    visitor = await visit()
    asked = service.consent_url(world, scope="aemp:read")
    await visitor.page.goto(asked)
    narrower = "UPDATE application SET scope = 'telemetry:write' WHERE id = $1"
    await service.context.database.count(narrower, world.registered.client.id)
    await asyncio.sleep(1)  # by then every process has heard of it
    await visitor.sign_in(world.member.email, PASSWORD)
    await visitor.page.wait_for_url(f"{site.elsewhere}/dashboard")
    assert site.callbacks[0].query["error"] == "invalid_scope"


async def test_customer_looks_at_the_machines_before_approving(
    visit: Visit, service: Service, world: World, site: OtherSite
) -> None:
    """R-50: page to page without script, and the way back to the question is still open."""
    visitor = await visit(java_script_enabled=False)
    page = visitor.page
    await fill(service.context, world.member.customer_id, *(f"PIN{number:03}" for number in range(130)))
    await page.goto(service.consent_url(world))
    await visitor.sign_in(world.member.email, PASSWORD)
    await page.get_by_role("link", name="See your machines").click()
    machines = page.get_by_role("table", name="Page 1 of 2")
    await expect(machines.get_by_role("rowheader")).to_have_count(100)
    await page.get_by_role("link", name="Next page").click()
    machines = page.get_by_role("table", name="Page 2 of 2")
    await expect(machines.get_by_role("row").last).to_contain_text("PIN129")
    await expect(machines.get_by_role("row").last).to_contain_text("4 May 2026, 12:00 UTC")
    for _ in range(2):
        await page.go_back()
    await visitor.button("Approve").click()
    await page.wait_for_url(f"{site.callback}?**")
    assert "code" in site.callbacks[0].query


async def test_demo_leads_from_the_front_page_to_the_fleet(visit: Visit, service: Service) -> None:
    """A newcomer clicks this after `make run`: no terminal, no script of the page's own."""
    visitor = await visit(java_script_enabled=False)
    page = visitor.page
    await page.goto(service.url("/"))
    await page.get_by_role("link", name="Start the demo").click()
    await visitor.sign_in(service.demo.email, service.demo.password)
    await visitor.button("Approve").click()
    await visitor.button("Send the token request").click()
    await expect(page.get_by_role("region", name="Token answer")).to_contain_text('"type": "Bearer"')
    await visitor.button("Send the fleet request").click()
    machines = page.get_by_role("table", name="The first machines of the answer")
    await expect(machines.get_by_role("rowheader")).to_have_count(5)
    await expect(page.get_by_role("region", name="Fleet answer")).to_contain_text('"EquipmentHeader"')
