"""The documented flow through the real pages, as an integrator's customer and an integrator's server walk it."""

from tests.support.browser import Browser, query_of
from tests.support.people import World


async def test_documented_flow_gives_a_token(browser: Browser, world: World) -> None:
    page = await world.consent_page(browser)
    assert "Sitewise Rentals Ltd" in page.text
    back = await browser.submit(page, {"decision": "approve"}, action="/consent")
    answer = query_of(back)
    assert answer["state"] == "s-1"
    token = await world.exchange(browser, answer["code"])
    assert token.status_code == 200
    assert token.json()["type"] == token.json()["token_type"] == "Bearer"
