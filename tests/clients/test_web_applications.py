"""Web applications on Auth.js, better-auth and social-auth connect a customer, as their pages set them up."""

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.flows.account.register_application import RegisteredApplication
from tests.clients.pages import block, written
from tests.clients.served import MACHINES, Served, filled
from tests.clients.software import Conversation, conversing, node, python
from tests.support.assertions import jwks_of, key_pair
from tests.support.listening import listening
from tests.support.server import free_port

SECRET = "0123456789abcdef" * 4
SCOPES = ("account:read", "aemp:read")

pytestmark = pytest.mark.timeout(600)


@asynccontextmanager
async def serving(
    service: Served,
    page: str,
    folder: Path,
    callback: str,
    change: Callable[[str], str] = str,
    **options: Any,
) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser on the page's application. change: what a reader does to the block. options: of its registration."""
    port = free_port()
    address = f"http://localhost:{port}"
    application = await service.register(address + callback, kind="strict", scope=SCOPES, **options)
    text = change(block(page, "javascript", filled(service, application)))
    environment = {
        "PORT": str(port),
        "BASE_URL": address,
        "AUTH_SECRET": SECRET,
        "BETTER_AUTH_SECRET": SECRET,
        "BETTER_AUTH_TELEMETRY": "0",
        "KEY": json.dumps(key_pair("EC").as_dict(private=True)),
    }
    command = [str(node(folder)), str(written(folder, "page.mjs", text))]
    async with (
        listening(command, port, folder / "told", folder=folder, environment=environment, within_s=60),
        httpx2.AsyncClient(base_url=address, timeout=30) as browser,
    ):
        yield browser


async def came_back(service: Served, browser: httpx2.AsyncClient, link: str) -> httpx2.Response:
    """The answer to the browser that the customer's approval sent back."""
    return await browser.get(await service.approve(link))


async def machines(browser: httpx2.AsyncClient) -> int:
    answer = await browser.get("/machines")
    assert answer.status_code == 200, answer.text
    return len(answer.json())


async def link_of_authjs(browser: httpx2.AsyncClient) -> str:
    told = await browser.get("/auth/csrf")
    assert "csrfToken" in told.text, (told.status_code, told.text)
    token = told.json()["csrfToken"]
    answer = await browser.post("/auth/signin/rovitracker", data={"csrfToken": token})
    return str(answer.headers["location"])


AUTHJS = "/auth/callback/rovitracker"


async def test_authjs_connects_and_reads(service: Served, tmp_path: Path) -> None:
    async with serving(service, "authjs", tmp_path, AUTHJS) as browser:
        answer = await came_back(service, browser, await link_of_authjs(browser))
        assert "error" not in answer.headers["location"]
        assert await machines(browser) == MACHINES
        session = (await browser.get("/auth/session")).json()
    member = service.world.member
    assert (session["person"], session["user"]["name"]) == (str(member.id), member.customer_name)


async def test_authjs_without_the_issuer_connects_nobody(service: Served, tmp_path: Path) -> None:
    """The trap of the page."""

    def careless(text: str) -> str:
        return text.replace("  issuer: ISSUER,\n", "")

    async with serving(service, "authjs", tmp_path, AUTHJS, careless) as browser:
        answer = await came_back(service, browser, await link_of_authjs(browser))
        assert "error" in answer.headers["location"]


@pytest.mark.parametrize("profile", ["the page's", "its own"])
async def test_authjs_takes_a_refusal_for_a_profile(service: Served, tmp_path: Path, profile: str) -> None:
    """The trap of the page: it makes a new user of each, unless the page's `profile` finds no account in it."""

    def careless(text: str) -> str:
        text = text.replace("account:read aemp:read", "aemp:read")
        return text if profile == "the page's" else re.sub(r"  profile: .*\n", "", text)

    async with serving(service, "authjs", tmp_path, AUTHJS, careless) as browser:
        await came_back(service, browser, await link_of_authjs(browser))
        assert ((await browser.get("/auth/session")).json() is None) == (profile == "the page's")


async def test_authjs_without_a_scope_connects_nobody(service: Served, tmp_path: Path) -> None:
    """The trap of the page."""

    def careless(text: str) -> str:
        return text.replace(', params: { scope: "account:read aemp:read" }', "")

    async with serving(service, "authjs", tmp_path, AUTHJS, careless) as browser:
        answer = await service.browser.get(await link_of_authjs(browser))
        assert "error=invalid_scope" in answer.headers["location"]


KEYED = """clientId: "{}",
  client: {{ token_endpoint_auth_method: "private_key_jwt" }},
  token: {{
    url: `${{ISSUER}}/app/oauth2/token`,
    clientPrivateKey: await crypto.subtle.importKey(
      "jwk", JSON.parse(process.env.KEY), {{ name: "ECDSA", namedCurve: "P-256" }}, false, ["sign"]),
  }},
"""


