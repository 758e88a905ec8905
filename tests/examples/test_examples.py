"""Libraries nobody here wrote, each through the whole code flow: the programs of examples/ against a running service."""

import asyncio
import json
import os
import re
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.context import Context
from app.flows.account.register_application import RegisteredApplication, register_application
from app.flows.fleet.import_fleet import import_machines
from app.oauth.actor import COMMAND_LINE
from app.simulation.fleet import simulate_fleet
from bench.ground.installation import UnavailableError, install_node, install_python
from tests.support.browser import Browser
from tests.support.people import PASSWORD, World
from tests.support.server import ROOT, free_port, running_service, settings_on

EXAMPLES = ROOT / "examples"
INSTALL = {"python": install_python, "javascript": install_node}
PROGRAMS = sorted(
    file.relative_to(EXAMPLES)
    for file in [*EXAMPLES.glob("python/*.py"), *EXAMPLES.glob("javascript/*.js")]
    if file.stem != "callback"
)

CONNECTED_FOR_YEARS = "Connected: token for 31536000 s, scope aemp:read"
CONNECTED_FOR_AN_HOUR = "Connected: token for 3600 s, scope aemp:read"
REFRESHED = "Refreshed: token for 3600 s"
READ = "Machines: 3"
REVOKED = "Revoked"

pytestmark = pytest.mark.timeout(300)  # the first time, the libraries are installed


@dataclass(frozen=True, slots=True)
class Running:
    """A service, a customer with three machines in it, and this customer's browser."""

    address: str
    world: World
    browser: Browser

    async def register(self, redirect_uri: str, **options: Any) -> RegisteredApplication:
        return await register_application(
            self.world.context,
            COMMAND_LINE,
            name="Example",
            company="Example Ltd",
            redirect_uris=(redirect_uri,),
            **options,
        )

    async def holds(self, statement: str, application: RegisteredApplication) -> list[dict[str, Any]]:
        """Rows of the service's database about an application."""
        rows = await self.world.context.database.rows(statement, application.client.id)
        return [dict(row) for row in rows]

    async def decide(self, link: str, decision: str) -> str:
        """The text of the application's callback page, for the browser that has come back."""
        page = await self.browser.get(link)
        if 'name="password"' in page.text:
            page = await self.browser.sign_in(page, self.world.member.email, PASSWORD)
        answer = await self.browser.submit(page, {"decision": decision}, action="/consent")
        back = await self.browser.follow(answer)
        assert back.status_code == 200, back.text
        return back.text


