"""A proxy's word on the caller counts from trusted proxies only, and never decides an address of ours."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import httpx2
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
    """O-50, O-139: guesses are counted to the client that connects, not to the address that it names."""
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
    same = {"X-Request-Id": "one-and-the-same"}
    for origin in (processes.trusting, processes.wary):
        async with Browser(base_url=origin) as browser:
            for path in (
                "/.well-known/oauth-authorization-server",
                world.authorize_url(response_type="token"),
                "/api/v2/Fleet/1",
            ):
                plain = await browser.http.get(path, headers=same)
                forwarded = await browser.http.get(path, headers=headers | same)
                for answer in (plain, forwarded):
                    del answer.headers["date"]
                assert forwarded.headers == plain.headers
                assert forwarded.content == plain.content


@pytest.mark.parametrize(
    "field",
    [
        "::::",
        "a:b:c",
        "unknown",
        "_hidden",
        '"',
        "[::1",
        ",,,",
        "1.2.3.4:99999",
        "\xff",
        "x" * 8000,
        "," * 8000,
    ],
)
async def test_unreadable_field_of_a_trusted_proxy_is_no_fault_of_ours(
    processes: Processes, world: World, field: str
) -> None:
    """R-78: the request is answered, and counts to the proxy that handed it on."""
    async with httpx2.AsyncClient(base_url=processes.trusting) as http:
        headers = [
            (b"X-Forwarded-For", field.encode("latin-1")),
            (b"X-Forwarded-Proto", field.encode("latin-1")),
        ]
        answer = await http.post("/app/oauth2/token", data={"client_id": world.client_id}, headers=headers)
        assert answer.status_code == 401
        assert (await http.get("/api/v2/Fleet/1", headers=headers)).status_code == 401
        assert (await http.get("/health/alive", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "spellings",
    [
        (
            "203.0.113.{n}",
            "203.0.113.{n}:5678",
            '"203.0.113.{n}:5678"',
            "::ffff:203.0.113.{n}",
            "[::ffff:203.0.113.{n}]:1",
        ),
        (
            "2001:db8:{n}::1",
            "[2001:db8:{n}::1]",
            '"[2001:db8:{n}::1]:443"',
            "2001:DB8:{n}:0:ffff::1",
            "2001:db8:{n}::2",
        ),
    ],
    ids=["IPv4", "IPv6"],
)
async def test_caller_is_one_however_its_proxy_spells_it(
    processes: Processes, world: World, spellings: tuple[str, ...]
) -> None:
    """O-139, R-78."""
    same = [spelling.format(n=77) for spelling in spellings]
    statuses = await guess(processes.trusting, world, iter(same * 2))
    assert statuses[:FORGIVEN] == [401] * FORGIVEN
    assert statuses[-1] == 429
    assert await guess(processes.trusting, world, iter([spellings[2].format(n=78)])) == [401]


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


async def statuses_from(address: str, port: int, world: World, *, guesses: int) -> list[int]:
    """The answers to wrong secrets from this address, each on its own connection, so that every worker gets some."""
    fields = {"client_id": world.client_id, "client_secret": "wrong", "code": "x"}
    statuses = []
    for _ in range(guesses):
        transport = httpx2.AsyncHTTPTransport(local_address=address)
        async with httpx2.AsyncClient(transport=transport, base_url=f"http://127.0.0.1:{port}") as http:
            statuses.append((await http.post("/app/oauth2/token", data=fields)).status_code)
    return statuses


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here: IPv4 callers under --host :: are not shown")
async def test_ipv4_caller_of_a_service_on_both_families_fails_for_itself_alone(
    workers: str, database_url: str, redis_url: str, world: World, tmp_path: Path
) -> None:
    """R-84: there it arrives as ::ffff:a.b.c.d, like all others in one /64."""
    settings = {
        **settings_on(database_url, redis_url, tmp_path),
        "ROVITRACKER_LOG_LEVEL": "error",
        "ROVITRACKER_LIMIT_FAILURES": str(FORGIVEN),
        "ROVITRACKER_HOST": "::",
    }
    port = free_port()
    async with running_service("serve", "--workers", workers, port=port, settings=settings):
        assert 429 in await statuses_from("127.0.0.2", port, world, guesses=20)
        assert await statuses_from("127.0.0.3", port, world, guesses=FORGIVEN) == [401] * FORGIVEN
        async with Browser(base_url=f"http://127.0.0.1:{port}") as browser:
            assert await world.token(browser)
