"""Signing in and out on the wire: who gets a session, what ends it, and what the answers give away."""

import asyncio
import time
from datetime import timedelta
from statistics import median
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI

from app.process.passwords import Passwords
from tests.support.browser import ORIGIN, Browser, form_of
from tests.support.changing import change
from tests.support.people import PASSWORD, World
from tests.web.reading import assert_only_our_scripts, words_of
from tests.web.services import Services, same_browser

LOGIN = "/app/login"
ACCOUNT = "/app/account"
CONNECTIONS = "/app/account/applications"
SESSION = "rovi_session"


async def try_password(browser: Browser, email: str, password: str) -> httpx2.Response:
    page = await browser.get(LOGIN)
    return await browser.submit(page, {"email": email, "password": password}, action=LOGIN)


async def is_signed_in(browser: Browser) -> bool:
    return "Connected applications" in words_of(await browser.get(CONNECTIONS))


def set_cookies_of(answer: httpx2.Response) -> dict[str, set[str]]:
    """Attributes of the cookies an answer sets, by name; the value stands as `value=...`."""
    found = {}
    for line in answer.headers.get_list("set-cookie"):
        pair, *attributes = line.split("; ")
        name, _, value = pair.partition("=")
        found[name] = {f"value={value}", *(each.lower() for each in attributes)}
    return found


async def test_right_password_opens_a_session(browser: Browser, world: World) -> None:
    answer = await try_password(browser, world.member.email, PASSWORD)
    assert answer.status_code == 303
    assert answer.headers["location"] == ACCOUNT
    assert answer.headers["cache-control"] == "no-store"
    assert await is_signed_in(browser)


async def test_address_is_compared_without_regard_to_case(browser: Browser, world: World) -> None:
    assert (await try_password(browser, f" {world.member.email.upper()} ", PASSWORD)).status_code == 303


async def test_same_password_typed_on_another_keyboard_is_the_same(browser: Browser, world: World) -> None:
    """One keyboard composes ü of two characters, the other sends one."""
    hashed = await world.context.passwords.hash("gru\u0308ner Bagger")
    await world.context.database.count(
        "UPDATE person SET password_hash = $2 WHERE id = $1", world.member.id, hashed
    )
    assert (await try_password(browser, world.member.email, "gr\u00fcner Bagger")).status_code == 303


@pytest.mark.parametrize("password", ["", "x", PASSWORD + " ", PASSWORD.upper(), "é" * 1000])
async def test_wrong_password_and_unknown_address_look_alike(
    browser: Browser, world: World, password: str
) -> None:
    """R-54: the same status, the same headers, the same text."""
    known = await try_password(browser, world.member.email, password)
    unknown = await try_password(browser, f"{uuid4().hex}@nobody.example", password)
    assert known.status_code == unknown.status_code == 400
    assert words_of(known) == words_of(unknown)
    assert "do not belong together" in words_of(known)
    names = [{*answer.headers} - {"x-request-id", "content-length"} for answer in (known, unknown)]
    assert names[0] == names[1]
    assert "set-cookie" not in known.headers
    assert password not in known.text or len(password) < 2


async def test_wrong_password_and_unknown_address_take_alike(browser: Browser, world: World) -> None:
    """R-54: an address nobody has costs the same hashing; without it the answer would come ten times sooner."""
    page = await browser.get(LOGIN)
    times: dict[str, list[float]] = {world.member.email: [], "nobody@nowhere.example": []}
    for _ in range(9):
        for email, taken in times.items():
            began = time.perf_counter()
            await browser.submit(page, {"email": email, "password": "wrong"}, action=LOGIN)
            taken.append(time.perf_counter() - began)
    known, unknown = (median(taken) for taken in times.values())
    assert 0.4 < known / unknown < 2.5


async def test_each_sign_in_makes_a_new_session_and_ends_the_one_before(
    app: FastAPI, browser: Browser, world: World
) -> None:
    """R-55: a cookie planted before the sign-in is worth nothing after it, and the one replaced is dead."""
    browser.http.cookies.set(SESSION, "planted", domain="localhost.local")
    seen = {"planted"}
    for _ in range(2):
        async with same_browser(browser, app) as before:
            answer = await try_password(browser, world.member.email, PASSWORD)
            assert answer.status_code == 303
            value = browser.http.cookies[SESSION]
            assert value not in seen
            assert len(value) >= 43
            seen.add(value)
            assert not await is_signed_in(before)


