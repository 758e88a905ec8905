"""Spanish from the first page to the last: nothing of the English words is left, and nothing is too wide for them."""

import re
from collections.abc import AsyncIterator
from typing import Any

from playwright.async_api import expect

from tests.language.catalogue import ROOT, extracted
from tests.pages.axe import AXE, violations_of
from tests.pages.conftest import Visit
from tests.pages.other_site import OtherSite
from tests.pages.service import Service
from tests.pages.spanish import sign_in, spanish_walk
from tests.pages.spanish_owner import spanish_walk_of_an_owner
from tests.pages.test_accessibility import TOO_WIDE
from tests.pages.visitor import Visitor
from tests.support.people import PASSWORD, World

# Everything that is read or heard of a page.
HEARD = """() => [document.title, document.body.innerText,
  ...[...document.querySelectorAll("[aria-label], [alt], [placeholder]")].flatMap(
    each => ["aria-label", "alt", "placeholder"].map(name => each.getAttribute(name) ?? ""))].join("\\n")"""

_BETWEEN = re.compile(r"%\(\w+\)s|<[^>]+>|&#x[0-9A-F]+;|[.:;?,]")


def english_words() -> set[str]:
    """Every piece of a message that is three words or more, which no Spanish page has by chance."""
    pieces = {
        piece.strip()
        for message in extracted(ROOT)
        for text in ([message.id] if isinstance(message.id, str) else message.id)
        for piece in _BETWEEN.split(text)
    }
    return {piece for piece in pieces if piece.count(" ") >= 2}


async def test_everything_is_said_in_spanish_and_fits(
    visit: Visit, service: Service, world: World, site: OtherSite
) -> None:
    """R-50, in the other language: with axe on every page, and at 320 px."""
    visitor = await visit(locale="es-MX")
    walked = await faults_of(visitor, spanish_walk(visitor, service, world, site))
    assert len(walked) > 25
    assert {shown: found for shown, found in walked.items() if any(found)} == {}


async def test_an_owner_of_applications_is_told_everything_in_spanish(visit: Visit, service: Service) -> None:
    """R-50: from the sign-up to the first machines."""
    visitor = await visit(locale="es-MX")
    walked = await faults_of(visitor, spanish_walk_of_an_owner(visitor, service))
    assert len(walked) > 15
    assert {shown: found for shown, found in walked.items() if any(found)} == {}


async def faults_of(visitor: Visitor, walk: AsyncIterator[str]) -> dict[str, tuple[Any, ...]]:
    """What is wrong with each page of a walk: English that is left, what axe finds, what is too wide."""
    english = english_words()
    assert len(english) > 250
    walked: dict[str, tuple[Any, ...]] = {}
    async for shown in walk:
        heard = " ".join((await visitor.page.evaluate(HEARD)).split())
        left = {piece for piece in english if piece in heard}
        violations = await violations_of(visitor.page, AXE)
        await visitor.page.set_viewport_size({"width": 320, "height": 800})
        wide = await visitor.page.evaluate(TOO_WIDE)
        await visitor.page.set_viewport_size({"width": 1280, "height": 800})
        assert await visitor.page.locator("html").get_attribute("lang") == "es"
        walked[shown] = (left, violations, wide)
    return walked


async def test_language_is_chosen_at_the_foot_of_the_page_and_stays(
    visit: Visit, service: Service, world: World
) -> None:
    """The choice leads back to the same consent, goes with the browser, and then with the person."""
    visitor = await visit(java_script_enabled=False)
    page = visitor.page
    await page.goto(service.consent_url(world))
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    await visitor.button("Español").click()
    await expect(page.get_by_text("para continuar a Sitewise")).to_be_visible()
    await sign_in(visitor, world, PASSWORD)
    await expect(page.get_by_role("heading", level=1)).to_have_text(
        "¿Conectar Sitewise a su cuenta de RoviTracker?"
    )
    await visitor.button("English").click()
    await expect(visitor.button("Approve")).to_be_visible()
    elsewhere = await visit(locale="es-MX")
    await elsewhere.page.goto(service.url("/app/account/security"))
    await sign_in(elsewhere, world, PASSWORD)
    await expect(elsewhere.page.get_by_role("heading", level=1)).to_have_text("Security")
