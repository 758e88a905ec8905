"""An owner of an account chooses on the page Profile which mails they get about its connections."""

from typing import Any

import httpx2
import orjson
import pytest

from app.flows.account.change_member import change_role
from app.oauth.actor import COMMAND_LINE
from tests.support.browser import Browser, form_of
from tests.support.people import PASSWORD, World, join
from tests.web.reading import found, words_of

PROFILE, NOTICES = "/app/account/profile", "/app/account/profile/notices"
EVERY = ["changed", "disconnected", "ending"]
TICKED = "//section[@aria-labelledby='notices']//input[@type='checkbox'][@checked]/@name"


async def page_of(browser: Browser, email: str) -> httpx2.Response:
    await browser.sign_in(await browser.get(PROFILE), email, PASSWORD)
    return await browser.get(PROFILE)


def ticked(page: httpx2.Response) -> list[str]:
    return [str(name) for name in found(page, TICKED)]


async def choose(browser: Browser, page: httpx2.Response, *names: str, **more: str) -> httpx2.Response:
    """Post the form with these boxes ticked, and no others."""
    form = form_of(page, NOTICES)
    return await browser.http.post(NOTICES, data={**form.hidden, **dict.fromkeys(names, "on"), **more})


async def trail_of(world: World) -> list[Any]:
    rows = await world.context.database.rows(
        "SELECT actor_id, detail FROM audit_event WHERE customer_id = $1 AND event = 'customer.notices_chosen' ORDER BY id",
        world.member.customer_id,
    )
    return [(row["actor_id"], orjson.loads(row["detail"])) for row in rows]


async def test_all_are_on_and_what_is_chosen_is_kept_and_audited(browser: Browser, world: World) -> None:
    page = await page_of(browser, world.member.email)
    assert ticked(page) == EVERY
    assert "Some mails always come: about your sign-in" in words_of(page)
    saved = await browser.follow(await choose(browser, page, "ending"))
    assert "Your choice was saved." in words_of(saved)
    assert ticked(saved) == ["ending"]
    await choose(browser, saved, "ending")
    await choose(browser, saved)
    assert await trail_of(world) == [
        (world.member.id, {"off_before": "none", "off": "changed, disconnected"}),
        (
            world.member.id,
            {"off_before": "changed, disconnected", "off": "changed, disconnected, ending"},
        ),
    ]
    data = await browser.submit(await browser.get(PROFILE), {}, action="/profile/data")
    assert data.json()["account"]["notices_off"] == EVERY


async def test_each_owner_chooses_alone(browser: Browser, stranger: Browser, world: World) -> None:
    other = await join(world, "owner")
    await choose(browser, await page_of(browser, world.member.email))
    assert ticked(await page_of(stranger, other.email)) == EVERY


@pytest.mark.parametrize("name", ["connected", "new_browser", "password_changed", "everything"])
async def test_mails_that_always_come_are_no_choice(browser: Browser, world: World, name: str) -> None:
    """The row takes these notices alone, and a form with others changes nothing."""
    page = await page_of(browser, world.member.email)
    assert (await choose(browser, page, *EVERY, **{name: "on"})).status_code == 303
    assert await trail_of(world) == []
    with pytest.raises(Exception, match="customer_member_notices_off_check"):
        await world.context.database.count(
            "UPDATE customer_member SET notices_off = ARRAY[$2] WHERE person_id = $1", world.member.id, name
        )


@pytest.mark.parametrize("role", ["connector", "viewer"])
async def test_other_members_get_none_of_them(browser: Browser, world: World, role: Any) -> None:
    member = await join(world, role)
    page = await page_of(browser, member.email)
    assert "go to the owners of the account" in words_of(page)
    assert not found(page, f"//form[@action='{NOTICES}']")


async def test_forms_of_others_and_of_nobody_change_nothing(
    browser: Browser, stranger: Browser, world: World
) -> None:
    """R-47: each form belongs to the session that it was shown to."""
    other = await join(world, "owner")
    foreign = form_of(await page_of(stranger, other.email), NOTICES).hidden
    page = await page_of(browser, world.member.email)
    assert (await browser.http.post(NOTICES, data=foreign)).status_code == 400
    assert (await browser.http.post(NOTICES, data={})).status_code == 400
    async with Browser(browser.http._transport.app) as nobody:  # type: ignore[attr-defined]
        led = await nobody.http.post(NOTICES, data=form_of(page, NOTICES).hidden)
        assert (led.status_code, led.headers["location"]) == (303, "/app/login")
    assert await trail_of(world) == []


async def test_choice_is_kept_while_the_role_changes(browser: Browser, world: World) -> None:
    """Whoever becomes an owner again finds it as they left it."""
    other = await join(world, "owner")
    await choose(browser, await page_of(browser, other.email), "changed")
    parties = world.context, COMMAND_LINE, world.member.customer_id, other.id
    await change_role(*parties, "viewer", before="owner")
    await change_role(*parties, "owner", before="viewer")
    assert ticked(await browser.get(PROFILE)) == ["changed"]