async def test_sign_in_cannot_be_finished_in_another_browser(
    app: FastAPI, browser: Browser, world: World
) -> None:
    """R-43, R-44: else a victim could be signed in to an attacker's account."""
    page = await browser.get(LOGIN)
    fields = {"email": world.member.email, "password": PASSWORD}
    async with Browser(app) as other:
        await other.get(LOGIN)
        answer = await other.submit(page, fields, action=LOGIN)
        assert answer.status_code == 400
        assert SESSION not in set_cookies_of(answer)
        without_token = await other.http.post(LOGIN, data=fields)
        assert without_token.status_code == 400
        assert SESSION not in set_cookies_of(without_token)


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}, {"Origin": "https://evil.example"}]
)
async def test_sign_in_posted_by_another_site_is_refused(
    browser: Browser, world: World, headers: dict[str, str]
) -> None:
    """R-43"""
    page = await browser.get(LOGIN)
    fields = {"email": world.member.email, "password": PASSWORD}
    answer = await browser.submit(page, fields, action=LOGIN, **headers)
    assert answer.status_code == 403
    assert SESSION not in set_cookies_of(answer)


async def test_sign_in_page_that_was_open_too_long_is_refused(
    browser: Browser, world: World, services: Services
) -> None:
    page = await browser.get(LOGIN)
    async with same_browser(browser, services.later(timedelta(minutes=31))) as other:
        answer = await other.submit(page, {"email": world.member.email, "password": PASSWORD}, action=LOGIN)
    assert answer.status_code == 400
    assert SESSION not in set_cookies_of(answer)


@pytest.mark.parametrize(
    "target", ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:x"]
)
async def test_nothing_a_request_says_decides_where_a_sign_in_leads(
    browser: Browser, world: World, target: str
) -> None:
    """O-125, R-58: the way on is sealed by us; no parameter or header names it."""
    names = ("next", "return_to", "redirect", "redirect_uri", "path", "url")
    page = await browser.http.get(
        LOGIN, params=dict.fromkeys(names, target), headers={"Referer": "https://evil.example/"}
    )
    answer = await browser.submit(
        page,
        {**dict.fromkeys(names, target), "email": world.member.email, "password": PASSWORD},
        action=LOGIN,
        Host="evil.example",
        X_Forwarded_Host="evil.example",
    )
    assert answer.headers["location"] == ACCOUNT


async def test_cookies_over_http_are_for_this_browser_only(browser: Browser, world: World) -> None:
    """R-57: in development, where there is no https, without __Host- and Secure."""
    marked = set_cookies_of(await browser.get(LOGIN))
    opened = set_cookies_of(await try_password(browser, world.member.email, PASSWORD))
    assert set(marked) == {"rovi_browser"}
    assert set(opened) == {SESSION, "rovi_known"}
    assert "max-age=31536000" in opened["rovi_known"]
    for attributes in (*marked.values(), *opened.values()):
        assert {"httponly", "samesite=lax", "path=/"} <= attributes
        assert "secure" not in attributes
        assert not [each for each in attributes if each.startswith("domain")]


async def test_cookies_over_https_are_bound_to_this_host(world: World, services: Services) -> None:
    """O-33, R-57: on the way in and on the way out."""
    origin = "https://auth.rovi.example"
    app = services.under(issuer=origin, development=False)
    async with Browser(app, base_url=origin) as browser:
        marked = set_cookies_of(await browser.get(LOGIN))
        opened = set_cookies_of(await try_password(browser, world.member.email, PASSWORD))
        page = await browser.get(CONNECTIONS)
        assert page.headers["strict-transport-security"]
        assert "Development mode" not in words_of(page)
        closed = set_cookies_of(await browser.submit(page, {}, action="/app/logout", Origin=origin))
    assert set(marked) == {"__Host-rovi_browser"}
    assert set(opened) == {"__Host-rovi_session", "__Host-rovi_known"}
    assert set(closed) == {"__Host-rovi_session"}
    for attributes in (*marked.values(), *opened.values(), *closed.values()):
        assert {"secure", "httponly", "samesite=lax", "path=/"} <= attributes
        assert not [each for each in attributes if each.startswith("domain")]
    assert "max-age=0" in closed["__Host-rovi_session"]


async def test_signing_out_kills_the_session_itself(app: FastAPI, browser: Browser, world: World) -> None:
    """R-56: a stolen copy of the cookie is worth nothing afterwards."""
    await try_password(browser, world.member.email, PASSWORD)
    async with same_browser(browser, app) as thief:
        assert await is_signed_in(thief)
        answer = await browser.submit(await browser.get(CONNECTIONS), {}, action="/app/logout")
        assert answer.status_code == 303
        assert answer.headers["location"] == LOGIN
        assert SESSION not in browser.http.cookies
        assert not await is_signed_in(thief)


async def test_sign_out_works_as_long_as_the_session_does(
    browser: Browser, world: World, services: Services
) -> None:
    """R-56: a page left open over lunch must still be able to end it."""
    await try_password(browser, world.member.email, PASSWORD)
    page = await browser.get(CONNECTIONS)
    async with same_browser(browser, services.later(timedelta(hours=11))) as other:
        assert (await other.submit(page, {}, action="/app/logout")).status_code == 303
    assert not await is_signed_in(browser)


