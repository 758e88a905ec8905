"""A refusal reached from a page or the API gives its own status and text, in the form that its caller reads."""

import gzip
import json
from collections.abc import Callable

import pytest
from backports import zstd
from starlette.requests import Request

from app.aemp.model.errors import AempError
from app.refused import RefusedError
from tests.support.browser import Browser
from tests.support.references import reference_of
from tests.support.refused import REFUSALS, kinds
from tests.web.reading import attributes_of, words_of
from tests.web.services import Services
from tests.web.told import error_on_page


def test_there_is_one_refusal_of_every_kind_to_try() -> None:
    assert {type(each) for each in REFUSALS} == kinds()


def refusing(services: Services, refused: RefusedError) -> Browser:
    """A service that refuses at an address of each form."""
    app = services.like()

    async def refuse(_request: Request) -> None:
        raise refused

    for path in ("/app/oauth2/refused", "/api/refused", "/app/refused"):
        app.add_api_route(path, refuse)
    return Browser(app)


@pytest.mark.parametrize("refused", REFUSALS, ids=lambda each: type(each).__name__)
async def test_every_refusal_is_told_in_each_form(services: Services, refused: RefusedError) -> None:
    """R-76: with its own status, never as a fault of ours, and without what is for the log."""
    async with refusing(services, refused) as browser:
        as_json = await browser.get("/app/oauth2/refused")
        as_aemp = await browser.get("/api/refused", Accept="application/json")
        as_xml = await browser.get("/api/refused")
        as_page = await browser.get("/app/refused")
    error_on_page(as_page, refused.status)
    assert {each.status_code for each in (as_json, as_aemp, as_xml, as_page)} == {refused.status}
    assert as_json.json()["error"] == as_aemp.json()["code"] == refused.code
    told = refused.what.replace('"', "'")
    assert as_json.json()["error_description"] == told.replace("\\", "?")
    assert as_aemp.json()["message"] == refused.what
    assert refused.what[1:].rstrip(".") in words_of(as_page)
    assert (refused.title or "This request cannot be completed") in words_of(as_page)
    for answer in (as_json, as_aemp, as_xml):
        assert reference_of(answer) == answer.headers["x-request-id"]
    for answer in (as_json, as_aemp, as_xml, as_page):
        assert set(refused.headers) <= {(name.title(), value) for name, value in answer.headers.items()}
        assert not refused.detail or refused.detail not in answer.text


@pytest.mark.parametrize("size", [0, 1, 200, 60_000, 200_000])
@pytest.mark.parametrize(("coding", "unpack"), [("gzip", gzip.decompress), ("zstd", zstd.decompress)])
async def test_a_refusal_of_any_length_comes_in_the_asked_coding(
    services: Services, coding: str, unpack: Callable[[bytes], bytes], size: int
) -> None:
    refused = AempError(404, "page_not_found", "x" * size or "-")
    headers = {"Accept-Encoding": coding, "Accept": "application/json"}
    async with (
        refusing(services, refused) as browser,
        browser.http.stream("GET", "/api/refused", headers=headers) as answer,
    ):
        packed = b"".join([part async for part in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == coding
    assert json.loads(unpack(packed))["message"] == refused.what


@pytest.mark.parametrize("refused", REFUSALS, ids=lambda each: type(each).__name__)
async def test_a_page_that_refuses_leads_on(services: Services, refused: RefusedError) -> None:
    async with refusing(services, refused) as browser:
        page = await browser.get("/app/refused")
        onward = [href for href in attributes_of(page, "a", "href") if href.startswith("/")][-1]
        assert (await browser.get(onward)).status_code == 200
