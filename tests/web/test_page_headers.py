"""The headers that every page of ours is sent with, and the parts it is made of."""

import re
from urllib.parse import urlsplit

import httpx2
import pytest

from app.context import Context
from app.web.pages.render import ASSET_VERSION
from tests.support.browser import ORIGIN, Browser
from tests.support.people import REDIRECT_URI, World
from tests.web.reading import attribute_names_of, attributes_of, found, tags_of, words_of
from tests.web.services import Services, same_browser, unreachable_database


async def open_all(browser: Browser, world: World, services: Services) -> dict[str, httpx2.Response]:
    """One of each kind of page, by what it is."""
    login = await browser.get(world.authorize_url())
    refused = await browser.submit(login, {"email": "x", "password": "y"}, action="/app/login")
    consent = await world.consent_page(browser)
    await world.token(browser)
    redeemed = await world.consent_page(browser)
    approved = await browser.submit(redeemed, {"decision": "approve"}, action="/consent")
    await world.exchange(browser, httpx2.URL(approved.headers["location"]).params["code"])
    pages = {
        "front": await browser.get("/"),
        "sign-in": login,
        "sign-in refused": refused,
        "consent": consent,
        "overview": await browser.get("/app/account"),
        "people": await browser.get("/app/account/people"),
        "invitation": await browser.get("/app/invitation/x"),
        "machines": await browser.get("/app/account/machines"),
        "connections": await browser.get("/app/account/applications"),
        "security": await browser.get("/app/account/security"),
        "authenticator": await browser.get("/app/account/security/authenticator"),
        "already connected": await browser.submit(redeemed, {"decision": "approve"}, action="/consent"),
        "refused link": await browser.get("/app/oauth2/authorize?client_id=x"),
        "other site": await browser.submit(consent, {}, action="/consent", Sec_Fetch_Site="cross-site"),
        "lost flow": await browser.http.post("/app/oauth2/consent", data={"flow": "x"}),
        "not there": await browser.get("/app/nothing"),
        "not allowed": await browser.get("/app/logout"),
        "too large": await browser.http.post("/app/login", content=b"x" * 70_000),
    }
    async with (
        unreachable_database() as database,
        same_browser(browser, services.like(database=database)) as down,
    ):
        pages["store down"] = await down.get("/app/account/applications")
    return pages


STATUSES = {
    "front": 200,
    "sign-in": 200,
    "sign-in refused": 400,
    "consent": 200,
    "overview": 200,
    "people": 200,
    "invitation": 404,
    "machines": 200,
    "connections": 200,
    "security": 200,
    "authenticator": 200,
    "already connected": 409,
    "refused link": 400,
    "other site": 403,
    "lost flow": 400,
    "not there": 404,
    "not allowed": 405,
    "too large": 413,
    "store down": 503,
}


@pytest.mark.parametrize(
    ("address", "title"),
    [("/app/nothing", "There is no such page"), ("/app/logout", "This address opens no page")],
)
async def test_address_without_a_page_is_explained_to_people(
    address: str, title: str, browser: Browser
) -> None:
    """The page does not tell HTTP's phrase for the status, twice."""
    words = words_of(await browser.get(address))
    assert title in words
    assert "Not Found" not in words
    assert "Method" not in words


async def test_every_page_keeps_itself_ours(browser: Browser, world: World, services: Services) -> None:
    """O-135, O-138, R-40, R-42, R-82: on errors as on everything else."""
    pages = await open_all(browser, world, services)
    assert {name: page.status_code for name, page in pages.items()} == STATUSES
    for page in pages.values():
        headers = page.headers
        assert headers["content-type"] == "text/html; charset=utf-8"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert re.fullmatch(r"[0-9a-f]{32}", headers["x-request-id"])
        assert "strict-transport-security" not in headers  # http, in development


# Where passkeys are used. Nothing else has a script, and these have one file of ours.
SCRIPTED = {"sign-in", "sign-in refused", "security"}


async def test_no_page_has_script_but_ours_or_style_or_anything_from_elsewhere(
    browser: Browser, world: World, services: Services
) -> None:
    """O-135, R-41, R-42: so the policy allows none of it."""
    for name, page in (await open_all(browser, world, services)).items():
        policy = policy_of(page)
        scripts = [f"/app/static/passkey.js?v={ASSET_VERSION}"] if name in SCRIPTED else []
        assert attributes_of(page, "script", "src") == scripts
        assert len(found(page, "//script")) == len(scripts)
        assert not found(page, "//script/text()")
        allowed = {"script-src": "'self'", "connect-src": "'self'"} if scripts else {}
        assert {
            key: value for key, value in policy.items() if key in ("script-src", "connect-src")
        } == allowed
        assert policy["default-src"] == "'none'"
        assert policy["style-src"] == policy["img-src"] == "'self'"
        assert policy["base-uri"] == "'none'"
        assert "unsafe" not in page.headers["content-security-policy"]
        assert tags_of(page).isdisjoint({"style", "iframe", "object", "embed", "base"})
        assert not [each for each in attribute_names_of(page) if each == "style" or each.startswith("on")]
        sources = [
            *attributes_of(page, "img", "src"),
            *attributes_of(page, "link", "href"),
            *attributes_of(page, "form", "action"),
        ]
        assert sources
        assert all(source.startswith("/app/") for source in sources)
        for link in attributes_of(page, "a", "href"):
            assert link.startswith(("/", "#", f"{ORIGIN}/"))
            assert not link.startswith("//")


