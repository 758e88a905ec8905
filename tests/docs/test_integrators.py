"""Every block of docs/integrators.md is run as it stands against a running service."""

import asyncio
import json
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from app.aemp.model.series import SERIES
from app.context import Context
from app.flows.account.register_application import register_application
from app.flows.fleet.import_fleet import import_machines
from app.oauth.actor import COMMAND_LINE
from app.oauth.token_string import PATTERN
from app.simulation.fleet import simulate_fleet
from tests.support.browser import Browser, query_of
from tests.support.people import PASSWORD, REDIRECT_URI, Strict, World, confirm_email, reads
from tests.support.server import ROOT, free_port, running_service, settings_on

TEXT = (ROOT / "docs" / "integrators.md").read_text()

# With what a block's first word is run; the program may be missing on a bare machine.
PROGRAMS = {"bash": ("bash", "curl"), "python": (sys.executable,), "javascript": ("node",)}


def blocks_of(section: str) -> dict[str, str]:
    """Language and text of the runnable blocks of one section of the page."""
    body = TEXT.split(f"\n## {section}")[1].split("\n## ")[0]
    return {
        language: block
        for language, block in re.findall(r"```(\w+)\n(.*?)```", body, re.DOTALL)
        if language in PROGRAMS
    }


@dataclass(frozen=True, slots=True)
class Running:
    """A service, somebody's fleet in it, and the applications that may ask for it."""

    address: str
    world: World
    strict: Strict

    def environment(self, asks: World | None = None, **more: str) -> dict[str, str]:
        application = asks or self.world
        given = {
            "ISSUER": self.address,
            "CLIENT_ID": application.client_id,
            "CLIENT_SECRET": application.client_secret,
            "REDIRECT_URI": REDIRECT_URI,
        }
        return {**os.environ, **given, **more}

    async def code(self) -> str:
        async with Browser(base_url=self.address) as browser:
            return await self.world.code(browser)

    async def token(self) -> str:
        async with Browser(base_url=self.address) as browser:
            return await self.world.token(browser)


