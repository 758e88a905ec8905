"""The faults that axe finds on a page."""

from typing import Any

from axe_playwright_python.async_playwright import Axe
from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Page

# Behind every page lies a drawing in a pseudo-element, for which axe would leave the contrast of all text undecided.
_CHECKS = {"color-contrast": {"options": {"ignorePseudo": True}}}
_RESULTS = ["violations"]

AXE = {"resultTypes": _RESULTS, "checks": _CHECKS, "rules": {"target-size": {"enabled": True}}}
AXE_COLOURS = {
    "resultTypes": _RESULTS,
    "checks": _CHECKS,
    "runOnly": {"type": "rule", "values": ["color-contrast"]},
}


async def violations_of(page: Page, options: dict[str, Any]) -> list[Any]:
    """Each rule that is broken, with the elements that break it."""
    script = "0" if await page.evaluate("'axe' in window") else AXE_SCRIPT
    results = await Axe(script).run(page, options=options)
    return [
        (violation["id"], [node["html"] for node in violation["nodes"]])
        for violation in results.response["violations"]
    ]