async def test_signing_out_twice_ends_at_the_sign_in(browser: Browser, world: World) -> None:
    await try_password(browser, world.member.email, PASSWORD)
    page = await browser.get(CONNECTIONS)
    for _ in range(2):
        answer = await browser.submit(page, {}, action="/app/logout")
        assert answer.headers["location"] == LOGIN


async def test_nobody_is_signed_out_by_a_link_or_another_site(browser: Browser, world: World) -> None:
    """R-43"""
    await try_password(browser, world.member.email, PASSWORD)
    form = form_of(await browser.get(CONNECTIONS), "/app/logout")
    assert (await browser.get("/app/logout")).status_code == 405
    refused = await browser.http.post(form.action, data=form.hidden, headers={"Sec-Fetch-Site": "cross-site"})
    assert refused.status_code == 403
    assert (await browser.http.post(form.action, data={})).status_code == 400
    assert await is_signed_in(browser)


async def test_disabled_customer_is_signed_out_and_stays_out(browser: Browser, world: World) -> None:
    """R-56: at the next page, and the refusal looks like a wrong password."""
    await try_password(browser, world.member.email, PASSWORD)
    await change(
        world.context,
        "UPDATE customer SET disabled_at = clock_timestamp() WHERE id = $1",
        world.member.customer_id,
    )
    assert not await is_signed_in(browser)
    refused = await try_password(browser, world.member.email, PASSWORD)
    wrong = await try_password(browser, world.member.email, "wrong")
    assert refused.status_code == wrong.status_code == 400
    assert words_of(refused) == words_of(wrong)


async def test_session_ends_without_use(world: World, services: Services) -> None:
    async with Browser(services.under(session_idle=timedelta(seconds=1.5))) as browser:
        await try_password(browser, world.member.email, PASSWORD)
        assert await is_signed_in(browser)
        await asyncio.sleep(1.55)
        assert not await is_signed_in(browser)


async def test_session_never_outlives_its_longest_life(world: World, services: Services) -> None:
    """This holds even when the idle time is set longer."""
    app = services.under(session_idle=timedelta(hours=1), session_absolute=timedelta(milliseconds=300))
    async with Browser(app) as browser:
        answer = await try_password(browser, world.member.email, PASSWORD)
        pair = answer.headers["set-cookie"].partition(";")[0]
        await asyncio.sleep(0.35)
        # Sent by hand: a browser would have dropped it by itself, a thief would not.
        page = await browser.get(CONNECTIONS, Cookie=pair)
        assert 'name="password"' in page.text


async def test_flood_of_passwords_is_shed_and_holds_up_no_token(
    browser: Browser, world: World, services: Services
) -> None:
    """R-60: half of a bounded queue, 503 with Retry-After beyond it, and introspection goes on meanwhile."""
    token = await world.token(browser)
    passwords = Passwords(threads=1)
    async with same_browser(browser, services.like(passwords=passwords)) as flooded:
        page = await flooded.get(LOGIN)
        fields = {"email": world.member.email, "password": "wrong"}
        flood = asyncio.gather(*(flooded.submit(page, fields, action=LOGIN) for _ in range(24)))
        slowest = 0.0
        while not flood.done():
            began = time.perf_counter()
            assert (await world.introspect(flooded, token))["active"] is True
            slowest = max(slowest, time.perf_counter() - began)
            await asyncio.sleep(0.02)
        answers = await flood
    passwords.close()
    assert {answer.status_code for answer in answers} == {400, 503}
    shed = [answer for answer in answers if answer.status_code == 503]
    assert len(shed) > 10
    assert all(answer.headers["retry-after"] for answer in shed)
    assert slowest < 1
    assert (await try_password(browser, world.member.email, PASSWORD)).status_code == 303


async def test_what_was_typed_is_shown_again_and_never_interpreted(browser: Browser) -> None:
    """O-32, R-79: the address, never the password."""
    typed = '"><script>alert(1)</script>@x\r\nSet-Cookie: y'
    answer = await try_password(browser, typed, "s3cret-s3cret")
    assert "<script>" not in answer.text
    assert_only_our_scripts(answer)
    assert "&#34;&gt;&lt;script&gt;" in answer.text
    assert "s3cret-s3cret" not in answer.text
    assert not set_cookies_of(answer)


async def test_form_posts_to_our_own_path(browser: Browser) -> None:
    """R-78"""
    page = await browser.get(LOGIN, Host="evil.example", X_Forwarded_Host="evil.example")
    assert "evil.example" not in page.text
    assert form_of(page).action.endswith(LOGIN)
    assert ORIGIN not in page.text
