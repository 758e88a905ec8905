"""Races over two running processes: one use wins, whatever ends a connection wins over what is being issued from it.

CONFORMANCE_ROUNDS says how often each is run.
"""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest

from app.context import Context
from app.flows.account.change_application import change_status
from app.flows.approval.connections import disconnect_application
from app.oauth.actor import COMMAND_LINE
from tests.support.approvals import waiting_code
from tests.support.browser import Browser
from tests.support.changing import until_true, within_a_second
from tests.support.families import begin, read
from tests.support.people import Pair, Strict, World, pair_of, reads
from tests.support.proxy import proxy_to
from tests.support.server import free_port, listener, running_service, settings_on

ROUNDS = int(os.environ.get("CONFORMANCE_ROUNDS", "3"))


@pytest.fixture(scope="module")
def environment(
    database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    return {
        **settings_on(database_url, redis_url, tmp_path_factory.mktemp("raced")),
        "ROVITRACKER_SECRET_KEYS": "0123456789abcdef" * 4,
        "ROVITRACKER_LOG_LEVEL": "error",
        "ROVITRACKER_LIMIT_QUEUE_WAIT": "10s",  # a busy machine is not an overloaded service
        "ROVITRACKER_LIMIT_FAILURES": "1000000",  # each loser of a race is one, of a public application
    }


@pytest.fixture(scope="module")
async def addresses(environment: dict[str, str]) -> AsyncIterator[list[str]]:
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(running_service(port=free_port(), settings=environment))
            for _ in range(2)
        ]


@pytest.fixture
async def browsers(addresses: list[str]) -> AsyncIterator[list[Browser]]:
    """One on each process."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Browser(base_url=each)) for each in addresses]


async def make_classic(context: Context) -> World:
    return await World.make(context)


KINDS: dict[str, Callable[[Context], Awaitable[World]]] = {
    "classic": make_classic,
    "strict": Strict.register,
    "public": partial(Strict.register, public=True),
}
STRICT = {name: make for name, make in KINDS.items() if name != "classic"}


@pytest.fixture(params=KINDS)
async def world(request: pytest.FixtureRequest, context: Context) -> World:
    return await KINDS[request.param](context)


@pytest.fixture(params=STRICT)
async def strict(request: pytest.FixtureRequest, context: Context) -> Strict:
    return await Strict.register(context, public=request.param == "public")


def spread(
    browsers: list[Browser], times: int, request: Callable[[Browser], Awaitable[httpx2.Response]]
) -> list[Awaitable[httpx2.Response]]:
    """The same request so many times, the processes taking turns."""
    return [request(browsers[number % len(browsers)]) for number in range(times)]


async def soon(work: Awaitable[Any]) -> Any:
    """Some time within what a request takes."""
    await asyncio.sleep(random.uniform(0, 0.02))  # noqa: S311  # guards nothing
    return await work


def outcome(answers: list[httpx2.Response]) -> list[int]:
    """The statuses in order; every refusal says why."""
    assert {answer.json().get("error") for answer in answers} <= {None, "invalid_grant"}
    return sorted(answer.status_code for answer in answers)


async def end_everywhere(browsers: list[Browser], answer: httpx2.Response) -> None:
    """The tokens of this answer are refused at every process within a second, and can be refreshed at none."""
    if answer.status_code == 200:
        for each in browsers:
            await within_a_second(partial(refused, each, answer.json()["access_token"]))


async def refused(browser: Browser, token: str) -> bool:
    return not await reads(browser, token)


async def end_family(browsers: list[Browser], strict: Strict, *answers: httpx2.Response) -> None:
    """The same of pairs; the refresh tokens of which, the newest first, give nothing either."""
    for answer in answers:
        await end_everywhere(browsers, answer)
    for answer in answers:
        if answer.status_code == 200:
            again = await strict.refresh(browsers[0], pair_of(answer).refresh)
            assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


ISSUED = """\
SELECT id FROM classic_token WHERE application_id = $1 UNION ALL
SELECT id FROM strict_token WHERE application_id = $1 UNION ALL
SELECT id FROM refresh_token WHERE application_id = $1"""


async def issued_to(world: World) -> int:
    """Access tokens and refresh tokens that were ever stored for the application."""
    return len(await world.context.database.rows(ISSUED, world.registered.client.id))


async def test_one_code_redeemed_by_a_hundred_gives_one_set_of_tokens(
    world: World, browsers: list[Browser]
) -> None:
    """R-1, R-3, O-63."""
    a_set = 2 if isinstance(world, Strict) else 1
    for number in range(1, ROUNDS + 1):
        code = (await waiting_code(world)).text
        answers = await asyncio.gather(*spread(browsers, 100, partial(world.exchange, code=code)))
        assert outcome(answers) == [200] + [400] * 99
        assert await issued_to(world) == number * a_set


async def test_one_refresh_token_used_fifty_times_gives_one_pair_and_keeps_none(
    strict: Strict, browsers: list[Browser]
) -> None:
    """R-11, O-63: the winner's pair ends too, since the others showed that two hold the token."""
    for number in range(1, ROUNDS + 1):
        token = await begin(strict.context, strict)
        answers = await asyncio.gather(*spread(browsers, 50, partial(strict.refresh, token=token)))
        assert outcome(answers) == [200] + [400] * 49
        assert await issued_to(strict) == number * 4
        [won] = [answer for answer in answers if answer.status_code == 200]
        await end_family(browsers, strict, won)


