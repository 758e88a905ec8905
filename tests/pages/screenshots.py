"""`make screenshots`: pictures of every page, on a phone and a desktop, light and dark; those of the documents among them.

`make screenshots VIEWS=phone-dark` takes those alone, and the documents'. `VIEWS="phone-dark --until home"` ends the tour
with that page.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Collection
from contextlib import aclosing, asynccontextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, async_playwright, expect

from app.context import Context
from app.embedded import attach
from app.embedded.removal import remove
from app.flows.account.add_customer import add_customer
from app.flows.account.register_application import register_application
from app.oauth.actor import COMMAND_LINE
from tests.conftest import make_database
from tests.pages.other_site import open_other_site
from tests.pages.service import Service, open_service
from tests.pages.tour import tour
from tests.pages.tour_owners import follow_mailed_link
from tests.pages.visitor import FLAGS, NAMES, Visitor, find_chromium, open_visitor
from tests.support.fleets import fill
from tests.support.people import PASSWORD, REDIRECT_URI, World
from tests.support.server import ROOT

IMAGES = ROOT / "docs" / "images"
ALL_PAGES = IMAGES / "all"  # not kept in git

VIEWPORTS = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1280, "height": 960}}
SCHEMES = ("light", "dark")
VIEWS = tuple(f"{width}-{scheme}" for width in VIEWPORTS for scheme in SCHEMES)

_LOGO = ROOT / "app" / "web" / "pages" / "static" / "sitewise.png"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="make screenshots")
    parser.add_argument("views", nargs="*", default=VIEWS, help=f"of {' '.join(VIEWS)}")
    parser.add_argument("--until", metavar="PAGE", help="the last page of the tour (all are taken)")
    arguments = parser.parse_args()
    views = arguments.views
    if unknown := sorted(set(views) - set(VIEWS)):
        parser.error(f"no such view: {' '.join(unknown)}; there are {' '.join(VIEWS)}")
    asyncio.run(_take(views, arguments.until))


async def _take(views: Collection[str], until: str | None) -> None:
    chromium = find_chromium()
    if chromium is None:  # as the browser tests, it leaves out what cannot be done here, and says so
        sys.stdout.write(
            f"No pictures: no Chromium here ({', '.join(NAMES)}); `make browsers` installs one\n"
        )
        return
    shutil.rmtree(ALL_PAGES, ignore_errors=True)  # else pages that are gone would stay
    ALL_PAGES.mkdir(parents=True)
    async with _new_service() as service, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for view in views:
            await _photograph(browser, service, view, until)
        world = await _world_for_readme(service.context)
        for scheme in SCHEMES:
            await _photograph_for_readme(browser, service, world, scheme)
        await _photograph_for_integrators(browser, service)
        await browser.close()
    sys.stdout.write(f"{ALL_PAGES.relative_to(ROOT)}/  {len(list(ALL_PAGES.iterdir()))} pictures\n")


@asynccontextmanager
async def _new_service() -> AsyncIterator[Service]:
    with tempfile.TemporaryDirectory(prefix="rovitracker-") as folder:
        servers = Path(folder, "servers")
        try:
            with attach(servers) as embedded:
                database_url = await make_database(embedded.database_url, "pages")
                async with open_service(database_url, embedded.redis_url, Path(folder, "data")) as service:
                    yield service
        finally:
            remove(servers)


async def _photograph(browser: Browser, service: Service, view: str, until: str | None) -> None:
    width, scheme = view.split("-")
    async with (
        open_other_site() as site,
        open_visitor(browser, viewport=VIEWPORTS[width], color_scheme=scheme) as visitor,
    ):
        world = await World.make(service.context, redirect_uris=(site.callback,))
        async with aclosing(tour(visitor, service, world, site)) as pages:
            async for name in pages:
                await _save(visitor, name, width, scheme)
                if name == until:
                    return
        if until is not None:
            sys.exit(f"make screenshots: no page of the tour is called {until!r}")
        await visitor.page.goto(service.url("/docs"))
        await _save(visitor, "docs", width, scheme)


async def _save(visitor: Visitor, name: str, width: str, scheme: str) -> None:
    picture = ALL_PAGES / f"{name.replace(' ', '-')}-{width}-{scheme}.png"
    await visitor.page.screenshot(path=picture, full_page=True)


async def _world_for_readme(context: Context) -> World:
    """An application with a logo and a website, that nobody has connected yet."""
    member = await add_customer(
        context, COMMAND_LINE, email="ann@hillside.example", name="Hillside Plant Hire", password=PASSWORD
    )
    registered = await register_application(
        context,
        COMMAND_LINE,
        name="Sitewise Rentals",
        company="Sitewise Rentals Ltd",
        redirect_uris=(REDIRECT_URI,),
        logo=_LOGO.read_bytes(),
    )
    await fill(context, member.customer_id, *(f"9NRA2B3C4M00301{number}" for number in range(10, 34)))
    return World(context, member, registered)


async def _photograph_for_readme(browser: Browser, service: Service, world: World, scheme: str) -> None:
    async with open_visitor(browser, viewport=VIEWPORTS["desktop"], color_scheme=scheme) as visitor:
        await visitor.page.goto(service.consent_url(world))
        await visitor.sign_in(world.member.email, PASSWORD)
        await expect(visitor.button("Approve")).to_be_visible()
        await _keep(visitor, f"consent-{scheme}")


async def _photograph_for_integrators(browser: Browser, service: Service) -> None:
    """The way of a new owner from the form to the first machines."""
    async with open_visitor(browser, viewport=VIEWPORTS["desktop"], color_scheme="light") as visitor:
        page = visitor.page
        await page.goto(service.url("/app/register"))
        await follow_mailed_link(visitor, "olga@sitewise.example")
        await page.get_by_label("Choose a password").fill(PASSWORD)
        await visitor.button("Sign up").click()
        await page.get_by_label("Company").fill("Sitewise Rentals Ltd")
        await page.get_by_label("Name of the application").fill("Sitewise Rentals")
        await page.get_by_label("Redirect addresses, one on a line").fill(REDIRECT_URI)
        await page.get_by_label("Logo").set_input_files(_LOGO)
        await _keep(visitor, "register")
        await visitor.button("Register").click()
        await expect(page.get_by_role("heading", name="Its credentials")).to_be_visible()
        await _keep(visitor, "registered")
        await page.get_by_role("link", name="Try it now").click()
        await visitor.button("Approve").click()
        await visitor.button("Send the token request").click()
        await visitor.button("Send the fleet request").click()
        await expect(page.get_by_role("table")).to_be_visible()
        await _keep(visitor, "test-walk")


async def _keep(visitor: Visitor, name: str) -> None:
    """For a document, in few bytes."""
    picture = await visitor.page.screenshot(full_page=True)
    target = IMAGES / f"{name}.png"
    with Image.open(BytesIO(picture)) as image:
        # A quarter of the bytes; the coverage keeps rare colours, like a tick's green, the means keep a shadow smooth.
        few = image.convert("RGB").quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=3)
        few.save(target, optimize=True)
    sys.stdout.write(f"{target.relative_to(ROOT)}  {target.stat().st_size // 1024} KiB\n")


if __name__ == "__main__":
    main()
