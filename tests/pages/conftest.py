"""One Chromium and one service a worker; a test's people each have a browser context of their own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from playwright.async_api import Browser, async_playwright

from tests.conftest import make_database
from tests.pages.other_site import OtherSite, open_other_site
from tests.pages.service import Service, open_service
from tests.pages.visitor import FLAGS, NAMES, Visitor, find_chromium, open_visitor
from tests.support.people import World

Visit = Callable[..., Awaitable[Visitor]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Count every test that needs the browser as a browser test."""
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The browser of this worker, started once. It skips the test where none is installed."""
    found = find_chromium()
    if found is None:
        pytest.skip(
            f"not shown: what people see and do in a browser; `make browsers` installs Chromium ({', '.join(NAMES)})"
        )
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
async def service(
    chromium: Browser,  # noqa: ARG001  # without a browser nothing here needs a service
    servers: tuple[str, str],
    redis_url: str,
    worker: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Service]:
    """The service of this worker, on a database that only the tests of pages use."""
    database_url = await make_database(servers[0], f"pages_{worker}")
    async with open_service(database_url, redis_url, tmp_path_factory.mktemp("pages")) as service:
        yield service


@pytest.fixture
async def site() -> AsyncIterator[OtherSite]:
    """The website of the test's application."""
    async with open_other_site() as site:
        yield site


@pytest.fixture
async def world(service: Service, site: OtherSite) -> World:
    """A customer, and an application whose website is `site`."""
    return await World.make(service.context, redirect_uris=(site.callback,))


@pytest.fixture
async def visit(chromium: Browser, service: Service, site: OtherSite) -> AsyncIterator[Visit]:
    """Makes a person with a browser; at the end nobody's browser may have complained or asked a stranger."""
    visitors: list[Visitor] = []
    async with AsyncExitStack() as stack:

        async def visit(**options: Any) -> Visitor:
            visitors.append(await stack.enter_async_context(open_visitor(chromium, **options)))
            return visitors[-1]

        yield visit
        for visitor in visitors:
            assert_content(visitor, service, site)


def assert_content(visitor: Visitor, service: Service, site: OtherSite) -> None:
    """R-41, R-42: the browser complained of nothing, and asked no stranger."""
    assert visitor.complaints == []
    assert visitor.strangers(service.origin, site.origin, site.elsewhere) == []
