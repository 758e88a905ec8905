"""Logos on the wire: our own re-encoded pictures, which a browser can take for nothing else."""

import io
import re
from uuid import UUID

import pytest
from PIL import Image

from app.context import Context
from app.flows.account.register_application import register_application
from app.oauth.actor import COMMAND_LINE
from tests.support.browser import Browser
from tests.support.people import REDIRECT_URI, World
from tests.web.reading import attributes_of


async def test_registered_logo_is_shown_and_served_for_ever(
    browser: Browser, context: Context, world: World
) -> None:
    """R-67: own path named by its digest, fixed type, nosniff, sandbox, immutable."""
    picture = io.BytesIO()
    Image.new("RGB", (300, 200), "orange").save(picture, "JPEG")
    registered = await register_application(
        context,
        COMMAND_LINE,
        name="Logo",
        company="Logo Ltd",
        redirect_uris=(REDIRECT_URI,),
        logo=picture.getvalue(),
    )
    page = await World(context, world.member, registered).consent_page(browser)
    sources = attributes_of(page, "img", "src")
    assert len(sources) == 1
    assert re.fullmatch(r"/app/logo/[0-9a-f]{64}\.png", sources[0])
    answer = await browser.get(sources[0])
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "set-cookie" not in answer.headers
    with Image.open(io.BytesIO(answer.content), formats=["PNG"]) as shown:
        assert shown.size == (256, 171)


@pytest.mark.parametrize(
    "name", ["0" * 64, "xyz", "", "%00", "..%2f..%2fetc%2fpasswd", "0" * 5000, UUID(int=1).hex + "'--"]
)
async def test_unknown_logo_is_not_there(browser: Browser, name: str) -> None:
    """R-67: a page like any other, kept by nobody."""
    answer = await browser.get(f"/app/logo/{name}.png")
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"
