"""What axe finds on a page."""

from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

AXE = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
AXE_COLOURS = {"resultTypes": ["violations"], "runOnly": {"type": "rule", "values": ["color-contrast"]}}


async def violations_of(page: Page, options: dict[str, Any]) -> list[Any]:
    """Each rule that is broken, with the elements that break it."""
    results = await Axe().run(page, options=options)
    return [
        (violation["id"], [node["html"] for node in violation["nodes"]])
        for violation in results.response["violations"]
    ]
