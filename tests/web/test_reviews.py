"""Reviews on the wire: an owner hands in, an operator decides with a fresh second factor, a real customer connects."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI

from app.context import Context
from tests.support.browser import Browser, query_of
from tests.support.owners import register_own, sign_up
from tests.support.people import PASSWORD, World
from tests.support.reviews import CALLBACK, PRIVACY, unlike_any_other, upload
from tests.web.reading import found, words_of
from tests.web.test_own_applications import client_id_of
from tests.web.test_staff import Operator, make

REVIEWS = "/app/operator/reviews"


@pytest.fixture
async def owner(context: Context, browser: Browser) -> Browser:
    await sign_up(context, browser)
    return browser


@pytest.fixture
async def reviewer(app: FastAPI, context: Context) -> AsyncIterator[Operator]:
    async with Browser(app) as browser:
        fresh = await make(context, "reviewer", browser)
        yield await fresh.enrol()


@pytest.fixture
async def customer(app: FastAPI) -> AsyncIterator[Browser]:
    async with Browser(app) as browser:
        yield browser


async def ready(owner: Browser, name: str) -> str:
    """The client_id of an application that has all that a review needs."""
    registered = await register_own(owner, name=name, company=f"{name} Ltd", addresses=CALLBACK)
    assert registered.status_code == 201, registered.text
    client_id = client_id_of(registered)
    saved = await upload(
        owner,
        f"/app/developer/{client_id}/settings",
        {
            "name": name,
            "company": f"{name} Ltd",
            "addresses": f"{CALLBACK}\nhttp://localhost:3000/callback",
            "privacy_uri": PRIVACY,
            "scope aemp:read": "on",
            "reason aemp:read": "To show them on a map",
        },
    )
    assert saved.headers.get("location", "").endswith("?done=saved"), saved.text
    return client_id


async def hand_in(owner: Browser, client_id: str) -> httpx2.Response:
    page = await owner.get(f"/app/developer/{client_id}/publish")
    assert "http://localhost:3000/callback" in words_of(page)
    return await owner.submit(page, {"message": "Please have a look"}, action=f"{client_id}/publish")


async def review_page(reviewer: Operator, name: str) -> httpx2.Response:
    queue = await reviewer.browser.get(REVIEWS)
    [link] = found(queue, f"//a[normalize-space()='{name}']/@href")
    return await reviewer.browser.get(str(link))


async def test_from_test_mode_to_a_real_customer(
    owner: Browser, reviewer: Operator, customer: Browser, world: World
) -> None:
    name = unlike_any_other()
    client_id = await ready(owner, name)
    asked = world.authorize_url(client_id=client_id, redirect_uri=CALLBACK)
    refused = await customer.sign_in(await customer.get(asked), world.member.email, PASSWORD)
    assert refused.status_code == 403
    handed_in = await owner.follow(await hand_in(owner, client_id))
    assert "Waits for review" in words_of(handed_in)
    page = await review_page(reviewer, name)
    assert "Please have a look" in words_of(page)
    assert "To show them on a map" in words_of(page)
    approved = await reviewer.browser.submit(page, {}, action="/approve")
    assert approved.headers["location"] == f"{REVIEWS}?done=approved", approved.text
    consent = await customer.get(asked)
    assert "It is new here" in words_of(consent)
    assert PRIVACY in found(consent, "//a/@href")
    answer = await customer.submit(consent, {"decision": "approve"}, action="/consent")
    assert "code" in query_of(answer)
    again = await customer.get(asked)
    assert "one customer uses it" in words_of(again)
    settings = await owner.get(f"/app/developer/{client_id}/settings")
    assert found(settings, "//textarea[@name='addresses']/text()") == [CALLBACK]
