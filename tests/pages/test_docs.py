"""The documentation page in a real browser: phone and desktop, light and dark, by keyboard."""

import pytest

from tests.pages.axe import AXE, AXE_COLOURS, violations_of
from tests.pages.conftest import Visit
from tests.pages.service import Service


@pytest.mark.parametrize("width", [320, 1280])
async def test_documentation_fits_and_axe_finds_nothing(width: int, visit: Visit, service: Service) -> None:
    """R-50: everything folded out; a sample may scroll in its frame, the page may not. Dark differs in its colours alone."""
    visitor = await visit(viewport={"width": width, "height": 800}, color_scheme="light")
    await visitor.page.goto(service.url("/docs"))
    await visitor.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert await visitor.page.evaluate("document.documentElement.scrollWidth") == width
    assert await violations_of(visitor.page, AXE) == []
    await visitor.page.emulate_media(color_scheme="dark")
    assert await violations_of(visitor.page, AXE_COLOURS) == []


async def test_contents_lead_to_their_place_without_script(visit: Visit, service: Service) -> None:
    visitor = await visit(viewport={"width": 1280, "height": 800}, java_script_enabled=False)
    await visitor.page.goto(service.url("/docs"))
    await visitor.page.get_by_role("navigation", name="On this page").get_by_text("End a token").click()
    assert visitor.page.url.endswith("/docs#revokeToken")
    box = await visitor.page.get_by_role("heading", name="End a token").bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 800


async def test_folded_sample_opens_by_keyboard_without_script(visit: Visit, service: Service) -> None:
    visitor = await visit(java_script_enabled=False)
    await visitor.page.goto(service.url("/docs"))
    folded = visitor.page.locator("#requestToken details.docs-request").first
    assert not await folded.locator("pre").is_visible()
    await folded.locator("summary").focus()
    await visitor.page.keyboard.press("Enter")
    assert await folded.locator("pre").is_visible()