def policy_of(page: httpx2.Response) -> dict[str, str]:
    directives = (part.strip().partition(" ") for part in page.headers["content-security-policy"].split(";"))
    return {name: value for name, _, value in directives}


@pytest.mark.parametrize("redirect_uri", [REDIRECT_URI, "http://[::1]:5000/callback"])
async def test_no_policy_stands_between_a_form_and_where_the_application_leads(
    browser: Browser, context: Context, redirect_uri: str
) -> None:
    """R-41: browsers hold form-action against every redirect behind a form, those of the application too."""
    world = await World.make(context, redirect_uris=(redirect_uri,))
    url = world.authorize_url(redirect_uri=redirect_uri)
    login = await browser.get(url)
    refused = await browser.submit(login, {"email": "x", "password": "y"}, action="/app/login")
    consent = await world.consent_page(browser, redirect_uri=redirect_uri)
    for page in (login, refused, consent):
        assert "form-action" not in policy_of(page)
        assert policy_of(page)["default-src"] == "'none'"
    denied = await browser.submit(consent, {"decision": "deny"}, action="/consent")
    assert denied.headers["location"].startswith(redirect_uri)


async def test_other_forms_end_here(browser: Browser, world: World) -> None:
    """R-41: a page that leads to no application keeps its forms, also where it follows upon one that does."""
    login = await browser.get("/app/login")
    refused = await browser.submit(login, {"email": "x", "password": "y"}, action="/app/login")
    await world.token(browser)
    pages = [await browser.get(path) for path in ("/", "/app/account/applications", "/app/account/machines")]
    pages.append(await browser.get("/app/oauth2/authorize?client_id=x"))
    for page in (login, refused, *pages):
        assert policy_of(page)["form-action"] == "'self'"


async def test_redirects_are_not_kept_and_give_nothing_away(browser: Browser, world: World) -> None:
    """O-137, R-39, R-42, R-82: 303 everywhere; our own address goes to ourselves, and never to the application."""
    login = await browser.get(world.authorize_url())
    wrong = await browser.get(world.authorize_url(response_type="token"))
    inside = await browser.submit(
        login, {"email": world.member.email, "password": "correct horse battery"}, action="/app/login"
    )
    page = await browser.follow(inside)
    outside = await browser.submit(page, {"decision": "deny"}, action="/consent")
    for answer, referrer in ((wrong, "no-referrer"), (inside, "same-origin"), (outside, "no-referrer")):
        assert answer.status_code == 303
        assert answer.headers["referrer-policy"] == referrer
        assert answer.headers["cache-control"] == "no-store"
        assert answer.text == ""


@pytest.mark.parametrize(
    "path", ["/app/login/", "/app/oauth2/authorize/", "/app/oauth2/token/", "//evil.example/"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_no_redirect_follows_the_host_header(browser: Browser, path: str, method: str) -> None:
    """O-137, R-63, R-78: a path that is nearly ours is not ours."""
    answer = await browser.http.request(method, ORIGIN + path, headers={"Host": "evil.example"})
    assert answer.status_code == 404
    assert "location" not in answer.headers
    assert "evil.example" not in answer.text


async def test_forwarded_headers_of_a_stranger_change_nothing(browser: Browser, world: World) -> None:
    """R-78"""
    headers = {
        "Host": "evil.example",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Prefix": "/evil",
        "Forwarded": "host=evil.example;proto=https",
        "X-Original-URL": "/evil",
    }
    page = await world.consent_page(browser)
    for answer in (
        await browser.http.get(world.authorize_url(), headers=headers),
        await browser.http.get(world.authorize_url(response_type="x"), headers=headers),
        await browser.http.get("/app/nothing", headers=headers),
        await browser.submit(page, {"decision": "approve"}, action="/consent", **headers),
    ):
        assert "evil" not in answer.text
        assert "evil" not in str(answer.headers)


async def test_files_of_pages_are_kept_under_their_version_only(browser: Browser) -> None:
    """R-67, R-82"""
    versioned = await browser.get(f"/app/static/site.css?v={ASSET_VERSION}")
    assert versioned.headers["cache-control"] == "public, max-age=31536000, immutable"
    for query in ("", "?v=", "?v=000000000000", f"?v={ASSET_VERSION}&x"):
        plain = await browser.get(f"/app/static/site.css{query}")
        assert plain.headers["cache-control"] == "no-cache"
        assert plain.headers["x-content-type-options"] == "nosniff"
        again = await browser.get(f"/app/static/site.css{query}", If_None_Match=plain.headers["etag"])
        assert (again.status_code, again.headers["cache-control"]) == (304, "no-cache")


async def test_pages_ask_for_the_version_in_force(browser: Browser) -> None:
    page = await browser.get("/")
    files = attributes_of(page, "link", "href")
    assert files
    for file in files:
        assert urlsplit(file).query == f"v={ASSET_VERSION}"
        assert (await browser.get(file)).status_code == 200


@pytest.mark.parametrize(
    "path", ["../render.py", "%2e%2e/render.py", "..%2frender.py", "//etc/passwd", ".", ""]
)
async def test_nothing_beside_the_files_is_served(browser: Browser, path: str) -> None:
    answer = await browser.get(f"/app/static/{path}")
    assert answer.status_code == 404
    assert "import" not in answer.text
