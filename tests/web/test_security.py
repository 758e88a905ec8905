"""A customer's page on security: the password is changed, and browsers are listed and signed out."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

import httpx2
import orjson
import pytest
from fastapi import FastAPI

from app.throttling.guesses import GuessLimits
from app.web.pages.browser_kind import kind_of
from tests.support.browser import Browser
from tests.support.people import PASSWORD, World
from tests.web.reading import attributes_of, words_of
from tests.web.services import Services, same_browser

SECURITY = "/app/account/security"
CHANGE = "/app/account/security/password"
NEW = "another horse, another battery"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"
MANY = 1_000_000


async def signed_in(browser: Browser, world: World, password: str = PASSWORD) -> Browser:
    page = await browser.sign_in(await browser.get(SECURITY), world.member.email, password)
    assert "Security" in words_of(page)
    return browser


@pytest.fixture
async def person(browser: Browser, world: World) -> Browser:
    return await signed_in(browser, world)


@pytest.fixture
async def elsewhere(app: FastAPI, world: World) -> AsyncIterator[Browser]:
    """The same person, signed in with a second browser."""
    async with Browser(app, address="2001:db8::7") as browser:
        browser.http.headers["user-agent"] = FIREFOX
        yield await signed_in(browser, world)


async def is_in(browser: Browser) -> bool:
    return "Change password" in (await browser.get(SECURITY)).text


async def change(browser: Browser, present: str, new: str) -> httpx2.Response:
    fields = {"password": present, "new_password": new}
    return await browser.submit(await browser.get(SECURITY), fields, action=CHANGE)


async def events_of(world: World, event: str) -> list[dict[str, Any]]:
    """The details of the customer's events of this name, the oldest first."""
    statement = "SELECT detail FROM audit_event WHERE event = $1 AND customer_id = $2 ORDER BY id"
    rows = await world.context.database.rows(statement, event, world.member.customer_id)
    return [orjson.loads(row["detail"]) for row in rows]


def fault_of(page: httpx2.Response, status: int = 422) -> str:
    """What is told at the one field that is marked; no password is ever in the page."""
    assert page.status_code == status, page.text
    [field] = [each for each in attributes_of(page, "input", "aria-invalid") if each]
    assert field == "true"
    for secret in (PASSWORD, NEW):
        assert secret not in page.text
    return words_of(page)


# The password


async def test_a_changed_password_ends_every_other_session(
    person: Browser, elsewhere: Browser, world: World
) -> None:
    """R-56: on the wire, and the browser that changed it stays."""
    answer = await change(person, PASSWORD, NEW)
    assert answer.headers["location"] == f"{SECURITY}?done=password"
    assert "Your password was changed" in words_of(await person.follow(answer))
    assert not await is_in(elsewhere)
    assert await events_of(world, "person.password_changed") == [
        {"person": str(world.member.id), "sessions_ended": 1}
    ]
    async with Browser(person.http._transport.app) as fresh:  # type: ignore[attr-defined]
        page = await fresh.get(SECURITY)
        old = await fresh.submit(page, {"email": world.member.email, "password": PASSWORD}, action="/login")
        assert old.status_code == 400
        assert await is_in(await signed_in(fresh, world, NEW))


async def test_a_stolen_copy_of_the_cookie_ends_with_the_old_password(app: FastAPI, person: Browser) -> None:
    """R-55, R-56: the browser gets a new session too."""
    async with same_browser(person, app) as thief:
        assert await is_in(thief)
        assert (await change(person, PASSWORD, NEW)).status_code == 303
        assert not await is_in(thief)
    assert await is_in(person)


NOT_ACCEPTED = (
    ("wrong", NEW, "This is not your present password."),
    ("x" * 2_000, NEW, "This is not your present password."),
    (PASSWORD, "", "10 to 1000 characters"),
    (PASSWORD, "short", "10 to 1000 characters"),
    (PASSWORD, "x" * 1_001, "10 to 1000 characters"),
    (PASSWORD, "Passw0rd2026!", "too easy to guess"),
    (PASSWORD, "Hillside2026!", "too easy to guess"),
    (PASSWORD, PASSWORD, "Choose another one."),
)


async def test_what_is_not_accepted_is_told_at_its_field(person: Browser, world: World) -> None:
    for present, new, said in NOT_ACCEPTED:
        assert said in fault_of(await change(person, present, new))
    assert await is_in(person)
    assert await events_of(world, "person.password_changed") == []


