"""Guessing passwords on the wire: what is counted, exactly and over processes, and who still gets in meanwhile."""

import asyncio
import re
import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import uuid4

import httpx2
import orjson
import pytest
from fastapi import FastAPI

from app.flows.account.change_customer import set_password
from app.oauth.actor import COMMAND_LINE
from app.process.passwords import Passwords, Turn
from app.settings import Settings
from app.storage.errors import StoreUnavailableError
from app.storage.postgres.database import Row
from app.storage.schema.maintenance import call_delete_past_rows
from app.throttling.guesses import GuessLimits
from tests.support.browser import Browser
from tests.support.depth import DEPTH
from tests.support.people import PASSWORD, World
from tests.support.server import free_port, running_service, settings_on
from tests.web.reading import words_of
from tests.web.services import Services

LOGIN = "/app/login"
KNOWN = "rovi_known"
MANY = 1_000_000
ADDRESS = "198.51.100.7"
AT_ONCE = 20


async def guess(browser: Browser, email: str, password: str = "wrong") -> httpx2.Response:
    page = await browser.get(LOGIN)
    return await browser.submit(page, {"email": email, "password": password}, action=LOGIN)


async def statuses(browser: Browser, emails: list[str]) -> list[int]:
    return [(await guess(browser, email)).status_code for email in emails]


def nobody() -> str:
    return f"{uuid4().hex}@nobody.example"


def fresh_address() -> str:
    """Counts are kept for 15 minutes, so each test guesses from a network of its own."""
    digits = uuid4().hex
    return f"2001:db8:{digits[:4]}:{digits[4:8]}::1"


@pytest.fixture
def few(services: Services) -> FastAPI:
    """Three wrong passwords an account, any number from an address."""
    return services.under(guess_limits=GuessLimits(3, MANY))


@pytest.fixture
def few_from_one_address(services: Services) -> FastAPI:
    return services.under(guess_limits=GuessLimits(MANY, 4))


async def failures_of(world: World) -> list[Row]:
    return await world.context.database.rows(
        "SELECT actor_id, detail FROM audit_event WHERE event = 'person.sign_in_failed' AND customer_id = $1",
        world.member.customer_id,
    )


async def test_an_account_is_guessed_at_so_often_and_no_more(few: FastAPI, world: World) -> None:
    """R-54: 429 with Retry-After at the same guess for an account and for an address nobody has, in the same words."""
    answers = {}
    for email in (world.member.email, nobody()):
        async with Browser(few, address=fresh_address()) as browser:
            answers[email] = [await guess(browser, email) for _ in range(5)]
    known, unknown = answers.values()
    assert (
        [each.status_code for each in known]
        == [each.status_code for each in unknown]
        == [400] * 3 + [429] * 2
    )
    assert len({words_of(each) for each in (*known, *unknown)}) == 1
    assert [*known[4].headers] == [*unknown[4].headers]
    for each in (known[4], unknown[4]):
        assert 0 < int(each.headers["retry-after"]) <= 300  # one of three comes back in a third of 15 minutes
        assert "set-cookie" not in each.headers


async def test_the_right_password_looks_like_a_wrong_one_while_its_account_is_limited(
    few: FastAPI, world: World
) -> None:
    """R-54: else the limit would tell a guesser which one it was."""
    async with Browser(few, address=fresh_address()) as browser:
        await statuses(browser, [world.member.email] * 3)
        answers = [await guess(browser, world.member.email, each) for each in (PASSWORD, "wrong")]
    assert [each.status_code for each in answers] == [429, 429]
    assert words_of(answers[0]) == words_of(answers[1])


async def test_right_passwords_use_nothing_up(few: FastAPI, world: World) -> None:
    for _ in range(6):
        async with Browser(few, address=fresh_address()) as browser:
            assert (await guess(browser, world.member.email, PASSWORD)).status_code == 303


async def test_a_limit_comes_back_by_itself(few: FastAPI, world: World) -> None:
    async with Browser(few, address=fresh_address()) as browser:
        assert await statuses(browser, [world.member.email] * 4) == [400] * 3 + [429]
        await world.context.database.count(
            "UPDATE guess SET at = at - interval '5 minutes 1 second' WHERE name = $1",
            f"account {world.member.id}",
        )
        assert await statuses(browser, [world.member.email] * 2) == [400, 429]


