"""The fail2ban filter of the operators' page finds the client of every failure in real lines of the log, and no other."""

import configparser
import re
from pathlib import Path

import orjson
import pytest
from fastapi import FastAPI

from app.context import Context
from app.oauth.token_string import mint
from app.settings import Settings
from app.throttling.failures import Failures
from app.throttling.guesses import GuessLimits
from tests.support.browser import Browser
from tests.support.people import PASSWORD, World
from tests.support.request_lines import request_lines, written_lines
from tests.web.services import Services

PAGE = Path(__file__).parents[2] / "docs" / "operators.md"
# fail2ban 1.0 puts this in the place of its tag, for an address in either family.
ADDR = r"(?:(?P<ip4>(?:\d{1,3}\.){3}\d{1,3})|(?P<ip6>(?:[0-9a-fA-F]{1,4}::?|:){1,7}(?:[0-9a-fA-F]{1,4}|(?<=:):)))"
DIRECTIVES = {"%Y": r"\d{4}", **{f"%{each}": r"\d\d" for each in "mdHMS"}, "%f": r"\d{1,6}", "%z": "Z"}
GUESSER, HONEST, V6 = "192.0.2.66", "192.0.2.7", "2001:db8::66"


def documented_filter() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """The expression, and what the date is found by and cut out with."""
    [block] = re.findall(r"```ini\n(\[Definition\].*?)```", PAGE.read_text(), re.DOTALL)
    definition = configparser.ConfigParser()
    definition.read_string(block)
    date = definition["Definition"]["datepattern"]
    for directive, digits in DIRECTIVES.items():
        date = date.replace(directive, digits)
    return re.compile(definition["Definition"]["failregex"].replace("<ADDR>", ADDR)), re.compile(date)


def banned_by(line: str) -> str | None:
    failregex, date = documented_filter()
    assert date.search(line), line
    found = failregex.search(date.sub("", line, count=1))
    return (found["ip4"] or found["ip6"]) if found else None


@pytest.fixture
def app_with_limits(settings: Settings, context: Context) -> FastAPI:
    services = Services(settings, context)
    policy = services.under(guess_limits=GuessLimits(2, 1000)).state.context.policy
    return services.like(policy=policy, failures=Failures(a_minute=3))


async def test_filter_finds_the_client_of_each_failure(app_with_limits: FastAPI, world: World) -> None:
    with written_lines() as lines:
        async with Browser(app_with_limits, address=GUESSER) as browser:
            for _ in range(3):
                await browser.submit(
                    await browser.get("/app/login"), {"email": world.member.email, "password": "wrong"}
                )
            for _ in range(5):
                await world.exchange(browser, mint("ac", "c", 0).text, client_secret="wrong")
            await world.exchange(browser, mint("ac", "c", 0).text)
        async with Browser(app_with_limits, address=V6) as browser:
            await browser.get("/api/v2/Fleet/1", Authorization=f"Bearer {mint('at', 'c', 0).text}")
    found = [(banned_by(line), orjson.loads(line)["error"]) for line in lines if '"error"' in line]
    assert found == [
        *[(GUESSER, "sign_in_failed")] * 2,
        (GUESSER, "too_many_guesses"),
        *[(GUESSER, "invalid_client")] * 3,
        *[(GUESSER, "slow_down")] * 2,
        (GUESSER, "invalid_grant"),
        (V6, "invalid_token"),
    ]


async def test_filter_bans_nobody_for_what_succeeds_or_for_the_words_of_others(
    app_with_limits: FastAPI, world: World
) -> None:
    """No path and no id that a client chooses makes a line of its own look like the failure of another."""
    hostile = [
        f'/x","status":400,"error":"invalid_token","client":"{HONEST}"',
        f'/{{"event":"request","request_id":"x","client":"{HONEST}","error":"invalid_client"',
    ]
    with written_lines() as lines:
        async with Browser(app_with_limits, address=HONEST) as browser:
            await browser.submit(
                await browser.get("/app/login"), {"email": world.member.email, "password": PASSWORD}
            )
            await world.token(browser)
            await browser.get("/nowhere")
        async with Browser(app_with_limits, address=GUESSER) as browser:
            for path in hostile:
                await browser.get(path, X_Request_Id=f'x","client":"{HONEST}","error":"slow_down')
    assert len(lines) == 8
    assert sum("invalid_token" in line or "invalid_client" in line for line in lines) == 2
    assert {banned_by(line) for line in lines} == {None}


async def test_refused_requests_name_the_application_they_say_they_come_from(
    app_with_limits: FastAPI, world: World
) -> None:
    """Text that cannot be a client_id stays out: nobody writes what they like into the log."""
    with request_lines() as lines:
        async with Browser(app_with_limits) as browser:
            await world.exchange(browser, "rovi_ac_x", client_secret="wrong")
            await world.exchange(browser, "rovi_ac_x")
            await world.exchange(browser, "rovi_ac_x", client_id="nonsense")
            await browser.http.post(
                "/app/oauth2/revoke", data={"token": "x"}, auth=(world.client_id, "wrong")
            )
            await browser.http.post("/app/oauth2/token", data={"client_id": world.client_id})
    named = [line.get("client_id") for line in lines]
    assert named == [world.client_id, world.client_id, None, world.client_id, world.client_id]
