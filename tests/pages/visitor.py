"""A person with a browser of their own, which notes its complaints and the hosts it asked."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Locator,
    Page,
    Request,
    expect,
)

# The shell is the same Chromium without its own windows, which take a third of the processor time of these tests.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")

FLAGS = [
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
if os.geteuid() == 0:
    FLAGS.append("--no-sandbox")  # Chromium refuses to sandbox itself as root

# A browser notes this about a page whose status is an error, which some of ours rightly have.
_ERROR_STATUS = "Failed to load resource: the server responded with a status of "


def find_chromium() -> str | None:
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@dataclass  # without slots: Playwright keeps its own attributes on the owners of handlers
class Visitor:
    """complaints: console messages and page errors. asked: every request of every tab."""

    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("console", self._note_message)
        page.on("pageerror", self._note_error)

    def note_request(self, request: Request) -> None:
        self.asked.append(request)

    def _note_error(self, error: Error) -> None:
        self.complaints.append(f"page error: {error}")

    def _note_message(self, message: ConsoleMessage) -> None:
        visited = {request.url for request in self.asked if request.is_navigation_request()}
        if message.text.startswith(_ERROR_STATUS) and message.location["url"] in visited:
            return
        self.complaints.append(f"{message.type}: {message.text} ({message.location['url']})")

    def strangers(self, *origins: str) -> list[str]:
        """Requests to anybody but these."""
        known = tuple(f"{origin}/" for origin in origins)
        return [request.url for request in self.asked if not request.url.startswith(known)]

    async def new_tab(self) -> Page:
        return await self.context.new_page()

    async def sign_in(self, email: str, password: str, *, page: Page | None = None) -> None:
        page = page or self.page
        await expect(page.locator("[autofocus]")).to_be_focused()  # to fill a field before is a complaint
        await page.get_by_label("E-mail address").fill(email)
        await page.get_by_label("Password").fill(password)
        await page.get_by_role("button", name="Sign in", exact=True).click()

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)


@asynccontextmanager
async def open_visitor(chromium: Browser, **options: Any) -> AsyncIterator[Visitor]:
    """Options are those of a browser context: viewport, colour scheme, script on or off."""
    context = await chromium.new_context(**{"locale": "en-GB", "reduced_motion": "reduce", **options})
    context.set_default_timeout(15_000)
    visitor = Visitor(context, page=await context.new_page())
    visitor.watch(visitor.page)
    context.on("page", visitor.watch)
    context.on("request", visitor.note_request)
    try:
        yield visitor
    finally:
        await context.close()
