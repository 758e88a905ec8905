"""The private servers, the database with both fleets in it, and a service on that."""

import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import psutil
import uvloop

from app.context import Context, open_context
from app.embedded import attach
from app.embedded.removal import remove
from app.settings import load_settings
from app.storage.database import SERVICE_ROLE
from app.storage.migrations import apply_migrations, read_migrations
from app.stores import Stores
from bench.aemp.accounts import Account, Accounts, count_steps, fill_accounts, find_accounts
from bench.aemp.fleets import Fleet
from bench.growth.database import address_of, connected, read_through
from bench.machine import StorePids, find_stores
from bench.seed import Service
from bench.serving import free_port, serving


@dataclass(frozen=True, slots=True)
class Ground:
    """shared_buffers: how much of the tables PostgreSQL keeps at hand."""

    folder: Path
    service: Service
    stores: Stores
    pids: StorePids
    shared_buffers: str
    accounts: Accounts

    @property
    def owner_url(self) -> str:
        return self.stores.owner_url

    @property
    def large(self) -> Fleet:
        return self.accounts.large.fleet

    @asynccontextmanager
    async def context(self) -> AsyncIterator[Context]:
        """As a verb of the command line has it."""
        async with _context(self.stores, self.service) as context:
            yield context

    @contextmanager
    def serving(self, workers: int) -> Iterator[int]:
        """The process id of the service."""
        service = self.service
        with serving(
            [*service.command, "serve", "--workers", str(workers)],
            url=f"{service.url}/health/ready",
            log=self.folder / "service.log",
            folder=self.folder,
            environment=service.environment,
        ) as process:
            yield process.pid

    def token(self, account: Account) -> str:
        """Of a service that runs."""
        fields = {"grant_type": "client_credentials", "client_id": account.client_id}
        answer = httpx2.post(
            f"{self.service.url}/app/oauth2/token", data={**fields, "client_secret": account.client_secret}
        ).raise_for_status()
        token: str = answer.json()["access_token"]
        return token

    def read_through(self) -> None:
        """So that no first round is measured on a cold disk."""
        print("reading through", file=sys.stderr, flush=True)
        uvloop.run(read_through(self.owner_url, Path(psutil.Process(self.pids.postgres).cwd())))


@contextmanager
def laid_out(kept: Path | None, machines: int, gigabytes: float) -> Iterator[Ground]:
    """kept: a data directory that stays with its databases, for another run; else all is removed at the end."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rovitracker-aemp-")))
        data_dir = kept or folder / "data"
        if kept is None:
            stack.callback(remove, data_dir)
        embedded = stack.enter_context(attach(data_dir))
        steps = count_steps(machines, gigabytes)
        url = address_of(embedded.database_url, f"aemp_{machines}_{steps}")
        stores = Stores(url, url, url, f"{embedded.redis_url.partition('?')[0]}?db=0", SERVICE_ROLE)
        service = _service(folder, data_dir, stores)
        accounts = uvloop.run(_open(embedded.database_url, stores, service, machines, steps))
        buffers = uvloop.run(_show(url, "shared_buffers"))
        yield Ground(folder, service, stores, find_stores(embedded), buffers, accounts)


async def _open(server_url: str, stores: Stores, service: Service, machines: int, steps: int) -> Accounts:
    """As it was kept; anew where it is not there, or only in part."""
    name = urlsplit(stores.owner_url).path.lstrip("/")
    async with connected(server_url) as owner:
        known = await owner.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name)
        found = await find_accounts(stores.owner_url) if known else None
        if found is None:
            await owner.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            await owner.execute(f"CREATE DATABASE {name}")
    await apply_migrations(
        stores.owner_url, read_migrations()
    )  # one that was kept may be of an earlier schema
    if found is not None:
        return found
    async with _context(stores, service) as context:
        return await fill_accounts(context, stores.owner_url, machines, steps)


async def _show(url: str, setting: str) -> str:
    async with connected(url) as owner:
        return str(await owner.fetchval(f"SHOW {setting}"))


@asynccontextmanager
async def _context(stores: Stores, service: Service) -> AsyncIterator[Context]:
    settings = load_settings(
        database_url=stores.database_url,
        redis_url=stores.redis_url,
        environment="development",
        data_dir=service.settings["DATA_DIR"],
    )
    async with open_context(settings, stores) as context:
        yield context


def _service(folder: Path, data_dir: Path, stores: Stores) -> Service:
    settings = {
        "DATABASE_URL": stores.database_url,
        "REDIS_URL": stores.redis_url,
        "ENVIRONMENT": "development",
        "LIMIT_QUEUE_WAIT": "5s",
        "DATA_DIR": str(data_dir),
    }
    return Service(folder, free_port(), settings)
