"""Every page in every state: nothing for axe to find, nothing wider than the screen, everything by keyboard."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any, Literal

import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import Page, ViewportSize, expect

from tests.pages.axe import AXE, AXE_COLOURS, violations_of
from tests.pages.conftest import Visit, assert_content
from tests.pages.other_site import OtherSite, open_other_site
from tests.pages.service import Service
from tests.pages.tour import tour
from tests.pages.visitor import open_visitor
from tests.support.browser import Browser
from tests.support.depth import DEPTH
from tests.support.fleets import fill
from tests.support.people import PASSWORD, World

# The browser scrolls to what gets the focus with its next frame.
FOCUS = r"""async () => {
  await new Promise(next => requestAnimationFrame(() => requestAnimationFrame(next)));
  const element = document.activeElement, style = getComputedStyle(element), box = element.getBoundingClientRect();
  return {
    name: (element.innerText || element.labels?.[0]?.innerText || element.getAttribute("aria-label") || "").trim().replace(/\s+/g, " "),
    outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    on_screen: box.width > 0 && box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth,
  };
}"""

TOO_WIDE = """() => [...document.querySelectorAll("body *")]
  .filter(element => element.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
  .map(element => element.className || element.tagName)"""

MOVING = """() => [...document.querySelectorAll("body *")]
  .filter(element => parseFloat(getComputedStyle(element).transitionDuration) > 0)
  .map(element => element.className || element.tagName)"""


# A phone; 200 % zoom, which halves the width of a desktop; a desktop with letters twice as large.
WIDTHS = (("320 px", 320, "100%"), ("zoom", 640, "100%"), ("letters", 1280, "200%"))
PHONE: ViewportSize = {"width": 390, "height": 844}

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")

pytestmark = pytest.mark.timeout(300)  # one tour of all pages serves several tests


@dataclass(frozen=True, slots=True)
class Toured:
    """What was found on the pages, by their names. wide: by how each was looked at, too."""

    violations: dict[str, dict[str, list[Any]]]
    wide: dict[tuple[str, str], Any]


@pytest.fixture(scope="module")
async def toured(chromium: Chromium, service: Service) -> Toured:
    """A tour in which each page is looked at in every way, since to come to a page takes longer than to look at it.

    The suite has time for one scheme of colours a page, in turn; a dark page differs from a light one in nothing else.
    """
    toured = Toured({scheme: {} for scheme in SCHEMES}, {})
    turns = cycle(SCHEMES)
    async with (
        open_other_site() as site,
        open_visitor(chromium, viewport=PHONE, color_scheme="light") as visitor,
    ):
        world = await World.make(service.context, redirect_uris=(site.callback,))
        async for name in tour(visitor, service, world, site):
            await _look(visitor.page, name, toured, SCHEMES if DEPTH > 1 else [next(turns)])
        assert_content(visitor, service, site)
    return toured


async def _look(page: Page, name: str, toured: Toured, schemes: Sequence[Scheme]) -> None:
    for rules, scheme in zip((AXE, AXE_COLOURS), schemes, strict=False):
        await page.emulate_media(color_scheme=scheme)
        toured.violations[scheme][name] = await violations_of(page, rules)
    await page.emulate_media(color_scheme="light")
    for how, width, letters in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 800})
        await page.evaluate(f"document.documentElement.style.fontSize = '{letters}'")
        toured.wide[name, how] = await page.evaluate(TOO_WIDE)
    await page.evaluate("document.documentElement.style.fontSize = ''")
    await page.set_viewport_size(PHONE)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing(toured: Toured, scheme: Scheme) -> None:
    """R-50"""
    found = toured.violations[scheme]
    assert len(found) > 15
    assert {name: violations for name, violations in found.items() if violations} == {}


@pytest.mark.parametrize("how", [how for how, _, _ in WIDTHS])
def test_nothing_is_wider_than_the_screen(toured: Toured, how: str) -> None:
    """R-50"""
    wide = {name: elements for (name, seen), elements in toured.wide.items() if seen == how}
    assert len(wide) > 15
    assert {name: elements for name, elements in wide.items() if elements} == {}


async def test_machines_are_blocks_on_a_phone_and_still_read_out_as_a_table(
    visit: Visit, service: Service, world: World
) -> None:
    """R-50: no PIN is broken, and a style that lays out cells as blocks takes no cell its role."""
    visitor = await visit(viewport={"width": 320, "height": 640})
    page = visitor.page
    await fill(service.context, world.member.customer_id, "9NRA2B3C4M0030117", "9NRA2B3C4M0030118")
    await page.goto(service.url("/app/account/machines"))
    await visitor.sign_in(world.member.email, PASSWORD)
    await expect(page.get_by_text("9NRA2B3C4M0030118")).to_be_visible()
    assert await page.locator("td bdi").evaluate_all(
        "all => all.map(each => each.getClientRects().length)"
    ) == [1, 1]
    tree = await (await visitor.context.new_cdp_session(page)).send("Accessibility.getFullAXTree")
    roles = Counter(node["role"]["value"] for node in tree["nodes"])
    assert {role: roles[role] for role in ("table", "row", "columnheader", "rowheader", "cell")} == {
        "table": 1,
        "row": 3,
        "columnheader": 3,
        "rowheader": 2,
        "cell": 4,
    }


async def test_keyboard_alone_connects_and_disconnects(
    visit: Visit, service: Service, world: World, site: OtherSite
) -> None:
    """R-50: Tab, Enter and letters; the place of the focus is on the screen and outlined at every stop."""
    visitor = await visit(viewport={"width": 1280, "height": 720})
    page = visitor.page
    await page.goto(service.consent_url(world))
    await expect(page.get_by_label("E-mail address")).to_be_focused()  # the page put the focus there
    await page.keyboard.type(world.member.email)
    assert await tab_to(page, "Password") == ["Password"]
    await page.keyboard.type(PASSWORD)
    assert await tab_to(page, "Sign in") == ["Sign in"]
    await page.keyboard.press("Enter")
    await expect(visitor.button("Approve")).to_be_visible()
    stops = await tab_to(page, "Approve")
    assert stops[0] == "Skip to the content"
    assert "Not you? Use another account" in stops
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{site.callback}?**")
    async with Browser(base_url=service.origin) as server:
        await world.exchange(server, site.callbacks[0].query["code"])
    await page.goto(service.url("/app/account/applications"))
    await tab_to(page, "Disconnect Sitewise")
    await page.keyboard.press("Enter")
    assert await tab_to(page, "Yes, disconnect Sitewise") == ["Yes, disconnect Sitewise"]
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Nothing is connected")).to_be_visible()


async def tab_to(page: Page, name: str) -> list[str]:
    """Press Tab until this has the focus; the names passed on the way, this one last."""
    passed: list[str] = []
    while name not in passed:
        assert len(passed) < 30, f"{name!r} is not reached: {passed}"
        await page.keyboard.press("Tab")
        focus = await page.evaluate(FOCUS)
        assert focus["outlined"], focus
        assert focus["on_screen"], focus
        passed.append(focus["name"])
    return passed


async def test_nothing_moves_for_whoever_asked_for_stillness(
    visit: Visit, service: Service, world: World
) -> None:
    visitor = await visit(reduced_motion="reduce")
    await visitor.page.goto(service.consent_url(world))
    assert await visitor.page.evaluate(MOVING) == []
    await visitor.page.emulate_media(reduced_motion="no-preference")
    assert await visitor.page.evaluate(MOVING) != []
