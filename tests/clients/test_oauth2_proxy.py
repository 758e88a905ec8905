"""oauth2-proxy lets in who confirmed an address, as its page sets it up, and asks again whether the token works."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from app.flows.account.register_application import RegisteredApplication
from app.flows.approval.connections import disconnect_application
from app.oauth.actor import COMMAND_LINE
from bench.ground.installation import install_go
from tests.clients.pages import block, written
from tests.clients.served import Served, filled
from tests.clients.software import installed
from tests.support.changing import until_true
from tests.support.listening import listening
from tests.support.people import confirm_email
from tests.support.server import free_port

CALLBACK = "/oauth2/callback"
UPSTREAM = "http://127.0.0.1:8080/"
REFRESHED = 'cookie_refresh = "1m"\n'
REFRESH_S = 1

pytestmark = pytest.mark.timeout(900)  # the first time, it is built


@asynccontextmanager
async def oauth2_proxy(
    service: Served, folder: Path, change: Callable[[str], str] = str
) -> AsyncIterator[tuple[httpx2.AsyncClient, RegisteredApplication]]:
    """A browser on it, and its application. change: what a reader does to the block."""
    program = installed(install_go, "oauth2_proxy") / "oauth2-proxy"
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    application = await service.register(address + CALLBACK, scope=("account:read",))
    values = {
        **filled(service, application),
        "REDIRECT_URI": address + CALLBACK,
        "COOKIE_SECRET": "0123456789abcdef" * 2,
        UPSTREAM: "static://200",
        REFRESHED: f'cookie_refresh = "{REFRESH_S}s"\n',
    }
    file = written(folder, "oauth2-proxy.cfg", change(block("oauth2-proxy", "toml", values)))
    # The browser here has no TLS, without which it would send no secure cookie back.
    command = [str(program), f"--config={file}", f"--http-address=127.0.0.1:{port}", "--cookie-secure=false"]
    async with (
        listening(command, port, folder / "told"),
        httpx2.AsyncClient(base_url=address, timeout=30) as browser,
    ):
        yield browser, application


async def came_back(service: Served, browser: httpx2.AsyncClient) -> httpx2.Response:
    """The answer to a browser that asked for a page, and that the customer's approval sent back."""
    asked = await browser.get("/")
    assert (asked.status_code, "/app/oauth2/authorize?" in asked.headers["location"]) == (302, True)
    return await browser.get(await service.approve(asked.headers["location"]))


async def status(browser: httpx2.AsyncClient) -> int:
    return (await browser.get("/")).status_code


async def disconnect(service: Served, application: RegisteredApplication) -> None:
    customer_id = service.world.member.customer_id
    await disconnect_application(service.world.context, COMMAND_LINE, customer_id, application.client.id)


async def test_a_confirmed_address_is_let_in_until_the_customer_disconnects(
    service: Served, tmp_path: Path
) -> None:
    await confirm_email(service.world.context, service.world.member.id)
    async with oauth2_proxy(service, tmp_path) as (browser, application):
        answer = await came_back(service, browser)
        assert (answer.status_code, answer.headers["location"]) == (302, "/")
        assert await status(browser) == 200
        who = (await browser.get("/oauth2/userinfo")).json()
        assert who["email"] == service.world.member.email
        await asyncio.sleep(REFRESH_S + 0.1)
        assert await status(browser) == 200
        await disconnect(service, application)

        async def is_asked_to_sign_in() -> bool:
            return await status(browser) == 302

        await until_true(is_asked_to_sign_in)


async def test_a_cut_connection_works_on_where_it_is_not_asked_again(service: Served, tmp_path: Path) -> None:
    """The trap of the page."""
    await confirm_email(service.world.context, service.world.member.id)

    def careless(text: str) -> str:
        return "".join(line for line in text.splitlines(keepends=True) if "cookie_refresh" not in line)

    async with oauth2_proxy(service, tmp_path, careless) as (browser, application):
        await came_back(service, browser)
        await disconnect(service, application)
        await asyncio.sleep(REFRESH_S + 0.1)
        assert await status(browser) == 200


async def test_an_address_that_nobody_confirmed_lets_nobody_in(service: Served, tmp_path: Path) -> None:
    """The trap of the page."""
    forget = "UPDATE person SET email_confirmed_at = NULL WHERE id = $1"
    await service.world.context.database.count(forget, service.world.member.id)
    async with oauth2_proxy(service, tmp_path) as (browser, _):
        assert (await came_back(service, browser)).status_code == 500
        assert await status(browser) == 302
    assert "unable to extract email from userinfo endpoint" in (tmp_path / "told").read_text()


@pytest.mark.parametrize(
    ("provider", "told"),
    [
        ("oidc", "token response did not contain an id_token"),
        ("nextcloud", "unable to extract id from userinfo endpoint"),
    ],
)
async def test_two_other_providers_let_nobody_in(
    service: Served, tmp_path: Path, provider: str, told: str
) -> None:
    """The trap of the page."""
    await confirm_email(service.world.context, service.world.member.id)
    issuer = f'oidc_issuer_url = "{service.address}"\n' if provider == "oidc" else ""

    def careless(text: str) -> str:
        return text.replace('provider = "keycloak"\n', f'provider = "{provider}"\n{issuer}')

    async with oauth2_proxy(service, tmp_path, careless) as (browser, _):
        assert (await came_back(service, browser)).status_code == 500
    assert told in (tmp_path / "told").read_text()