async def test_one_password_for_many_accounts_is_counted_by_address(
    few_from_one_address: FastAPI, world: World
) -> None:
    """O-50, R-52: those behind another address sign in as before."""
    async with Browser(few_from_one_address, address=fresh_address()) as sprayer:
        assert await statuses(sprayer, [nobody() for _ in range(6)]) == [400] * 4 + [429] * 2
        assert (await guess(sprayer, world.member.email, PASSWORD)).status_code == 429
    async with Browser(few_from_one_address, address=fresh_address()) as other:
        assert (await guess(other, world.member.email, PASSWORD)).status_code == 303


async def test_a_whole_ipv6_48_guesses_sixteen_times_as_often_as_a_64(few_from_one_address: FastAPI) -> None:
    """R-52: a guess from each of its networks in turn."""
    prefix = fresh_address()[:13]
    answers = []
    for number in range(66):
        async with Browser(few_from_one_address, address=f"{prefix}:{number:02x}00::1") as sprayer:
            answers.append((await guess(sprayer, nobody())).status_code)
    assert answers == [400] * 64 + [429] * 2


async def test_a_known_browser_enters_while_its_account_and_its_address_are_guessed_at(
    services: Services, world: World
) -> None:
    """O-50, R-53: in an unknown browser the same person has to wait."""
    app = services.under(guess_limits=GuessLimits(3, 4))
    shared = fresh_address()
    async with Browser(app, address=shared) as owner, Browser(app, address=shared) as guesser:
        assert (await guess(owner, world.member.email, PASSWORD)).status_code == 303
        assert await statuses(guesser, [world.member.email] * 4) == [400] * 3 + [429]
        await statuses(guesser, [nobody(), nobody()])
        assert (await guess(guesser, world.member.email, PASSWORD)).status_code == 429
        before = owner.http.cookies[KNOWN]
        for _ in range(3):
            assert (await guess(owner, world.member.email, PASSWORD)).status_code == 303
        assert owner.http.cookies[KNOWN] == before


async def test_a_known_browser_guesses_no_more_often_than_others(few: FastAPI, world: World) -> None:
    """R-53: nor does it help with the account of anybody else."""
    other = await World.make(world.context)
    async with (
        Browser(few, address=fresh_address()) as browser,
        Browser(few, address=fresh_address()) as stranger,
    ):
        await guess(browser, world.member.email, PASSWORD)
        assert await statuses(browser, [world.member.email] * 4) == [400] * 3 + [429]
        await statuses(stranger, [other.member.email] * 3)
        assert (await guess(browser, other.member.email, PASSWORD)).status_code == 429


async def test_a_new_password_makes_all_browsers_unknown(few: FastAPI, world: World) -> None:
    """R-53: whoever knew the old one may have had one of them."""
    async with (
        Browser(few, address=fresh_address()) as owner,
        Browser(few, address=fresh_address()) as guesser,
    ):
        await guess(owner, world.member.email, PASSWORD)
        await set_password(
            world.context, COMMAND_LINE, world.member.email, "another horse battery", cut_applications=False
        )
        await statuses(guesser, [world.member.email] * 3)
        assert (await guess(owner, world.member.email, "another horse battery")).status_code == 429


async def test_ten_browsers_of_a_person_are_known_at_most(app: FastAPI, world: World) -> None:
    """R-109: else each sign-in by a program would leave a row for a year, and a budget to guess by."""
    for _ in range(12):
        async with Browser(app) as browser:
            await guess(browser, world.member.email, PASSWORD)
    rows = await world.context.database.rows(
        "SELECT FROM known_browser WHERE person_id = $1", world.member.id
    )
    assert len(rows) == 10


async def test_failed_sign_ins_are_in_the_trail_with_their_address(few: FastAPI, world: World) -> None:
    """And without what was typed, which may be a password in the wrong field."""
    async with Browser(few, address=ADDRESS) as browser:
        await statuses(browser, [world.member.email] * 4)
    events = await failures_of(world)
    assert [orjson.loads(each["detail"]) for each in events] == [
        {
            "address": ADDRESS,
            "browser": "Unknown browser",
            "cause": "wrong password",
            "person": str(world.member.id),
        }
    ] * 3
    assert {each["actor_id"] for each in events} == {None}


