"""The demo application's page, which walks the documented requests: in development, and nowhere else."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from app.context import Context
from app.flows.account.register_application import register_application
from app.oauth.actor import COMMAND_LINE
from app.web.demo import Demo
from app.web.paths import DEMO_CALLBACK
from tests.support.browser import ORIGIN, Browser, form_of, forms_of
from tests.support.people import PASSWORD, World
from tests.support.request_lines import request_lines
from tests.web.reading import attributes_of, tags_of, words_of
from tests.web.services import Services


@pytest.fixture
async def demo(context: Context, world: World) -> Demo:
    registered = await register_application(
        context,
        COMMAND_LINE,
        name="Sitewise Rentals",
        company="Sitewise Rentals Ltd",
        redirect_uris=(ORIGIN + DEMO_CALLBACK,),
    )
    return Demo(
        world.member.email, PASSWORD, str(registered.client.id), registered.client_secret or "", issuer=ORIGIN
    )


@pytest.fixture
async def visitor(services: Services, demo: Demo) -> AsyncIterator[Browser]:
    """A browser on a service that has a demo."""
    app = services.like()
    app.state.demo = demo
    async with Browser(app) as browser:
        yield browser


async def callback_page(visitor: Browser, demo: Demo, decision: str = "approve") -> httpx2.Response:
    page = await visitor.sign_in(await visitor.get(demo.consent_url), demo.email, demo.password)
    return await visitor.follow(await visitor.submit(page, {"decision": decision}, action="/consent"))


async def test_front_page_shows_the_sign_in_and_the_link(visitor: Browser, demo: Demo) -> None:
    page = await visitor.get("/")
    words = words_of(page)
    assert demo.email in words
    assert demo.password in words
    assert demo.consent_url in attributes_of(page, "a", "href")
    assert demo.client_secret not in page.text


async def test_callback_walks_from_code_to_fleet(visitor: Browser, demo: Demo) -> None:
    code = await callback_page(visitor, demo)
    assert "RoviTracker sent a code" in words_of(code)
    curl = words_of(code)
    for part in (f"curl -X POST {ORIGIN}/app/oauth2/token", demo.client_id, demo.client_secret, "rovi_ac_"):
        assert part in curl
    token = await visitor.submit(code, {}, action="/demo/token")
    assert "The application has its token" in words_of(token)
    assert '"type": "Bearer"' in words_of(token)
    fleet = await visitor.submit(token, {}, action="/demo/fleet")
    assert "The fleet is connected" in words_of(fleet)
    assert '"Equipment"' in words_of(fleet)
    for page in (code, token, fleet):
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "same-origin"


async def test_denied_connection_is_shown_as_such(visitor: Browser, demo: Demo) -> None:
    page = await callback_page(visitor, demo, "deny")
    assert "The fleet was not connected" in words_of(page)
    assert "access_denied" in words_of(page)
    assert [form for form in forms_of(page) if "/demo/" in form.action] == []


async def test_refused_code_is_shown_and_leads_no_further(visitor: Browser, demo: Demo) -> None:
    """A code that waited too long, or was sent twice: the answer stands there, and no empty request behind it."""
    code = await callback_page(visitor, demo)
    await visitor.submit(code, {}, action="/demo/token")
    again = await visitor.submit(code, {}, action="/demo/token")
    assert again.status_code == 200
    assert "invalid_grant" in words_of(again)
    assert "has its token" not in words_of(again)
    assert "None" not in words_of(again)
    assert [form for form in forms_of(again) if "/demo/" in form.action] == []


async def test_refused_token_is_no_connected_fleet(visitor: Browser) -> None:
    page = await visitor.http.post("/app/demo/fleet", data={"token": "rovi_at_nonsense"})
    assert page.status_code == 200
    assert "The fleet is connected" not in words_of(page)
    assert "invalid_token" in words_of(page)
    assert [form for form in forms_of(page) if "/demo/" in form.action] == []


@pytest.mark.parametrize("path", [DEMO_CALLBACK, "/app/demo/token", "/app/demo/fleet"])
async def test_callback_escapes_what_strangers_append(visitor: Browser, path: str) -> None:
    """O-32, R-79"""
    script = "<script>alert(1)</script>"
    if path == DEMO_CALLBACK:
        names = ("code", "state")
        page = await visitor.http.get(path, params=dict.fromkeys(names, script))
        error = await visitor.http.get(path, params=dict.fromkeys(("error", "error_description"), script))
        assert "script" not in tags_of(error)
    else:
        page = await visitor.http.post(path, data={"code": script, "token": script})
    assert "script" not in tags_of(page)
    assert "&lt;script&gt;" in page.text


@pytest.mark.parametrize("path", ["/app/demo/token", "/app/demo/fleet"])
async def test_other_sites_press_no_button(visitor: Browser, path: str) -> None:
    """R-43"""
    answer = await visitor.http.post(path, data={"code": "x"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


async def test_demo_calls_keep_the_request_id_of_the_page(visitor: Browser, demo: Demo) -> None:
    """R-85: the button's own request is logged under its own id, the one it makes under another."""
    code = await callback_page(visitor, demo)
    form = form_of(code, "/demo/token")
    with request_lines() as lines:
        await visitor.http.post(form.action, data=form.hidden, headers={"X-Request-Id": "outer-4711"})
    inner, outer = lines
    assert (inner["path"], outer["path"]) == ("/app/oauth2/token", "/app/demo/token")
    assert outer["request_id"] == "outer-4711" != inner["request_id"]


async def test_there_is_no_demo_without_one(browser: Browser) -> None:
    for answer in (
        await browser.get(DEMO_CALLBACK),
        await browser.http.post("/app/demo/token", data={}),
        await browser.http.post("/app/demo/fleet", data={}),
    ):
        assert answer.status_code == 404
    assert "Password" not in words_of(await browser.get("/"))


async def test_there_is_no_demo_in_production(services: Services, demo: Demo) -> None:
    app = services.under(development=False)
    app.state.demo = demo
    async with Browser(app) as visitor:
        assert (await visitor.get(DEMO_CALLBACK)).status_code == 404