@pytest.fixture(scope="module")
async def running(
    context: Context, database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    world = await World.make(context)
    machines = simulate_fleet(machines=3, days=1, interval_s=900, seed=5, now=context.now())
    await import_machines(context, world.member.customer_id, tuple(machines))
    settings = {
        **settings_on(database_url, redis_url, tmp_path_factory.mktemp("examples")),
        "ROVITRACKER_LOG_LEVEL": "error",
    }
    async with (
        running_service(port=free_port(), settings=settings) as address,
        Browser(base_url=address) as browser,
    ):
        yield Running(address, world, browser)


@dataclass(frozen=True, slots=True)
class Ended:
    """A program that has ended: its status, what it printed after the link, and what it told on stderr."""

    status: int | None
    printed: list[str]
    told: str


async def run(
    running: Running,
    program: Path,
    application: RegisteredApplication,
    redirect_uri: str,
    *,
    decision: str = "approve",
) -> Ended:
    """The program from the link it prints, which the customer opens, to its end."""
    environment = {
        "ISSUER": running.address,
        "CLIENT_ID": str(application.client.id),
        "REDIRECT_URI": redirect_uri,
        **({"CLIENT_SECRET": application.client_secret} if application.client_secret else {}),
    }
    async with started(program, environment) as process:
        assert process.stdout is not None
        first = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
        if first.startswith("Open "):
            said = await running.decide(first.split()[1], decision)
            assert "You can close this page" in said
        out, err = await asyncio.wait_for(process.communicate(), 60)
    assert first.startswith("Open "), first + err.decode()
    return Ended(process.returncode, out.decode().splitlines(), err.decode())


@asynccontextmanager
async def started(program: Path, environment: dict[str, str]) -> AsyncIterator[Process]:
    """Start a program in its folder as its README says; it does not outlive the test."""
    folder = EXAMPLES / program.parent
    try:
        interpreter = INSTALL[folder.name](folder)
    except UnavailableError as error:
        pytest.skip(  # their libraries come from a registry, which may be out of reach
            f"not shown: that the {folder.name} examples run; their libraries cannot be had here: {error}"
        )
    process = await asyncio.create_subprocess_exec(
        *(interpreter, program.name), cwd=folder, env={**os.environ, **environment}, stdout=PIPE, stderr=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def programs(kind: str) -> pytest.MarkDecorator:
    """The programs for one kind of application, as parameters."""
    chosen = [program for program in PROGRAMS if program.stem.endswith(kind)]
    assert chosen
    return pytest.mark.parametrize("program", chosen, ids=str)


def callback(port: int | None = None) -> str:
    return f"http://127.0.0.1:{port or free_port()}/callback"


def introspected(program: Path, ends_at: int) -> list[str]:
    """The line about that, of a library that can and an application that may."""
    asks = "simple_oauth2" not in program.stem and "public" not in program.stem
    return [f"Introspected: ends at {ends_at}"] if asks else []


CLASSIC_TOKENS = """
SELECT floor(extract(epoch FROM expires_at))::bigint AS ends_at, revoked_at IS NOT NULL AS revoked
FROM classic_token WHERE application_id = $1
"""


@programs("classic")
async def test_classic_application_is_connected_for_years(running: Running, program: Path) -> None:
    """O-92: without PKCE and without a refresh token; what it revokes is revoked."""
    redirect_uri = callback()
    application = await running.register(redirect_uri)
    ended = await run(running, program, application, redirect_uri)
    assert ended.status == 0, ended.told
    [token] = await running.holds(CLASSIC_TOKENS, application)
    assert token["revoked"]
    introspection = introspected(program, token["ends_at"])
    assert ended.printed == [CONNECTED_FOR_YEARS, READ, *introspection, REVOKED]


GRANTS = """
SELECT code_challenge IS NOT NULL AS challenged, revoked_at IS NOT NULL AS revoked
FROM authorization_grant WHERE application_id = $1
"""
STRICT_TOKENS = """
SELECT floor(extract(epoch FROM expires_at))::bigint AS ends_at
FROM strict_token WHERE application_id = $1 ORDER BY id
"""
REFRESH_TOKENS = """
SELECT successor_id IS NOT NULL AS spent FROM refresh_token WHERE application_id = $1 ORDER BY id
"""


@programs("strict")
async def test_strict_application_connects_with_pkce_and_refreshes(running: Running, program: Path) -> None:
    """O-93: the refresh token it revokes takes the whole approval along."""
    redirect_uri = callback()
    application = await running.register(redirect_uri, kind="strict")
    await check_strict(running, program, application, redirect_uri)


@programs("public")
async def test_public_application_needs_no_secret_and_takes_any_port(running: Running, program: Path) -> None:
    """RFC 8252 section 7.3: only the port may be another than the registered one."""
    application = await running.register(callback(80), kind="strict", public=True)
    assert application.client_secret is None
    await check_strict(running, program, application, callback())


async def check_strict(
    running: Running, program: Path, application: RegisteredApplication, redirect_uri: str
) -> None:
    ended = await run(running, program, application, redirect_uri)
    assert ended.status == 0, ended.told
    assert await running.holds(GRANTS, application) == [{"challenged": True, "revoked": True}]
    assert await running.holds(REFRESH_TOKENS, application) == [{"spent": True}, {"spent": False}]
    _, token = await running.holds(STRICT_TOKENS, application)
    introspection = introspected(program, token["ends_at"])
    assert ended.printed == [CONNECTED_FOR_AN_HOUR, REFRESHED, READ, *introspection, REVOKED]


@programs("classic")
async def test_refusal_is_told_in_the_words_of_the_rfc(running: Running, program: Path) -> None:
    redirect_uri = callback()
    application = await running.register(redirect_uri)
    ended = await run(running, program, application, redirect_uri, decision="deny")
    assert ended.status != 0
    assert ended.printed == []
    assert "access_denied" in ended.told
    assert await running.holds(GRANTS, application) == []


def test_readme_has_a_row_and_a_command_for_each_program() -> None:
    readme = (EXAMPLES / "README.md").read_text()
    commands = re.findall(r"^\| \[.*\]\((.*)\) \|.*\| `(\S+) (\S+)` \|$", readme, re.MULTILINE)
    run_with = {"python": ".venv/bin/python", "javascript": "node"}
    expected = [(str(each), run_with[each.parent.name], each.name) for each in sorted(PROGRAMS)]
    assert commands == expected


def test_readme_names_the_versions_that_are_locked() -> None:
    """And what is locked has a hash and names no registry."""
    readme = (EXAMPLES / "README.md").read_text()
    requirements = (EXAMPLES / "python" / "requirements.txt").read_text()
    packages = json.loads((EXAMPLES / "javascript" / "package-lock.json").read_text())["packages"]
    locked = {name.removeprefix("node_modules/"): each for name, each in packages.items() if name}
    assert "://" not in requirements
    assert all("integrity" in each and "resolved" not in each for each in locked.values())
    for name in ("Authlib", "requests-oauthlib"):
        [version] = re.findall(rf"^{name.lower()}==(\S+)", requirements, re.MULTILINE)
        assert f"{name} {version}" in readme
    for name in ("openid-client", "simple-oauth2"):
        assert f"{name} {locked[name]['version']}" in readme