async def test_a_password_that_found_no_place_was_no_guess(services: Services, world: World) -> None:
    """R-60: who waited outside is not locked out for it."""
    passwords = Passwords(threads=1)
    app = services.like(
        passwords=passwords, policy=services.under(guess_limits=GuessLimits(20, MANY)).state.context.policy
    )
    async with Browser(app, address=fresh_address()) as browser:
        page = await browser.get(LOGIN)
        fields = {"email": world.member.email, "password": "wrong"}
        answers = await asyncio.gather(*(browser.submit(page, fields, action=LOGIN) for _ in range(15)))
    passwords.close()
    told = Counter(each.status_code for each in answers)
    assert told[503] > 5
    assert told[400] + told[503] == 15
    row = await world.context.database.row(
        "SELECT level FROM guess WHERE name = $1", f"account {world.member.id}"
    )
    assert row is not None
    assert round(row["level"] * 20) == told[400]


async def test_one_address_leaves_places_to_the_others(services: Services, world: World) -> None:
    """R-60: 30 at once from one address, and everybody else signs in meanwhile."""
    passwords = Passwords(threads=1)
    app = services.like(passwords=passwords)
    async with Browser(app, address=fresh_address()) as flooder:
        page = await flooder.get(LOGIN)
        fields = {"email": nobody(), "password": "wrong"}
        flood = asyncio.gather(*(flooder.submit(page, fields, action=LOGIN) for _ in range(30)))
        honest = []
        while not flood.done():
            async with Browser(app, address=fresh_address()) as browser:
                honest.append((await guess(browser, world.member.email, PASSWORD)).status_code)
        assert 503 in {each.status_code for each in await flood}
    passwords.close()
    assert set(honest) == {303}


@asynccontextmanager
async def full_lanes(passwords: Passwords, *tried: int) -> AsyncIterator[None]:
    """No place is left for unknown browsers that tried so much, and none of their threads ends, until this does."""
    leave = threading.Event()
    async with asyncio.TaskGroup() as others:
        for each in tried:
            for _ in range(passwords._lanes.places):
                others.create_task(passwords._lanes.run(leave.wait, ahead=False, tried=each))
            await asyncio.sleep(0)
            with pytest.raises(StoreUnavailableError):
                passwords.check_room(Turn(tried=each))
        try:
            yield
        finally:
            leave.set()


@pytest.fixture
async def crowded(services: Services) -> AsyncIterator[tuple[FastAPI, Passwords]]:
    policy = services.under(guess_limits=GuessLimits(10, 50)).state.context.policy
    passwords = Passwords(threads=2)
    yield services.like(passwords=passwords, policy=policy), passwords
    passwords.close()


async def test_a_known_browser_enters_while_no_other_finds_a_place(
    crowded: tuple[FastAPI, Passwords], world: World
) -> None:
    """R-53, R-60: what the others leave free is enough; an address nobody has is answered like one somebody has."""
    app, passwords = crowded
    async with (
        Browser(app, address=fresh_address()) as owner,
        Browser(app, address=fresh_address()) as stranger,
    ):
        await guess(owner, world.member.email, PASSWORD)
        async with full_lanes(passwords, 1, 0):
            assert [
                (await guess(owner, world.member.email, each)).status_code for each in (PASSWORD, "wrong")
            ] == [
                303,
                400,
            ]
            refused = [await guess(stranger, email, PASSWORD) for email in (world.member.email, nobody())]
        assert [each.status_code for each in refused] == [503, 503]
        assert len({re.sub("[0-9a-f]{32}", "", words_of(each)) for each in refused}) == 1  # a request's id
        assert (await guess(stranger, world.member.email, PASSWORD)).status_code == 303
    assert not await world.context.database.rows(
        "SELECT FROM guess WHERE name = $1 AND level > 0", f"account {world.member.id}"
    )


async def test_a_known_browser_that_guesses_waits_among_the_others(
    crowded: tuple[FastAPI, Passwords], world: World
) -> None:
    """O-50, R-53: a stolen cookie opens the lane to three wrong passwords, and to nobody else's account."""
    app, passwords = crowded
    other = await World.make(world.context)
    async with Browser(app, address=fresh_address()) as thief:
        await guess(thief, world.member.email, PASSWORD)
        async with full_lanes(passwords, 1, 0):
            assert (await guess(thief, other.member.email, PASSWORD)).status_code == 503
            assert await statuses(thief, [world.member.email] * 5) == [400] * 3 + [503] * 2
            assert (await guess(thief, world.member.email, PASSWORD)).status_code == 503
        assert (await guess(thief, world.member.email, PASSWORD)).status_code == 303
        # The three are forgotten bit by bit, as by every limit.
        await world.context.database.count(
            "UPDATE guess SET at = at - interval '15 minutes' WHERE name LIKE 'browser %' AND level > 0"
        )
        async with full_lanes(passwords, 1, 0):
            assert (await guess(thief, world.member.email, PASSWORD)).status_code == 303


