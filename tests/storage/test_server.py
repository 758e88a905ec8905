"""The hosts of an address: new sessions go to the one that takes writes, and a silent one is passed."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from app.storage.errors import StandbyError
from app.storage.postgres.server import Server, hosts_of
from tests.support.proxy import proxy_to


@pytest.mark.parametrize(
    ("address", "hosts"),
    [
        ("postgresql://u:p@db/rovi", ["postgresql://u:p@db/rovi"]),
        ("postgresql:///rovi?host=/run/a", ["postgresql:///rovi?host=/run/a"]),
        (
            "postgresql://u:p%40@one:1,[::1]:2,three/rovi?sslmode=require",
            [f"postgresql://u:p%40@{host}/rovi?sslmode=require" for host in ("one:1", "[::1]:2", "three")],
        ),
        (
            "postgresql://u@/rovi?host=%2Frun%2Fa,b&port=1,2",
            ["postgresql://u@/rovi?host=%2Frun%2Fa&port=1", "postgresql://u@/rovi?host=b&port=2"],
        ),
        (
            "postgresql://u@/rovi?host=a,b&port=5433",
            ["postgresql://u@/rovi?host=a&port=5433", "postgresql://u@/rovi?host=b&port=5433"],
        ),
    ],
)
def test_an_address_names_its_hosts(address: str, hosts: list[str]) -> None:
    assert list(hosts_of(address)) == hosts


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


def beside(database_url: str, *folders: str) -> str:
    """The same database at hosts of these folders."""
    return urlsplit(database_url)._replace(query=f"host={','.join(folders)}").geturl()


async def test_a_silent_host_and_one_that_is_down_are_passed_and_then_left_for_the_last(
    database_url: str,
) -> None:
    """R-91: a machine that lost its power refuses nothing; it never answers."""
    [folder] = parse_qs(urlsplit(database_url).query)["host"]
    async with proxy_to(str(Path(folder) / ".s.PGSQL.5432")) as proxy:
        proxy.fall_silent()
        server = Server(beside(database_url, str(Path(proxy.path).parent), "/nowhere", folder))
        for at_most_s in (1.0, 0.25):  # a third of it for each host, and none once the good one is known
            began = monotonic()
            session = await server.connect(timeout=0.9)
            assert await session.fetchval("SELECT 1") == 1
            assert monotonic() - began < at_most_s
            session.terminate()
        proxy.speak()
        await asyncio.sleep(0)


async def test_a_server_that_takes_no_writes_is_refused(database_url: str, owner: asyncpg.Connection) -> None:
    name = urlsplit(database_url).path[1:]
    await owner.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    try:
        with pytest.raises(StandbyError, match="takes no writes"):
            await Server(database_url).connect(timeout=3.0)
    finally:
        await owner.execute("SET default_transaction_read_only = off")
        await owner.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
