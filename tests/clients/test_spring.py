"""Spring Security 6 and 7 connect customers and guard an API, as their page sets them up."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import httpx2
import pytest

from app.context import Context
from app.flows.account.register_application import RegisteredApplication
from bench.ground.installation import install_jars
from tests.clients.pages import block, written
from tests.clients.served import MACHINES, Served, filled, served
from tests.clients.software import installed
from tests.support.assertions import jwks_of, key_pair
from tests.support.listening import listening
from tests.support.server import free_port

CLASSES = ("Sitewise", "Guarded", "Signing")
START_S = 90

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.parametrize("folder", ["spring_security_6", "spring_security_7"]),
]


async def compiled(classes: tuple[str, ...], folder: str, into: Path, change: Callable[[str], str]) -> str:
    """The class path of the page's classes. change: what a careless reader does to one of them."""
    if shutil.which("javac") is None:
        pytest.skip("not shown: that Spring works as its page says; install Debian's default-jdk")
    jars = f"{installed(install_jars, folder)}/*"
    sources = [
        str(written(into, f"{name}.java", change(block("spring", "java", number=CLASSES.index(name)))))
        for name in classes
    ]
    command = ["javac", "-parameters", "-cp", jars, "-d", str(into), *sources]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, told = await process.communicate()
    assert process.returncode == 0, told.decode()
    return f"{into}:{jars}"


@asynccontextmanager
async def spring(
    service: Served,
    folder: str,
    into: Path,
    *classes: str,
    change: Callable[[str], str] = str,
    configure: Callable[[str], str] = str,
    **options: object,
) -> AsyncIterator[tuple[httpx2.AsyncClient, RegisteredApplication]]:
    """A browser on the page's application. configure: what a reader does to its settings. options: of its registration."""
    port = free_port()
    address = f"http://localhost:{port}"
    addresses = (f"{address}{path}" for path in ("/connected", "/login/oauth2/code/rovitracker"))
    application = await service.register(*addresses, kind="strict", **options)
    values = filled(service, application)
    settings = block("spring", "yaml", {**values, "CLIENT_SECRET": values.get("CLIENT_SECRET", "none")})
    if application.client_secret is None:
        method = "client-authentication-method: private_key_jwt"
        settings = settings.replace("client-secret: none", method, 1)
    written(into, "application.yml", configure(settings))
    path = await compiled(classes, folder, into, change)
    command = [
        "java",
        "-Xmx256m",
        "-XX:TieredStopAtLevel=1",
        "-cp",
        path,
        "example.Sitewise",
        f"--server.port={port}",
    ]
    key = json.dumps(key_pair("EC").as_dict(private=True))
    environment = {**os.environ, "KEY": key}
    async with (
        listening(command, port, into / "told", folder=into, environment=environment, within_s=START_S),
        httpx2.AsyncClient(base_url=address, timeout=60) as browser,
    ):
        yield browser, application


async def connect(service: Served, browser: httpx2.AsyncClient) -> httpx2.Response:
    """The application's answer to the browser that came back with the customer's approval."""
    asked = await browser.get("/oauth2/authorization/rovitracker")
    return await browser.get(await service.approve(asked.headers["location"]))


async def machines(browser: httpx2.AsyncClient) -> int:
    answer = await browser.get("/machines")
    assert answer.status_code == 200, answer.text
    return len(answer.json()["Equipment"])


async def test_spring_connects_reads_and_guards(service: Served, folder: str, tmp_path: Path) -> None:
    async with spring(service, folder, tmp_path, "Sitewise", "Guarded") as (browser, application):
        await connect(service, browser)
        assert await machines(browser) == MACHINES
        token = await token_for(service, application)
        caller = {"Authorization": f"Bearer {token}"}
        answer = await browser.get("/guarded/customer", headers=caller)
        assert (answer.status_code, answer.text) == (200, str(service.world.member.customer_id))
        assert (await browser.get("/guarded/customer")).status_code == 401
        await service.revoke(token, application)
        assert (await browser.get("/guarded/customer", headers=caller)).status_code == 401


async def token_for(service: Served, application: RegisteredApplication) -> str:
    """Another token of the same application, as a program of its own would send it."""
    strict = service.strict(application)
    redirect_uri = application.client.redirect_uris[0]
    code = await strict.code(service.browser, redirect_uri=redirect_uri)
    answer = await strict.exchange(service.browser, code)
    return str(answer.json()["access_token"])


async def test_spring_signs_for_the_issuer(service: Served, folder: str, tmp_path: Path) -> None:
    """O-150."""
    keys = jwks_of(key_pair("EC"))
    async with spring(service, folder, tmp_path, "Sitewise", "Signing", jwks=keys) as (browser, _):
        await connect(service, browser)
        assert await machines(browser) == MACHINES


NAMING = """
    @GetMapping("/me")
    String me(java.security.Principal person) {
        return person.getName();
    }

"""
LOGIN_CLASS = (
    (
        "oauth2Client(client -> client.authorizationCodeGrant(code",
        "oauth2Login(login -> login.authorizationEndpoint(code",
    ),
    ("requests.anyRequest().permitAll()", "requests.anyRequest().authenticated()"),
    ('    @GetMapping("/machines")', NAMING + '    @GetMapping("/machines")'),
)
LOGIN_SETTINGS = (
    ("{baseUrl}/connected", "{baseUrl}/login/oauth2/code/rovitracker"),
    ("scope: aemp:read", "scope: account:read, aemp:read"),
)


async def test_spring_makes_a_user_of_the_one_who_approved(
    service: Served, folder: str, tmp_path: Path
) -> None:
    """What the page says of `oauth2Login`."""
    issuer = f"            issuer-uri: {service.address}\n"
    userinfo = issuer.replace("issuer", "user-info").replace("\n", "/app/oauth2/userinfo\n")
    named = (issuer, f"{issuer}{userinfo}            user-name-attribute: sub\n")
    change, configure = partial(replaced, LOGIN_CLASS), partial(replaced, (*LOGIN_SETTINGS, named))
    async with spring(
        *(service, folder, tmp_path, "Sitewise"),
        change=change,
        configure=configure,
        scope=("account:read", "aemp:read"),
    ) as (browser, _):
        await connect(service, browser)
        assert (await browser.get("/me")).text == str(service.world.member.id)
        assert await machines(browser) == MACHINES


def replaced(pairs: Sequence[tuple[str, str]], text: str) -> str:
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


async def test_only_spring_security_7_uses_pkce_by_itself(
    service: Served, folder: str, tmp_path: Path
) -> None:
    """The trap of the page."""

    def careless(text: str) -> str:
        return text.replace("resolver.setAuthorizationRequestCustomizer", "// ")

    async with spring(service, folder, tmp_path, "Sitewise", change=careless) as (browser, _):
        asked = await browser.get("/oauth2/authorization/rovitracker")
    assert ("code_challenge=" in asked.headers["location"]) == (folder == "spring_security_7")


async def test_two_requests_at_once_end_the_connection(
    context: Context, folder: str, tmp_path: Path, database_url: str, redis_url: str
) -> None:
    """O-60: the trap of the page. Spring refreshes a token in its last minute, which this one begins with."""
    data = tmp_path / "data"
    async with (
        served(context, database_url, redis_url, data, STRICT_ACCESS_LIFETIME="30s") as service,
        spring(service, folder, tmp_path, "Sitewise") as (browser, application),
    ):
        await connect(service, browser)
        assert await machines(browser) == MACHINES
        assert await service.refreshes(application) == 1
        await asyncio.gather(*(browser.get("/machines") for _ in range(8)))
        assert (await browser.get("/machines")).status_code != 200
