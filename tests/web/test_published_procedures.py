"""RoviTracker's published documentation has two procedures; each is a test that reads like it."""

import re
from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI

from app.context import Context
from tests.support.browser import Browser, query_of
from tests.support.owners import sign_up
from tests.support.people import PASSWORD, World
from tests.support.requests import Asking
from tests.support.reviews import CALLBACK, PRIVACY, unlike_any_other, upload
from tests.web.reading import found
from tests.web.test_own_applications import LOGO, client_id_of
from tests.web.test_staff import Operator, make

NEW, PICK_UP = "/app/developer/new", "/app/developer/pick-up"


@pytest.fixture
async def reviewer(app: FastAPI, context: Context) -> AsyncIterator[Operator]:
    async with Browser(app) as browser:
        yield await (await make(context, "reviewer", browser)).enrol()


async def reads(browser: Browser, access_token: str) -> bool:
    answer = await browser.http.get("/api/v2/Fleet/1", headers={"Authorization": f"Bearer {access_token}"})
    return answer.status_code == 200


async def registered(browser: Browser, name: str) -> httpx2.Response:
    """With a company name and a logo."""
    [form] = found(await browser.get(NEW), "//form[@enctype]//input[@name='form']/@value")
    fields = {"form": str(form), "company": f"{name} Ltd", "name": name, "addresses": CALLBACK}
    return await browser.http.post(
        NEW, data=fields, files={"logo": ("logo.png", LOGO.read_bytes(), "image/png")}
    )


async def approved(browser: Browser, client_id: str, name: str, reviewer: Operator) -> None:
    """RoviTracker looks at it, once."""
    settings = {"name": name, "company": f"{name} Ltd", "addresses": CALLBACK, "privacy_uri": PRIVACY}
    await upload(browser, f"/app/developer/{client_id}/settings", {**settings, "scope aemp:read": "on"})
    page = await browser.get(f"/app/developer/{client_id}/publish")
    await browser.submit(page, {"message": ""}, action=f"{client_id}/publish")
    queue = await reviewer.browser.get("/app/operator/reviews")
    [link] = found(queue, f"//a[normalize-space()='{name}']/@href")
    done = await reviewer.browser.submit(await reviewer.browser.get(str(link)), {}, action="/approve")
    assert done.status_code == 303, done.text


async def test_the_customer_connects_the_application(
    app: FastAPI, context: Context, browser: Browser, reviewer: Operator, world: World
) -> None:
    # Register once with company name and logo, and get client_id and client_secret.
    await sign_up(context, browser)
    name = unlike_any_other()
    page = await registered(browser, name)
    client_id, [client_secret] = client_id_of(page), set(re.findall(r"rovi_cs_\w+", page.text))
    await approved(browser, client_id, name, reviewer)

    # Send the customer to the address with client_id, state and redirect_uri. The customer confirms.
    async with Browser(app) as customer:
        asked = world.authorize_url(client_id=client_id, state="made-up", redirect_uri=CALLBACK)
        consent = await customer.sign_in(await customer.get(asked), world.member.email, PASSWORD)
        answer = await customer.submit(consent, {"decision": "approve"}, action="/consent")

    # The browser comes back with code and state.
    assert answer.headers["location"].startswith(CALLBACK)
    came = query_of(answer)
    assert came["state"] == "made-up"

    # POST client_id, client_secret and code, and get the access token.
    form = {"client_id": client_id, "client_secret": client_secret, "code": came["code"]}
    token = (await browser.http.post("/app/oauth2/token", data=form)).json()
    assert token["type"] == "Bearer"

    # Request the data with it.
    assert await reads(browser, token["access_token"])


async def test_rovitracker_confirms_with_the_customer(
    context: Context, app: FastAPI, browser: Browser
) -> None:
    asking = await Asking.make(context)

    # The application asks for a customer's data, and RoviTracker lets the question through.
    request_id = await asking.release()

    # RoviTracker confirms with the customer.
    async with Browser(app) as customer:
        here = f"/app/account/requests/{request_id}"
        page = await customer.sign_in(await customer.get(here), asking.world.member.email, PASSWORD)
        assert (
            await customer.submit(page, {"machines": "all", "decision": "approve"}, action=here)
        ).status_code == 303

    # The application gets its access token: by a link in a mail, which works once.
    link = f"{PICK_UP}?link={await asking.link(request_id)}"
    signed_in = await browser.sign_in(await browser.get(link), asking.owner.email, PASSWORD)
    shown = await browser.submit(signed_in, {}, action=PICK_UP)
    [access_token] = set(re.findall(r"rovi_at_\w+", shown.text))

    # Request the data with it.
    assert await reads(browser, access_token)