async def test_revoking_while_refreshing_leaves_nothing_alive(
    strict: Strict, browsers: list[Browser]
) -> None:
    """R-16, O-94: whichever comes first."""
    for _ in range(ROUNDS * 3):
        token = await begin(strict.context, strict)
        refreshed, revoked = await asyncio.gather(
            soon(strict.refresh(browsers[0], token)), soon(strict.revoke(browsers[1], token))
        )
        assert outcome([refreshed]) in ([200], [400])
        assert revoked.status_code == 200
        await end_family(browsers, strict, refreshed)


async def test_reuse_while_the_successor_is_used_leaves_nothing_alive(
    strict: Strict, browsers: list[Browser]
) -> None:
    """R-12: of the thief and the owner neither is quick enough."""
    for _ in range(ROUNDS * 3):
        token = await begin(strict.context, strict)
        second = await strict.refresh(browsers[0], token)
        third, reused = await asyncio.gather(
            soon(strict.refresh(browsers[0], pair_of(second).refresh)),
            soon(strict.refresh(browsers[1], token)),
        )
        assert outcome([reused]) == [400]
        await end_family(browsers, strict, third, second)


async def test_suspending_while_issuing_leaves_nothing_alive(world: World, browsers: list[Browser]) -> None:
    """R-20: a code, and for a strict application a refresh token."""
    for _ in range(ROUNDS * 3):
        code = (await waiting_code(world)).text
        issuing = [soon(world.exchange(browsers[0], code))]
        if isinstance(world, Strict):
            issuing.append(soon(world.refresh(browsers[1], await begin(world.context, world))))
        *answers, _suspended = await asyncio.gather(
            *issuing, soon(change_status(world.context, COMMAND_LINE, world.client_id, "suspend"))
        )
        for answer in answers:
            assert outcome([answer]) in ([200], [400])
            await end_everywhere(browsers, answer)
        await change_status(world.context, COMMAND_LINE, world.client_id, "resume")


async def test_disconnecting_while_a_code_is_redeemed_leaves_nothing_alive(
    world: World, browsers: list[Browser]
) -> None:
    """R-19: what was approved before ends, whenever it was redeemed; nothing that came of it can be refreshed."""
    for _ in range(ROUNDS * 3):
        code = (await waiting_code(world)).text
        answer, _ = await asyncio.gather(
            soon(world.exchange(browsers[0], code)),
            soon(
                disconnect_application(
                    world.context, COMMAND_LINE, world.member.customer_id, world.registered.client.id
                )
            ),
        )
        assert outcome([answer]) in ([200], [400])
        await end_everywhere(browsers, answer)
        if isinstance(world, Strict):
            await end_family(browsers, world, answer)


async def test_disconnecting_while_refreshing_leaves_nothing_alive(
    strict: Strict, browsers: list[Browser]
) -> None:
    """R-19."""
    for _ in range(ROUNDS * 3):
        token = await begin(strict.context, strict)
        answer, _ = await asyncio.gather(
            soon(strict.refresh(browsers[0], token)),
            soon(
                disconnect_application(
                    strict.context, COMMAND_LINE, strict.member.customer_id, strict.registered.client.id
                )
            ),
        )
        await end_family(browsers, strict, answer)


# ---- Killed between the commit and the answer ----


async def spend_and_die(strict: Strict, token: str, environment: dict[str, str], database_url: str) -> None:
    """A process that commits the rotation, is never told so, and is killed before it can answer."""
    address = urlsplit(database_url)
    [folder] = parse_qs(address.query)["host"]
    port = free_port()
    async with proxy_to(str(Path(folder) / ".s.PGSQL.5432")) as proxy:
        through = address._replace(query=urlencode({"host": Path(proxy.path).parent})).geturl()
        own = {**environment, "ROVITRACKER_DATABASE_URL": through}
        async with (
            running_service(port=port, settings=own) as own_address,
            Browser(base_url=own_address) as browser,
        ):
            assert (await strict.refresh(browser, await begin(strict.context, strict))).status_code == 200
            service = await asyncio.to_thread(listener, port)
            proxy.fall_silent()
            asking = asyncio.create_task(strict.refresh(browser, token))
            await until_true(partial(spent, strict.context, token))
            os.kill(service, signal.SIGKILL)
            with pytest.raises(httpx2.TransportError):
                await asking


async def spent(context: Context, token: str) -> bool:
    row = await context.database.row("SELECT successor_id FROM refresh_token WHERE id = $1", read(token).id)
    return row is not None and row["successor_id"] is not None


async def test_after_a_kill_before_the_answer_the_standing_row_decides(
    strict: Strict, browsers: list[Browser], environment: dict[str, str], database_url: str
) -> None:
    """R-4, R-103: the token is spent, so its second use is one, and ends the family."""
    token = await begin(strict.context, strict)
    await spend_and_die(strict, token, environment, database_url)
    assert outcome([await strict.refresh(browsers[0], token)]) == [400]
    row = await strict.context.database.row(
        "SELECT g.revoked_at FROM authorization_grant g JOIN refresh_token t ON t.grant_id = g.id WHERE t.id = $1",
        read(token).id,
    )
    assert row is not None
    assert row["revoked_at"] is not None


async def test_after_a_kill_before_the_answer_the_grace_gives_another_pair(
    strict: Strict, environment: dict[str, str], database_url: str
) -> None:
    """R-4: what the grace is for."""
    token = await begin(strict.context, strict)
    await spend_and_die(strict, token, environment, database_url)
    lenient = {**environment, "ROVITRACKER_REFRESH_GRACE": "30s"}
    async with (
        running_service(port=free_port(), settings=lenient) as address,
        Browser(base_url=address) as browser,
    ):
        pair: Pair = await strict.refreshed(browser, token)
        assert await reads(browser, pair.access)
        assert (await strict.refresh(browser, pair.refresh)).status_code == 200