async def test_guesses_at_the_present_password_are_counted_as_at_sign_in(
    services: Services, world: World
) -> None:
    """R-51: whoever took a session over guesses no faster; the right one looks like a wrong one then."""
    app = services.under(guess_limits=GuessLimits(3, MANY))
    async with Browser(app, address="2001:db8:51::1") as browser:
        await signed_in(browser, world)
        guesses = [(await change(browser, "wrong", NEW)).status_code for _ in range(3)]
        limited = await change(browser, PASSWORD, NEW)
    assert guesses == [422] * 3
    assert "too many attempts" in fault_of(limited, 429)
    assert 0 < int(limited.headers["retry-after"]) <= 300
    assert [each["cause"] for each in await events_of(world, "person.proof_failed")] == ["wrong password"] * 3


async def test_of_two_changes_at_once_one_is_made(person: Browser, elsewhere: Browser) -> None:
    """The second finds that its present password is the old one."""
    answers = await asyncio.gather(change(person, PASSWORD, NEW), change(elsewhere, PASSWORD, NEW + " 2"))
    assert sorted(each.status_code for each in answers) in ([303, 303], [303, 422], [303, 400])
    assert [await is_in(person), await is_in(elsewhere)].count(True) == 1


# Sessions


async def test_browsers_are_listed_in_plain_words(person: Browser, elsewhere: Browser) -> None:
    shown = words_of(await elsewhere.get(SECURITY))
    assert shown.index("Firefox on Windows This browser") < shown.index("Unknown browser")
    assert "2001:db8::7" in shown
    assert "127.0.0.1" in shown
    assert words_of(await person.get(SECURITY)).count("This browser") == 1


async def test_one_browser_is_signed_out_from_another(
    person: Browser, elsewhere: Browser, world: World, services: Services
) -> None:
    """R-56: in another process too, and within a second."""
    async with same_browser(elsewhere, services.like()) as other_process:
        assert await is_in(other_process)
        answer = await person.submit(await person.get(SECURITY), {}, action="/sessions/end")
        began = monotonic()
        assert "The browser was signed out" in words_of(await person.follow(answer))
        assert not await is_in(other_process)
        assert monotonic() - began < 1
    assert not await is_in(elsewhere)
    assert await is_in(person)
    assert await events_of(world, "person.sessions_ended") == [{"person": str(world.member.id), "ended": 1}]


async def test_all_others_are_signed_out_at_once(
    app: FastAPI, person: Browser, elsewhere: Browser, world: World
) -> None:
    async with Browser(app) as third:
        await signed_in(third, world)
        await person.submit(await person.get(SECURITY), {}, action="/end-others")
        assert [await is_in(each) for each in (person, elsewhere, third)] == [True, False, False]
    assert (await events_of(world, "person.sessions_ended"))[-1]["ended"] == 2


async def test_nobody_ends_a_session_of_somebody_else(
    person: Browser, elsewhere: Browser, app: FastAPI, world: World
) -> None:
    """R-43: neither with a form of another person's page nor from another site."""
    page = await person.get(SECURITY)
    async with Browser(app) as stranger:
        await signed_in(stranger, await World.make(world.context))
        assert (await stranger.submit(page, {}, action="/sessions/end")).status_code == 400
    refused = await person.submit(page, {}, action="/sessions/end", Sec_Fetch_Site="cross-site")
    assert refused.status_code == 403
    assert await is_in(elsewhere)


async def test_a_form_for_one_purpose_serves_no_other(person: Browser) -> None:
    page = await person.get(SECURITY)
    answer = await person.http.post(
        CHANGE,
        data={
            "form": attributes_of(page, "input", "value")[0],
            "password": PASSWORD,
            "new_password": NEW,
        },
    )
    assert answer.status_code == 400


async def test_whoever_is_not_signed_in_is_led_to_the_sign_in(browser: Browser) -> None:
    assert 'name="password"' in (await browser.get(SECURITY)).text
    for path in (CHANGE, f"{SECURITY}/sessions/end", f"{SECURITY}/sessions/end-others"):
        assert (await browser.http.post(path)).headers["location"] == "/app/login"


@pytest.mark.parametrize(
    ("user_agent", "kind"),
    [
        (FIREFOX, "Firefox on Windows"),
        ("Mozilla/5.0 (X11; Linux) AppleWebKit/537.36 Chrome/143.0 Safari/537.36 Edg/143", "Edge on Linux"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 16) Chrome/143.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.17", "Unknown browser"),
        ("", "Unknown browser"),
    ],
)
def test_a_browser_is_named_by_its_kind(user_agent: str, kind: str) -> None:
    assert kind_of(user_agent) == kind


async def test_nothing_that_a_browser_says_of_itself_is_shown(browser: Browser, world: World) -> None:
    """R-79"""
    browser.http.headers["user-agent"] = "<script>alert(1)</script>"
    page = await (await signed_in(browser, world)).get(SECURITY)
    assert "Unknown browser This browser" in words_of(page)
    assert "alert(1)" not in page.text
