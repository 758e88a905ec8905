"""What a proxy says of the caller counts from trusted proxies only, and never decides an address of ours."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import count

import pytest

from tests.support.browser import Browser
from tests.support.people import World
from tests.support.server import free_port, running_service, settings_on

FORGIVEN = 3  # failures a minute, from one address


@dataclass(frozen=True, slots=True)
class Processes:
    """Two processes: to one this machine is a proxy that is trusted, to the other any caller."""

    trusting: str
    wary: str


@pytest.fixture(scope="module")
async def processes(
    database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Processes]:
    async with AsyncExitStack() as stack:

        async def start(trusted: str) -> str:
            settings = {
                **settings_on(database_url, redis_url, tmp_path_factory.mktemp("forwarded")),
                "ROVITRACKER_LOG_LEVEL": "error",
                "ROVITRACKER_LIMIT_FAILURES": str(FORGIVEN),
                "ROVITRACKER_TRUSTED_PROXIES": trusted,
            }
            return await stack.enter_async_context(running_service(port=free_port(), settings=settings))

        yield Processes(*await asyncio.gather(start("127.0.0.1"), start("192.0.2.1")))


def addresses() -> Iterator[str]:
    """One after another, no two alike."""
    return (f"198.51.100.{number}" for number in count(1))


async def guess(origin: str, world: World, forwarded: Iterator[str]) -> list[int]:
    """Statuses of more wrong secrets than are forgiven, each said to come from the next address."""
    async with Browser(base_url=origin) as browser:
        fields = {"client_id": world.client_id, "client_secret": "wrong", "code": "x"}
        return [
            (
                await browser.http.post(
                    "/app/oauth2/token",
                    data=fields,
                    headers={
                        "X-Forwarded-For": each,
                        "X-Real-IP": each,
                        "Forwarded": f"for={each}",
                        "CF-Connecting-IP": each,
                    },
                )
            ).status_code
            for each, _ in zip(forwarded, range(2 * FORGIVEN + 2), strict=False)
        ]


async def test_stranger_is_known_by_its_own_address_whatever_it_claims(
    processes: Processes, world: World
) -> None:
    """O-50, O-139: guesses are counted to whoever connects, not to whom it names."""
    statuses = await guess(processes.wary, world, addresses())
    assert statuses[:FORGIVEN] == [401] * FORGIVEN
    assert statuses[-1] == 429


async def test_trusted_proxy_tells_callers_apart(processes: Processes, world: World) -> None:
    """O-139: each of its callers is counted alone."""
    assert set(await guess(processes.trusting, world, addresses())) == {401}
    other = await World.make(world.context)
    assert (await guess(processes.trusting, other, iter(["203.0.113.9"] * 20)))[-1] == 429


async def test_caller_of_a_trusted_proxy_puts_nobody_before_itself(
    processes: Processes, world: World
) -> None:
    """O-139: what it sent stands before what the proxy adds, and only the latter counts."""
    claimed = (f"{each}, 203.0.113.9" for each in addresses())
    assert (await guess(processes.trusting, world, claimed))[-1] == 429


async def test_forwarded_host_and_scheme_decide_no_address(processes: Processes, world: World) -> None:
    """O-139, R-78: of a trusted proxy neither."""
    headers = {
        "Host": "evil.example",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Port": "1",
        "X-Forwarded-Prefix": "/evil",
        "Forwarded": "host=evil.example;proto=https",
    }
    for origin in (processes.trusting, processes.wary):
        async with Browser(base_url=origin) as browser:
            for path in (
                "/.well-known/oauth-authorization-server",
                world.authorize_url(response_type="token"),
                "/api/v2/Fleet/1",
            ):
                plain = await browser.get(path)
                forwarded = await browser.http.get(path, headers=headers)
                for answer in (plain, forwarded):
                    del answer.headers["x-request-id"], answer.headers["date"]
                assert forwarded.headers == plain.headers
                assert forwarded.content == plain.content