async def test_parallel_guesses_of_a_known_browser_pass_no_more_than_three_ahead(
    crowded: tuple[FastAPI, Passwords], world: World
) -> None:
    """O-50, R-53: they are counted before the lane is chosen."""
    app, passwords = crowded
    async with Browser(app, address=fresh_address()) as thief:
        await guess(thief, world.member.email, PASSWORD)
        page = await thief.get(LOGIN)
        fields = {"email": world.member.email, "password": "wrong"}
        async with full_lanes(passwords, 1, 0):
            answers = await asyncio.gather(*(thief.submit(page, fields, action=LOGIN) for _ in range(9)))
    assert Counter(each.status_code for each in answers) == {400: 3, 503: 6}


async def test_a_browser_that_guessed_nothing_waits_for_none_that_did(
    services: Services, world: World
) -> None:
    """R-60: addresses that guess wait for a thread of their own, however many they are."""
    passwords = Passwords(threads=1)
    app = services.like(passwords=passwords)
    async with Browser(app, address=fresh_address()) as honest, full_lanes(passwords, 1):
        assert (await guess(honest, world.member.email, PASSWORD)).status_code == 303
    passwords.close()


async def test_past_guesses_and_browsers_are_deleted(few: FastAPI, world: World) -> None:
    """R-108."""
    database = world.context.database
    async with Browser(few, address=fresh_address()) as browser:
        await guess(browser, world.member.email, PASSWORD)
        await guess(browser, world.member.email)
    async with Browser(few, address=fresh_address()) as browser:
        await guess(browser, world.member.email)
    name = f"account {world.member.id}"
    await database.count("UPDATE guess SET at = at - interval '61 minutes' WHERE name = $1", name)
    await database.count(
        "UPDATE known_browser SET expires_at = now() - interval '2 days' WHERE person_id = $1",
        world.member.id,
    )
    while await call_delete_past_rows(database, 100):
        pass
    assert not await database.rows("SELECT FROM guess WHERE name = $1", name)
    assert not await database.rows("SELECT FROM known_browser WHERE person_id = $1", world.member.id)


@pytest.fixture
async def two_processes(
    database_url: str, redis_url: str, settings: Settings
) -> AsyncIterator[tuple[str, str]]:
    """Behind a proxy that says where requests come from."""
    assert settings.data_dir is not None
    environment = {
        **settings_on(database_url, redis_url, settings.data_dir),
        "ROVITRACKER_SECRET_KEYS": "0123456789abcdef" * 4,
        "ROVITRACKER_TRUSTED_PROXIES": "127.0.0.1,::1",
        "ROVITRACKER_LIMIT_GUESSES_PER_ACCOUNT": "10",
    }
    async with AsyncExitStack() as stack:
        started = [
            await stack.enter_async_context(running_service(port=free_port(), settings=environment))
            for _ in range(2)
        ]
        yield started[0], started[1]


async def test_parallel_passwords_for_one_account_are_counted_exactly_over_two_processes(
    two_processes: tuple[str, str], world: World
) -> None:
    """O-50, R-51: from a thousand addresses at once, of which ten get as far as the hash."""
    async with AsyncExitStack() as stack:
        processes = []
        for address in two_processes:
            browser = await stack.enter_async_context(Browser(base_url=address))
            # Each has room for so many at once, however fast the other one answers.
            processes.append((browser, await browser.get(LOGIN), asyncio.Semaphore(AT_ONCE)))

        async def attempt(number: int) -> httpx2.Response:
            browser, page, room = processes[number % 2]
            fields = {"email": world.member.email, "password": f"guess {number}"}
            origin = f"10.{number // 250}.7.{number % 250}"
            async with room:
                return await browser.submit(page, fields, action=LOGIN, X_Forwarded_For=origin)

        answers = await asyncio.gather(*(attempt(number) for number in range(200 * DEPTH)))
    told = Counter(each.status_code for each in answers)
    assert told == {400: 10, 429: len(answers) - 10}
    assert len({words_of(each) for each in answers}) == 1
    addresses = [orjson.loads(each["detail"])["address"] for each in await failures_of(world)]
    assert len(addresses) == len(set(addresses)) == 10
    assert all(each.startswith("10.") for each in addresses)
