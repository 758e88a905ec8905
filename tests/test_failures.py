"""Callers who fail too often are slowed in a lane of their own; nobody else is, and nothing right is called wrong."""

import asyncio
from ipaddress import IPv6Address, IPv6Network
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI
from hypothesis import assume, given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from app.context import Context
from app.door.addresses import network_of
from app.oauth.token_string import mint
from app.settings import Settings
from app.throttling.failures import Failures, LaneFullError
from app.throttling.networks import networks_around
from tests.support.browser import Browser
from tests.support.changing import until
from tests.support.people import Strict, World, pair_of
from tests.web.services import Services

FORGED = mint("at", "c", 0).text  # well-formed, and nobody ever issued it


async def test_failures_add_up_and_drain() -> None:
    failures = Failures(a_minute=60)
    for _ in range(60):
        failures.note("address")
    assert not failures.over("address")
    failures.note("address")
    failures.note("address")
    assert failures.over("address")
    assert not failures.over("another")
    await asyncio.sleep(2.1)
    assert not failures.over("address")


def test_names_are_bounded() -> None:
    """R-109."""
    failures = Failures(a_minute=60)
    for number in range(50_000):
        failures.note(f"address {number}")
    assert len(failures._levels) <= 20_000


def is_crowded(failures: Failures, name: str) -> bool:
    """Whether the name's lane turns away."""
    try:
        failures.lane(name)
    except LaneFullError:
        return True
    return False