async def test_authjs_signs_for_two_audiences_and_is_refused(service: Served, tmp_path: Path) -> None:
    """O-150: the trap of the page."""

    def keyed(text: str) -> str:
        text = text.replace("  token: `${ISSUER}/app/oauth2/token`,\n", "")
        return re.sub(r'clientId: "(.*)",\n.*\n', lambda found: KEYED.format(found[1]), text)

    options = {"jwks": jwks_of(key_pair("EC"))}
    async with serving(service, "authjs", tmp_path, AUTHJS, keyed, **options) as browser:
        answer = await came_back(service, browser, await link_of_authjs(browser))
        assert "error" in answer.headers["location"]
    assert '"realm": "RoviTracker"' in (tmp_path / "told").read_text()  # the token endpoint's 401


BETTER_AUTH = "/api/auth/callback/rovitracker"


async def link_of_better_auth(browser: httpx2.AsyncClient) -> str:
    asked = {"provider": "rovitracker", "callbackURL": "/"}
    origin = {"Origin": str(browser.base_url).rstrip("/")}
    answer = await browser.post("/api/auth/sign-in/social", json=asked, headers=origin)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["url"])


async def test_better_auth_connects_and_reads(service: Served, tmp_path: Path) -> None:
    async with serving(service, "better-auth", tmp_path, BETTER_AUTH) as browser:
        answer = await came_back(service, browser, await link_of_better_auth(browser))
        assert "error" not in answer.headers["location"]
        assert await machines(browser) == MACHINES
        user = (await browser.get("/api/auth/get-session")).json()["user"]
    member = service.world.member
    assert (user["name"], user["email"]) == (member.customer_name, f"{member.id}@rovitracker.invalid")


@pytest.mark.parametrize("left_out", ["accountSubject", "mapProfileToUser"])
async def test_better_auth_without_what_it_needs_connects_nobody(
    service: Served, tmp_path: Path, left_out: str
) -> None:
    """The trap of the page."""

    def careless(text: str) -> str:
        return re.sub(rf"  {left_out}: .*\n", "", text)

    async with serving(service, "better-auth", tmp_path, BETTER_AUTH, careless) as browser:
        answer = await came_back(service, browser, await link_of_better_auth(browser))
        assert "error" in answer.headers["location"]


# A Django project in one file, with the page's settings at its end.
PROJECT = """
import django
from django.conf import settings as chosen

import page

chosen.configure(
    SECRET_KEY="x" * 50,
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="urls",
    LOGIN_REDIRECT_URL="/",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "social_django"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware"],
    **{name: value for name, value in vars(page).items() if name.isupper()},
)
django.setup()

from django.core.management import call_command
from django.test import Client
from social_django.models import UserSocialAuth
from social_django.utils import load_strategy

call_command("migrate", verbosity=0)
browser = Client(HTTP_HOST="localhost:8400")
print(browser.post("/login/rovitracker/").headers["Location"], flush=True)
answer = browser.get(input())
connected = UserSocialAuth.objects.get()
print(answer.headers["Location"], connected.uid, connected.user.get_full_name(), sep="|")
first = connected.access_token
connected.refresh_token(load_strategy())
print(connected.access_token != first, connected.extra_data["account"]["name"])
"""
URLS = """
from django.urls import include, path

urlpatterns = [path("", include("social_django.urls", namespace="social"))]
"""


@asynccontextmanager
async def django(
    service: Served, folder: Path, change: Callable[[str], str] = str
) -> AsyncIterator[tuple[Conversation, RegisteredApplication]]:
    """change: as above."""
    application = await service.register(
        "http://localhost:8400/complete/rovitracker/", kind="strict", scope=SCOPES
    )
    credentials = {name: value for name, value in filled(service, application).items() if name != "ISSUER"}
    written(folder, "sitewise.py", change(block("social-auth", "python", {"ISSUER": service.address})))
    written(folder, "page.py", block("social-auth", "python", credentials, number=1))
    written(folder, "urls.py", URLS)
    async with conversing(python(), written(folder, "project.py", PROJECT)) as said:
        yield said, application


async def test_social_auth_connects_and_refreshes(service: Served, tmp_path: Path) -> None:
    async with django(service, tmp_path) as (said, application):
        back = await service.approve(await said.line())
        came_to, refreshed = await said.end(back.removeprefix("http://localhost:8400"))
    member = service.world.member
    assert came_to == f"/|{member.id}|{member.customer_name}"
    assert refreshed == f"True {member.customer_name}"
    assert await service.refreshes(application) == 1


async def test_social_auth_adds_to_the_redirect_uri_unless_told_not_to(
    service: Served, tmp_path: Path
) -> None:
    """The trap of the page."""

    def careless(text: str) -> str:
        return text.replace("    REDIRECT_STATE = False\n", "")

    async with django(service, tmp_path, careless) as (said, _):
        answer = await service.browser.get(await said.line())
    assert answer.status_code == 400
    assert "an address that is not registered" in answer.text
