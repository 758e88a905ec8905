"""Fixtures that the tests of the endpoints and pages share."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI

from app.context import Context
from app.process.pages import Pages
from app.settings import Settings
from tests.support.browser import Browser
from tests.support.owners import sign_up
from tests.web.page_reader import Reader
from tests.web.services import Services


@pytest.fixture
async def services(settings: Settings, context: Context) -> AsyncIterator[Services]:
    """Further services beside the shared one, on the same stores unless a test names others."""
    services = Services(settings, context)
    yield services
    await services.close()


@pytest.fixture
async def owner(context: Context, browser: Browser) -> Browser:
    """Somebody new who signed up, to own applications."""
    await sign_up(context, browser)
    return browser


@pytest.fixture
async def stranger(app: FastAPI) -> AsyncIterator[Browser]:
    """Another browser, in which nobody signed in."""
    async with Browser(app) as browser:
        yield browser


@pytest.fixture
async def read_afresh(services: Services, read: Reader) -> AsyncIterator[Reader]:
    """The same on a service that remembers no page."""
    app: FastAPI = services.like(pages=Pages(services.context.changes, most_bytes=0))
    async with Browser(app) as browser:
        yield Reader(browser, read.token)


# These are about paths that the thin front serves, so they are run through the framework too.
_HOT = {
    "test_token",
    "test_introspect",
    "test_client_credentials",
    "test_private_key_jwt",
    "test_signed_introspection",
    "test_strict_codes",
    "test_refresh",
    "test_refresh_ends",
    "test_refresh_grace",
    "test_granted_details",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test of these files that has a browser is run by both ways in."""
    if "browser" in metafunc.fixturenames and metafunc.module.__name__.rpartition(".")[2] in _HOT:
        metafunc.parametrize("browser", ["front", "framework"], indirect=True)