async def no_framework(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise RuntimeError("planted by a test")


async def test_lane_takes_one_at_a_time_and_turns_away_who_does_not_fit() -> None:
    failures = Failures(a_minute=1)
    inside = most_inside = 0

    async def go(name: str) -> None:
        nonlocal inside, most_inside
        async with failures.lane(name):
            inside += 1
            most_inside = max(most_inside, inside)
            await asyncio.sleep(0.001)
            inside -= 1

    outcomes = await asyncio.gather(*(go("flooder") for _ in range(20)), return_exceptions=True)
    assert most_inside == 1
    assert sum(isinstance(each, LaneFullError) for each in outcomes) == 12
    assert not failures._lanes


async def test_a_cancelled_waiter_leaves_the_lane_open() -> None:
    failures = Failures(a_minute=1)

    async def go() -> None:
        async with failures.lane("flooder"):
            await asyncio.sleep(0.01)

    tasks = [asyncio.create_task(go()) for _ in range(5)]
    await asyncio.sleep(0)
    for task in tasks[1:4]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert not failures._lanes


async def test_one_flooder_does_not_fill_the_lane_of_another() -> None:
    failures = Failures(a_minute=1)

    async def go(name: str) -> None:
        async with failures.lane(name):
            pass

    flood = [asyncio.create_task(go("flooder")) for _ in range(8)]
    await asyncio.sleep(0)
    await asyncio.wait_for(go("another"), 0.2)
    assert not any(task.done() for task in flood[2:])
    await asyncio.gather(*flood)


def fail(failures: Failures, address: str, times: int = 1) -> None:
    for _ in range(times):
        failures.note(network_of(address))


def is_over(failures: Failures, address: str) -> bool:
    return failures.over(network_of(address))


@given(st.integers(0, 2**128 - 1).map(IPv6Address))
def test_wider_networks_of_a_name_are_those_around_its_address(address: IPv6Address) -> None:
    assume(address.ipv4_mapped is None)
    found = [IPv6Network(name) for name, _ in networks_around(network_of(str(address)))]
    assert found == [IPv6Network((address, length), strict=False) for length in (64, 56, 48)]
    seen = [name for name, _ in networks_around(f"app from {network_of(str(address))}")]
    assert seen == [f"app from {name}" for name, _ in networks_around(network_of(str(address)))]


def test_holder_of_an_ipv6_48_has_sixteen_budgets_and_not_one_for_each_64() -> None:
    """R-84: 65,536 networks of its own, a failure from each in turn."""
    failures = Failures(a_minute=10)
    spent = 0
    while not is_over(failures, "2001:db8:1::1"):
        fail(failures, f"2001:db8:1:{spent % 256:02x}{spent // 256:02x}::1")
        spent += 1
        assert spent < 1000
    assert 160 <= spent <= 170  # it drains meanwhile
    assert is_over(failures, "2001:db8:1:ffff::1")
    assert not is_over(failures, "2001:db8:2::1")


def test_holder_of_an_ipv6_56_has_four_budgets() -> None:
    """R-84."""
    failures = Failures(a_minute=10)
    for number in range(45):
        fail(failures, f"2001:db8:1:aa{number:02x}::1")
    assert is_over(failures, "2001:db8:1:aaff::1")
    assert not is_over(failures, "2001:db8:1:ab00::1")
    assert not is_over(failures, "2001:db8:1:a9ff::1")


def test_one_64_fills_none_but_its_own_budget() -> None:
    """R-84: its neighbours in the /56 and the /48 are served as before, however long it floods."""
    failures = Failures(a_minute=10)
    fail(failures, "2001:db8:1:aa01::1", 1000)
    assert is_over(failures, "2001:db8:1:aa01::2")
    assert not is_over(failures, "2001:db8:1:aa02::1")
    fail(failures, "2001:db8:1:aa02::1", 10)
    assert not is_over(failures, "2001:db8:1:aa02::1")


@pytest.mark.parametrize("spelling", ["{}", "::ffff:{}"])
def test_ipv4_clients_are_counted_apart(spelling: str) -> None:
    """R-84: one of them under `--host ::` must not refuse them all."""
    failures = Failures(a_minute=10)
    fail(failures, spelling.format("192.0.2.7"), 1000)
    assert is_over(failures, spelling.format("192.0.2.7"))
    assert not is_over(failures, spelling.format("192.0.2.8"))


async def test_a_wide_network_over_its_limit_has_one_lane() -> None:
    """R-84: else a /48 could have 65,536 at a time look something up."""
    failures = Failures(a_minute=1)
    for number in range(64):
        fail(failures, f"2001:db8:1:{number:02x}00::1")
    names = [network_of(f"2001:db8:1:{number:02x}01::1") for number in range(100, 120)]

    async def go(name: str) -> None:
        async with failures.lane(name):
            await asyncio.sleep(0.01)

    flood = [asyncio.create_task(go(name)) for name in names]
    await asyncio.sleep(0)
    assert is_crowded(failures, network_of("2001:db8:1:ff02::1"))
    assert not is_crowded(failures, network_of("2001:db8:2::1"))
    assert not is_crowded(failures, "192.0.2.7")
    outcomes = await asyncio.gather(*flood, return_exceptions=True)
    assert sum(isinstance(each, LaneFullError) for each in outcomes) == 12
    assert not failures._lanes


@pytest.fixture
def strict_app(services: Services) -> FastAPI:
    """Three failures a minute are forgiven here."""
    return services.like(failures=Failures(a_minute=3))


@pytest.fixture
def services(settings: Settings, context: Context) -> Services:
    return Services(settings, context)


async def test_forged_tokens_are_slowed_and_never_called_invalid_unseen(strict_app: FastAPI) -> None:
    """R-84: 401 while they are looked up, 429 with Retry-After once their lane is full."""
    async with Browser(strict_app) as browser:
        for _ in range(5):
            answer = await browser.get("/api/v2/Fleet/1", Authorization=f"Bearer {FORGED}")
            assert answer.status_code == 401
        flood = await asyncio.gather(
            *(browser.get("/api/v2/Fleet/1", Authorization=f"Bearer {FORGED}") for _ in range(30))
        )
    statuses = {answer.status_code for answer in flood}
    assert statuses == {401, 429}
    assert all(answer.headers["retry-after"] for answer in flood if answer.status_code == 429)


async def test_while_its_lane_is_full_a_forger_is_turned_away_before_the_framework(
    strict_app: FastAPI,
) -> None:
    """R-84: the framework's way to a route costs more than the whole refusal, so it would fail here."""
    strict_app.middleware_stack = no_framework
    async with Browser(strict_app) as browser:

        async def get(path: str, token: str) -> httpx2.Response:
            return await browser.get(path, Authorization=f"Bearer {token}")

        for _ in range(5):
            await get("/api/v2/Fleet/1", FORGED)
        failures = strict_app.state.context.failures
        (asker,) = failures._over
        async with failures.lane(asker):  # it stays full, however slow this machine is
            flood = [asyncio.create_task(get("/api/v2/Fleet/1", FORGED)) for _ in range(30)]
            await until(lambda: is_crowded(failures, asker) and flood[-1].done())
            for path in ("/api/v2/Fleet/1", "/api/v1/Fleet", "/api/fleet/equipment/X"):
                refused = await get(path, FORGED)
                assert refused.status_code == 429
                assert refused.headers["retry-after"]
                assert (await get(path, "rubbish")).status_code == 401
            written = await browser.http.post(
                "/api/v2/telemetry", headers={"Authorization": f"Bearer {FORGED}"}
            )
            assert written.status_code == 429
        await asyncio.gather(*flood)
        assert (await get("/api/v2/Fleet/1", FORGED)).status_code == 401


async def test_a_remembered_token_is_served_through_the_flood_of_its_own_address(
    world: World, strict_app: FastAPI
) -> None:
    async with Browser(strict_app) as browser:
        token = await world.token(browser)
        await until(lambda: world.context.changes.current)
        assert (await browser.get("/api/v2/Fleet/1", Authorization=f"Bearer {token}")).status_code == 200
        for _ in range(5):
            await browser.get("/api/v2/Fleet/1", Authorization=f"Bearer {FORGED}")
        flood = [
            asyncio.create_task(browser.get("/api/v2/Fleet/1", Authorization=f"Bearer {FORGED}"))
            for _ in range(60)
        ]
        for _ in range(10):
            answer = await browser.get("/api/v2/Fleet/1", Authorization=f"Bearer {token}")
            assert answer.status_code == 200
        assert 429 in {answer.status_code for answer in await asyncio.gather(*flood)}


async def test_a_flooding_caller_of_introspection_slows_itself_only(
    world: World, strict_app: FastAPI
) -> None:
    other = await World.make(world.context)
    async with Browser(strict_app) as browser:
        token = await other.token(browser)
        fields = {"client_id": world.client_id, "client_secret": world.client_secret, "token": FORGED}
        for _ in range(5):
            await browser.http.post("/app/oauth2/introspect", data=fields)
        flood = [
            asyncio.create_task(browser.http.post("/app/oauth2/introspect", data=fields)) for _ in range(40)
        ]
        assert (await other.introspect(browser, token))["active"] is True
        statuses = [answer.status_code for answer in await asyncio.gather(*flood)]
    assert set(statuses) == {200, 429}


async def test_wrong_secrets_are_limited_and_the_right_one_never(world: World, strict_app: FastAPI) -> None:
    """O-50: the comparison comes first, so a guesser cannot lock the owner out."""
    async with Browser(strict_app) as browser:
        answers = [await world.exchange(browser, "rovi_ac_x", client_secret="wrong") for _ in range(8)]
        assert [answer.status_code for answer in answers[:3]] == [401] * 3
        assert answers[-1].status_code == 429
        assert answers[-1].headers["retry-after"]
        assert await world.token(browser)
    async with Browser(strict_app) as browser:
        stranger = await World.make(world.context)
        answer = await stranger.exchange(browser, "rovi_ac_x", client_secret="wrong")
        assert answer.status_code == 401  # another application's guesses are counted apart


async def test_unknown_applications_are_limited_like_wrong_secrets(world: World, strict_app: FastAPI) -> None:
    """O-45, O-50: the number of the guess that is answered 429 tells nothing either."""
    async with Browser(strict_app) as browser:
        for client_id in (world.client_id, str(uuid4())):
            answers = [
                await world.exchange(browser, "rovi_ac_x", client_id=client_id, client_secret="wrong")
                for _ in range(6)
            ]
            assert [answer.status_code for answer in answers] == [401] * 3 + [429] * 3


async def test_wrong_secrets_slow_nobodys_tokens(world: World, strict_app: FastAPI) -> None:
    """R-84: an application that was set up wrongly must not stop the others behind its address."""
    async with Browser(strict_app) as browser:
        for _ in range(20):
            await world.exchange(browser, "rovi_ac_x", client_secret="wrong")
        answers = await asyncio.gather(
            *(browser.get("/api/v2/Fleet/1", Authorization=f"Bearer {FORGED}") for _ in range(3))
        )
    assert [answer.status_code for answer in answers] == [401] * 3


async def made_up(strict: Strict, browser: Browser, what: str) -> httpx2.Response:
    """Well-formed, and nobody ever issued it."""
    match what:
        case "code":
            return await strict.exchange(browser, mint("ac", "s", 0).text)
        case "refresh token":
            return await strict.refresh(browser, mint("rt", "s", 0).text)
        case _:
            return await strict.revoke(browser, mint("at" if what == "access" else "rt", "s", 0).text)


MADE_UP = [("code", 400), ("refresh token", 400), ("access", 200), ("revoked refresh token", 200)]


@pytest.mark.parametrize(("what", "looked_up"), MADE_UP)
async def test_an_application_that_proved_itself_is_not_slowed_by_what_browsers_bring(
    context: Context, strict_app: FastAPI, what: str, looked_up: int
) -> None:
    """O-50: anybody could send made-up codes to its redirect URI, and so keep its customers out."""
    strict = await Strict.register(context)
    async with Browser(strict_app) as browser:
        code = await strict.code(browser)
        flood = await asyncio.gather(*(made_up(strict, browser, what) for _ in range(30)))
        assert {answer.status_code for answer in flood} == {looked_up}
        assert (await strict.exchange(browser, code)).status_code == 200


@pytest.mark.parametrize(("what", "looked_up"), MADE_UP)
async def test_made_up_codes_and_tokens_are_slowed(
    context: Context, strict_app: FastAPI, what: str, looked_up: int
) -> None:
    """O-50, R-84: each costs a store its answer, and nothing came with it but a client_id that all may know."""
    strict = await Strict.register(context, public=True)
    async with Browser(strict_app) as browser:
        assert [(await made_up(strict, browser, what)).status_code for _ in range(4)] == [looked_up] * 4
        flood = await asyncio.gather(*(made_up(strict, browser, what) for _ in range(30)))
    assert {answer.status_code for answer in flood} == {looked_up, 429}
    refused = [answer for answer in flood if answer.status_code == 429]
    assert all(answer.headers["retry-after"] for answer in refused)
    assert {answer.json()["error"] for answer in refused} == {"slow_down"}


async def test_public_applications_of_one_address_have_one_lane(
    context: Context, strict_app: FastAPI
) -> None:
    """R-84: else every client_id that is known would be a budget more."""
    known = [await Strict.register(context, public=True) for _ in range(3)]
    async with Browser(strict_app) as browser:
        for each in (*known, *known):
            await made_up(each, browser, "code")
        flood = await asyncio.gather(*(made_up(each, browser, "code") for each in known * 10))
    assert 429 in {answer.status_code for answer in flood}
    async with Browser(strict_app, address="192.0.2.9") as elsewhere:
        assert (await made_up(known[0], elsewhere, "code")).status_code == 400


async def test_the_right_code_and_token_are_never_called_wrong_in_a_flood(
    context: Context, strict_app: FastAPI
) -> None:
    """O-50, R-84: they wait their turn, and one that found the lane full is as good afterwards as before."""
    strict = await Strict.register(context, public=True)
    async with Browser(strict_app) as browser:
        code = await strict.code(browser)
        for _ in range(5):
            await made_up(strict, browser, "code")
        failures = strict_app.state.context.failures
        (asker,) = failures._over
        async with failures.lane(asker):  # it stays full, however slow this machine is
            flood = [asyncio.create_task(made_up(strict, browser, "refresh token")) for _ in range(12)]
            await until(lambda: is_crowded(failures, asker))
            early = await strict.exchange(browser, code)
        assert early.status_code == 429
        await asyncio.gather(*flood)
        pair = pair_of(await strict.exchange(browser, code))
        assert (await strict.refresh(browser, pair.refresh)).status_code == 200


async def test_made_up_logos_are_slowed(strict_app: FastAPI) -> None:
    """R-84."""
    async with Browser(strict_app) as browser:
        answers = [await browser.get(f"/app/logo/{uuid4().hex * 2}.png") for _ in range(4)]
        assert {each.status_code for each in answers} == {404}
        flood = await asyncio.gather(*(browser.get(f"/app/logo/{uuid4().hex * 2}.png") for _ in range(20)))
    assert {each.status_code for each in flood} == {404, 429}


async def test_what_succeeds_is_nobodys_failure(context: Context, strict_app: FastAPI) -> None:
    strict = await Strict.register(context, public=True)
    async with Browser(strict_app) as browser:
        pair = await strict.pair(browser)
        for _ in range(6):
            pair = await strict.refreshed(browser, pair.refresh)
        assert (await strict.revoke(browser, pair.refresh)).status_code == 200
        assert (await strict.revoke(browser, pair.refresh)).status_code == 200
        for nothing_to_look_up in ("rubbish", mint("ac", "s", 0).text):
            assert (await strict.revoke(browser, nothing_to_look_up)).status_code == 200
    assert not strict_app.state.context.failures._levels


async def test_mistyped_strings_count_as_nobodys_failure(strict_app: FastAPI) -> None:
    """R-22: they cost no store anything, so there is nothing to protect."""
    async with Browser(strict_app) as browser:
        for _ in range(20):
            answer = await browser.get("/api/v2/Fleet/1", Authorization="Bearer rubbish")
            assert answer.status_code == 401
    assert not strict_app.state.context.failures._levels


@pytest.mark.parametrize(
    "sent", [{"code": "rubbish"}, {"code": mint("rt", "s", 0).text}], ids=["rubbish", "of another kind"]
)
async def test_a_code_that_is_none_of_ours_counts_as_nobodys_failure(
    context: Context, strict_app: FastAPI, sent: dict[str, str]
) -> None:
    """R-22: nor does it slow a public application, for no store was asked."""
    strict = await Strict.register(context, public=True)
    async with Browser(strict_app) as browser:
        for _ in range(6):
            assert (await strict.exchange(browser, **sent)).json()["error"] == "invalid_grant"
        assert (await strict.refresh(browser, "rubbish")).json()["error"] == "invalid_grant"
    assert not strict_app.state.context.failures._levels
