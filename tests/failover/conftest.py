"""A service whose stores have a second server each, behind one address; and what leads that address elsewhere."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI

from app.main import create_app
from app.storage.schema.migrations import apply_migrations, read_migrations
from bench.ground.valkeys import Valkey, two_valkeys
from tests.conftest import make_settings
from tests.failover.kept import keep
from tests.failover.servers import Postgres, two_postgres
from tests.support.browser import Browser
from tests.support.changing import until
from tests.support.people import World
from tests.support.proxy import Proxy, port_to


def pytest_sessionfinish() -> None:
    keep()


@dataclass(slots=True)
class House:
    """The servers, the addresses of the service, and the service; first and second as they were in the beginning."""

    postgres: tuple[Postgres, Postgres]
    valkeys: tuple[Valkey, Valkey]
    postgres_address: Proxy
    valkey_address: Proxy
    database_url: str
    redis_url: str
    app: FastAPI
    world: World
    browser: Browser

    @property
    def environment(self) -> dict[str, str]:
        return {
            "ROVITRACKER_DATABASE_URL": self.database_url,
            "ROVITRACKER_REDIS_URL": self.redis_url,
            "ROVITRACKER_ENVIRONMENT": "development",
        }

    async def ready(self) -> tuple[int, dict[str, str]]:
        """The status of /health/ready, and the state of each part as it says it."""
        answer = await self.browser.get("/health/ready")
        return answer.status_code, answer.json()


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Postgres, Postgres]]:
    """A primary and its standby, which the tests of a file share. Nothing is migrated yet."""
    with two_postgres(tmp_path_factory.mktemp("postgres")) as pair:
        yield pair


@pytest.fixture(scope="module")
def valkeys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Valkey, Valkey]]:
    """Two that know nothing of each other yet. The tests of a file share them."""
    with two_valkeys(tmp_path_factory.mktemp("valkeys")) as pair:
        yield pair


@pytest.fixture(scope="module")
async def house(
    postgres: tuple[Postgres, Postgres],
    valkeys: tuple[Valkey, Valkey],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[House]:
    """Both pairs of stores behind a proxy each, and the service in this process on the proxies' ports.

    It is migrated, and hears changes. The tests of a file share it: where one leads an address, the next finds it.
    """
    await apply_migrations(postgres[0].url, read_migrations())
    await valkeys[1].follow(valkeys[0])
    async with AsyncExitStack() as stack:
        postgres_address, postgres_port = await stack.enter_async_context(port_to(postgres[0].socket))
        valkey_address, valkey_port = await stack.enter_async_context(port_to(valkeys[0].port))
        at_port = urlsplit(postgres[0].url)
        database_url = at_port._replace(
            netloc=f"{at_port.netloc.rpartition('@')[0]}@127.0.0.1:{postgres_port}", query="sslmode=disable"
        ).geturl()
        redis_url = f"redis://:{valkeys[0].password}@127.0.0.1:{valkey_port}"
        app = create_app(make_settings(database_url, redis_url, Path(tmp_path_factory.mktemp("data"))))
        await stack.enter_async_context(app.router.lifespan_context(app))
        await until(lambda: app.state.context.changes.current)
        browser = await stack.enter_async_context(Browser(app))
        world = await World.make(app.state.context)
        yield House(
            postgres,
            valkeys,
            postgres_address,
            valkey_address,
            database_url,
            redis_url,
            app,
            world,
            browser,
        )
