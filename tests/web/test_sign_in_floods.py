"""A flood of guesses ends before it costs a store anything, and holds up nobody else at its address for long."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace

import pytest
from fastapi import FastAPI

from app.main import create_app
from app.process.passwords import Passwords, Turn
from app.settings import Settings
from app.storage.errors import StoreUnavailableError
from app.throttling.guesses import GuessLimits
from tests.support.browser import Browser
from tests.support.changing import until_true
from tests.support.people import PASSWORD, World
from tests.support.proxy import Proxy
from tests.support.stores import context_through_proxy
from tests.web.reading import words_of
from tests.web.test_sign_in_limits import LOGIN, fresh_address, guess, nobody

A_NETWORK = 4  # guesses from one network


@dataclass(frozen=True, slots=True)
class Counted:
    """A service of its own whose statements are counted on the wire."""

    app: FastAPI
    proxy: Proxy
    passwords: Passwords


@pytest.fixture
async def counted(world: World, settings: Settings, database_url: str) -> AsyncIterator[Counted]:
    limits = GuessLimits(1_000_000, A_NETWORK)
    passwords = Passwords(threads=1)
    async with context_through_proxy(world.context, database_url, connections=1) as (context, proxy):
        app = create_app(settings)
        app.state.context = replace(
            context, policy=replace(context.policy, guess_limits=limits), passwords=passwords
        )
        yield Counted(app, proxy, passwords)
    passwords.close()


async def test_guesses_from_an_address_above_its_limit_ask_no_store(counted: Counted, world: World) -> None:
    """R-52, R-54: once it was refused; the answer is the same for an account and for an address nobody has."""
    async with Browser(counted.app, address=fresh_address()) as browser:
        for _ in range(A_NETWORK):
            assert (await guess(browser, nobody())).status_code == 400
        looked_up = await guess(browser, nobody())
        before = counted.proxy.statements_asked()
        remembered = [await guess(browser, email, PASSWORD) for email in (world.member.email, nobody())]
        assert counted.proxy.statements_asked() == before
    assert [each.status_code for each in (looked_up, *remembered)] == [429] * 3
    assert len({words_of(each) for each in (looked_up, *remembered)}) == 1
    waits_s = [int(each.headers["retry-after"]) for each in (looked_up, *remembered)]
    assert waits_s[0] >= max(waits_s)
    assert min(waits_s) > waits_s[0] - 5


async def test_a_known_browser_enters_beside_a_remembered_flood(counted: Counted, world: World) -> None:
    """R-53: its owner may be behind the address that guesses."""
    shared = fresh_address()
    async with Browser(counted.app, address=shared) as owner, Browser(counted.app, address=shared) as guesser:
        assert (await guess(owner, world.member.email, PASSWORD)).status_code == 303
        for _ in range(A_NETWORK + 1):
            await guess(guesser, nobody())
        assert (await guess(guesser, nobody())).status_code == 429
        assert (await guess(owner, world.member.email, PASSWORD)).status_code == 303


async def test_a_limit_that_came_back_is_noticed_within_seconds(counted: Counted, world: World) -> None:
    """R-52: only PostgreSQL counts; a process remembers a refusal no longer than somebody needs to type again."""
    async with Browser(counted.app, address=fresh_address()) as browser:
        for _ in range(A_NETWORK + 1):
            await guess(browser, nobody())
        await world.context.database.count(
            "UPDATE guess SET at = at - interval '16 minutes' WHERE name LIKE 'network %'"
        )
        page = await browser.get(LOGIN)

        async def enters() -> bool:
            fields = {"email": world.member.email, "password": PASSWORD}
            return (await browser.submit(page, fields, action=LOGIN)).status_code == 303

        await until_true(enters, 5.0)


async def test_a_guess_without_a_place_asks_no_store(counted: Counted, world: World) -> None:
    """R-60: where nobody at all would find a place, nobody is looked up."""
    leave = threading.Event()

    async def wait() -> None:
        with suppress(StoreUnavailableError):
            await counted.passwords._lanes.run(leave.wait, ahead=False, tried=0)

    async with asyncio.TaskGroup() as others, Browser(counted.app, address=fresh_address()) as browser:
        for _ in range(9):  # one thread, and eight that wait
            others.create_task(wait())
        await asyncio.sleep(0)
        with pytest.raises(StoreUnavailableError):
            counted.passwords.check_room(Turn())
        before = counted.proxy.statements_asked()
        answers = [await guess(browser, email, PASSWORD) for email in (world.member.email, nobody())]
        assert counted.proxy.statements_asked() == before
        leave.set()
    assert [each.status_code for each in answers] == [503, 503]