@pytest.fixture(scope="module")
async def running(
    context: Context, database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    world = await World.make(context)
    now = context.now()
    machines = tuple(simulate_fleet(machines=130, days=2, interval_s=900, seed=3, now=now))
    await import_machines(context, world.member.customer_id, machines)
    settings = {
        **settings_on(database_url, redis_url, tmp_path_factory.mktemp("documented")),
        "ROVITRACKER_SECRET_KEYS": "fedcba9876543210" * 4,
        "ROVITRACKER_LOG_LEVEL": "error",
    }
    async with running_service(port=free_port(), settings=settings) as address:
        yield Running(address, world, await Strict.register(context))


async def run(language: str, block: str, environment: dict[str, str], folder: Path) -> str:
    missing = [program for program in PROGRAMS[language] if shutil.which(program) is None]
    if missing:
        pytest.skip(f"not shown: that the page's {language} runs as it stands; install {missing[0]}")
    file = folder / {"bash": "block.sh", "python": "block.py", "javascript": "block.mjs"}[language]
    file.write_text(block)
    process = await asyncio.create_subprocess_exec(
        PROGRAMS[language][0],
        str(file),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, err.decode()
    return out.decode()


@pytest.mark.parametrize("language", ["python", "javascript"])
async def test_the_documented_link_leads_to_the_sign_in_page(
    language: str, running: Running, tmp_path: Path
) -> None:
    link = (await run(language, blocks_of("2.")[language], running.environment(), tmp_path)).strip()
    assert set(parse_qs(urlsplit(link).query)) == {"client_id", "state", "redirect_uri"}
    async with Browser(base_url=running.address) as browser:
        page = await browser.get(link)
    assert page.status_code == 200
    assert "Sitewise Rentals Ltd" in page.text


@pytest.mark.parametrize("language", list(PROGRAMS))
async def test_the_documented_exchange_gives_a_token(language: str, running: Running, tmp_path: Path) -> None:
    environment = running.environment(CODE=await running.code())
    printed = await run(language, blocks_of("4.")[language], environment, tmp_path)
    token = json.loads(printed)["access_token"] if language == "bash" else printed.strip()
    assert re.fullmatch(PATTERN, token)


@pytest.mark.parametrize("language", list(PROGRAMS))
async def test_the_documented_reading_shows_the_fleet(
    language: str, running: Running, tmp_path: Path
) -> None:
    environment = running.environment(TOKEN=await running.token())
    printed = await run(language, blocks_of("5.")[language], environment, tmp_path)
    machines = len(json.loads(printed)["Equipment"]) if language == "bash" else len(printed.splitlines())
    assert machines == (100 if language == "bash" else 130)  # curl reads one page, the others follow `next`


async def test_the_documented_series_is_read(running: Running, tmp_path: Path) -> None:
    async with Browser(base_url=running.address) as browser:
        token = await running.world.token(browser)
        headers = {"Accept": "application/json", "Authorization": f"Bearer {token}"}
        fleet = (await browser.get("/api/v2/Fleet", **headers)).json()
    machine = next(
        each
        for each in fleet["Equipment"]
        if "PIN" in each["EquipmentHeader"] and "CumulativeOperatingHours" in each
    )
    pin = machine["EquipmentHeader"]["PIN"]
    environment = running.environment(TOKEN=token, PIN=pin)
    document = json.loads(await run("bash", blocks_of("6.")["bash"], environment, tmp_path))
    assert document["Links"][0]["href"].endswith(f"/api/v2/Fleet/Equipment/{pin}/CumulativeOperatingHours")
    assert document["CumulativeOperatingHours"] == [machine["CumulativeOperatingHours"]]


async def test_the_documented_question_names_the_account(
    running: Running, context: Context, tmp_path: Path
) -> None:
    asks = await Strict.register(context, scope=("account:read", "aemp:read"))
    await confirm_email(context, asks.member.id)
    async with Browser(base_url=running.address) as browser:
        code = await asks.code(browser, scope="account:read aemp:read")
        token = (await asks.exchange(browser, code)).json()["access_token"]
    environment = running.environment(asks, TOKEN=token)
    answer = json.loads(await run("bash", blocks_of("The account behind")["bash"], environment, tmp_path))
    section = TEXT.split("\n## The account behind")[1].split("\n## ")[0]
    [documented] = re.findall(r"```json\n(.*?)```", section, re.DOTALL)
    shown = json.loads(documented)
    assert (answer.keys(), answer["account"].keys()) == (shown.keys(), shown["account"].keys())
    assert answer["account"]["id"] == str(asks.member.customer_id)


def test_every_series_is_named() -> None:
    section = TEXT.split("\n## 6.")[1].split("\n## ")[0]
    assert {series.name for series in SERIES} <= set(re.findall(r"`(\w+)`", section))


@pytest.mark.parametrize("language", ["python", "javascript"])
async def test_the_documented_strict_way_leads_to_a_pair(
    language: str, running: Running, tmp_path: Path
) -> None:
    """The link with its challenge, the code that comes back, and the exchange with its verifier."""
    block = blocks_of("Strict applications")[language]
    link, verifier = (await run(language, block, running.environment(running.strict), tmp_path)).split()
    async with Browser(base_url=running.address) as browser:
        page = await browser.sign_in(await browser.get(link), running.strict.member.email, PASSWORD)
        code = query_of(await browser.submit(page, {"decision": "approve"}, action="/consent"))["code"]
    environment = running.environment(running.strict, CODE=code, CODE_VERIFIER=verifier)
    printed = await run("bash", blocks_of("Exchanging a strict")["bash"], environment, tmp_path)
    assert_like(json.loads(printed), document=2)


@pytest.mark.parametrize("language", list(PROGRAMS))
async def test_the_documented_refresh_gives_the_next_pair(
    language: str, running: Running, tmp_path: Path
) -> None:
    async with Browser(base_url=running.address) as browser:
        token = (await running.strict.pair(browser)).refresh
        environment = running.environment(running.strict, REFRESH_TOKEN=token)
        printed = await run(language, blocks_of("Refreshing")[language], environment, tmp_path)
        if language == "bash":
            pair = json.loads(printed)
            assert_like(pair, document=2)
            printed = f"{pair['refresh_token']} {pair['access_token']}"
        refresh, access = printed.split()
        assert refresh != token
        assert await reads(browser, access)
        assert (await running.strict.refresh(browser, refresh)).status_code == 200


async def test_the_documented_key_and_assertion_give_a_token(
    running: Running, context: Context, tmp_path: Path
) -> None:
    """O-134, O-150: the printed set is what is registered, and the kept file signs."""
    environment = running.environment(KEY_FILE=str(tmp_path / "key.pem"))
    printed = await run("python", blocks_of("Keys instead")["python"], environment, tmp_path)
    registered = await register_application(
        context,
        COMMAND_LINE,
        name="Keyed",
        company="Sitewise Rentals Ltd",
        kind="strict",
        grants=("client_credentials",),
        jwks=printed.encode(),
    )
    block = blocks_of("A request signed")["python"]
    environment["CLIENT_ID"] = str(registered.client.id)
    for _ in range(2):
        assert re.fullmatch(PATTERN, (await run("python", block, environment, tmp_path)).strip())


async def test_the_documented_revocation_ends_the_token(running: Running, tmp_path: Path) -> None:
    token = await running.token()
    await run("bash", blocks_of("Ending")["bash"], running.environment(TOKEN=token), tmp_path)
    async with Browser(base_url=running.address) as browser:
        answer = await browser.get("/api/v2/Fleet/1", Authorization=f"Bearer {token}")
    assert answer.status_code == 401


async def test_the_documented_answer_has_the_members_of_a_real_one(running: Running) -> None:
    async with Browser(base_url=running.address) as browser:
        real = (await running.world.exchange(browser, await running.world.code(browser))).json()
    assert_like(real, document=0)


async def test_the_documented_error_has_the_members_of_a_real_one(running: Running) -> None:
    section = TEXT.split("\n## When something goes wrong")[1]
    documented = json.loads(re.findall(r"```json\n(.*?)```", section, re.DOTALL)[0])
    async with Browser(base_url=running.address) as browser:
        answer = await running.world.exchange(browser, "rovi_ac_x")
    documented["error_uri"] = documented["error_uri"].replace(
        "https://auth.rovitracker.example", running.address
    )
    assert answer.json() == {**documented, "reference": answer.headers["x-request-id"]}


def assert_like(real: dict[str, object], *, document: int) -> None:
    """document: which of the page's."""
    documented = json.loads(re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)[document])
    assert {name: type(value) for name, value in documented.items()} == {
        name: type(value) for name, value in real.items()
    }


def test_the_documented_pattern_is_the_real_one() -> None:
    assert PATTERN.replace("(?:", "(") in TEXT
