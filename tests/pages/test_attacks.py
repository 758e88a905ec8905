"""Attacks that need a real browser: frames, other sites' forms, other people's pages, names that lie."""

import pytest
from playwright.async_api import expect

from tests.pages.conftest import Visit
from tests.pages.other_site import OtherSite
from tests.pages.service import Service
from tests.pages.visitor import Visitor
from tests.support.people import PASSWORD, World

NAMES = {
    "html": '<b>Bold</b><script>alert(1)</script><img src="https://evil.example/x">&lt;i&gt;',
    "arabic": "تأجير معدات البناء",
    "long_word": "Baumaschinenvermietungsgesellschaft" * 3 + "mbH-und-Co.-KGs",
    "sentence": "Sitewise by RoviTracker. This is safe: go on and press the button below, for your account has been checked",
    "mixed": "Site (ويز) 24/7 — שכירות",
}


async def sign_in_to_consent(
    visitor: Visitor, service: Service, world: World, member: World | None = None
) -> None:
    await visitor.page.goto(service.consent_url(world))
    await visitor.sign_in((member or world).member.email, PASSWORD)
    await expect(visitor.button("Approve")).to_be_visible()


async def test_other_site_cannot_frame_the_consent_page(
    visit: Visit, service: Service, world: World, site: OtherSite
) -> None:
    """R-40, O-138: not even in the browser of a customer who is signed in."""
    visitor = await visit()
    await sign_in_to_consent(visitor, service, world)
    await visitor.page.goto(site.put_frame(service.consent_url(world)))
    frame = visitor.page.frames[1]
    await frame.wait_for_load_state()
    assert frame.url == "chrome-error://chromewebdata/"
    assert await frame.get_by_role("button", name="Approve").count() == 0
    assert "frame-ancestors 'none'" in visitor.complaints.pop()


async def test_form_of_another_site_approves_nothing(
    visit: Visit, service: Service, world: World, site: OtherSite
) -> None:
    """R-43: the victim is signed in and the form holds a sealed flow that is the victim's own."""
    visitor = await visit()
    await sign_in_to_consent(visitor, service, world)
    sealed = await visitor.page.locator("input[name=flow]").input_value()
    form = site.put_form(service.url("/app/oauth2/consent"), {"flow": sealed, "decision": "approve"})
    await visitor.page.goto(form)
    await visitor.button("Win a prize").click()
    heading = visitor.page.get_by_role("heading", level=1)
    await expect(heading).to_have_text("This form came from another site")
    assert site.callbacks == []


async def test_consent_page_of_one_browser_is_refused_in_another(
    visit: Visit, service: Service, world: World, site: OtherSite
) -> None:
    """R-44, O-30: the attacker's flow would connect the victim's machines to the attacker's account, or the reverse."""
    attacker, victim = await visit(), await visit()
    await sign_in_to_consent(attacker, service, world)
    stolen = await attacker.page.locator("input[name=flow]").input_value()
    other = await World.make(service.context, redirect_uris=(site.callback,))
    for member in (other, world):  # somebody else, and even the same person at another computer
        await victim.context.clear_cookies()
        await sign_in_to_consent(victim, service, world, member)
        await victim.page.locator("input[name=flow]").evaluate("(input, flow) => input.value = flow", stolen)
        await victim.button("Approve").click()
        heading = victim.page.get_by_role("heading", level=1)
        await expect(heading).to_have_text("This page has expired")
    assert site.callbacks == []


async def test_account_changed_in_another_tab_is_asked_again(
    visit: Visit, service: Service, world: World, site: OtherSite
) -> None:
    """R-49: whoever pressed Approve saw another name above the button."""
    visitor = await visit()
    await sign_in_to_consent(visitor, service, world)
    other = await World.make(service.context)
    tab = await visitor.context.new_page()
    await tab.goto(service.url("/app/account/applications"))
    await tab.get_by_role("button", name="Sign out").click()
    await visitor.sign_in(other.member.email, PASSWORD, page=tab)
    await expect(tab.get_by_text("No application has access to your machines.")).to_be_visible()
    await visitor.button("Approve").click()
    heading = visitor.page.get_by_role("heading", level=1)
    await expect(heading).to_have_text("You are signed in differently now")
    assert site.callbacks == []
    await visitor.page.goto(service.consent_url(world))
    await expect(visitor.page.get_by_text(other.member.email)).to_be_visible()


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
async def test_name_of_an_application_stays_a_name(
    visit: Visit, service: Service, site: OtherSite, name: str
) -> None:
    """R-48: it is text, it keeps to its place between our words, and it pushes nothing off a phone's screen."""
    world = await World.make(service.context, redirect_uris=(site.callback,), name=name)
    visitor = await visit(viewport={"width": 320, "height": 640})
    await sign_in_to_consent(visitor, service, world)
    heading = visitor.page.get_by_role("heading", level=1)
    assert await heading.inner_text() == f"Connect {name} to your RoviTracker account?"
    assert await heading.locator("bdi > *").count() == 0
    edges = await heading.evaluate(
        """heading => [...heading.childNodes].map(node => {
             const range = document.createRange();
             range.selectNodeContents(node);
             return [...range.getClientRects()].map(box => [box.left, box.top]);
           })"""
    )
    reading_order = sorted((box for boxes in edges for box in boxes), key=lambda box: (box[1], box[0]))
    before, _, after = edges
    assert (before[0], after[-1]) == (reading_order[0], reading_order[-1])
    assert await visitor.page.evaluate("document.documentElement.scrollWidth") == 320
