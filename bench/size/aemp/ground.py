"""The private servers, the database with both fleets in it, and a service on that."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import uvloop

from app.context import Context
from bench.ground.context import opened
from bench.ground.servers import service_serving
from bench.ground.service import Service, service_on
from bench.ground.serving import Private, private_servers
from bench.load.machine import StorePids, find_stores
from bench.size.aemp.accounts import Account, Accounts, count_steps, fill_accounts, find_accounts
from bench.size.aemp.fleets import Fleet
from bench.size.database import address_of, connected, read_through


@dataclass(frozen=True, slots=True)
class Ground:
    """shared_buffers: how much of the tables PostgreSQL keeps at hand."""

    servers: Private = field(repr=False)
    service: Service = field(repr=False)
    owner_url: str = field(repr=False)
    pids: StorePids
    shared_buffers: str
    accounts: Accounts

    @property
    def folder(self) -> Path:
        return self.servers.folder

    @property
    def large(self) -> Fleet:
        return self.accounts.large.fleet

    @asynccontextmanager
    async def context(self) -> AsyncIterator[Context]:
        """As a verb of the command line has it."""
        async with opened(self.service, self.owner_url, self.servers.redis_url()) as context:
            yield context

    @contextmanager
    def serving(self, workers: int) -> Iterator[int]:
        """The process id of the service."""
        with service_serving(self.service, workers, self.folder / "service.log") as pid:
            yield pid

    def token(self, account: Account) -> str:
        """Of a service that runs."""
        return self.service.client_token(account.client_id, account.client_secret)

    def read_through(self) -> None:
        """So that no first round is measured on a cold disk."""
        print("reading through", file=sys.stderr, flush=True)
        uvloop.run(read_through(self.owner_url, Path(psutil.Process(self.pids.postgres).cwd())))


@contextmanager
def laid_out(kept: Path | None, machines: int, gigabytes: float) -> Iterator[Ground]:
    """kept: a data directory that stays with its databases, for another run; else all is removed at the end."""
    with private_servers("aemp", kept) as servers:
        steps = count_steps(machines, gigabytes)
        url = address_of(servers.database_url, f"aemp_{machines}_{steps}")
        service = service_on(servers, url)
        accounts = uvloop.run(_open(servers, service, url, machines, steps))
        buffers = uvloop.run(_show(url, "shared_buffers"))
        pids = find_stores(servers.embedded)
        yield Ground(servers, service, url, pids, buffers, accounts)


async def _open(servers: Private, service: Service, url: str, machines: int, steps: int) -> Accounts:
    """As it was kept; anew where it is not there, or only in part."""
    name = urlsplit(url).path.lstrip("/")
    async with connected(servers.database_url) as owner:
        known = await owner.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name)
        found = await find_accounts(url) if known else None
        if found is None:
            await owner.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            await owner.execute(f"CREATE DATABASE {name}")
    # Opened in either case: one that was kept may be of an earlier schema.
    async with opened(service, url, servers.redis_url()) as context:
        return found or await fill_accounts(context, url, machines, steps)


async def _show(url: str, setting: str) -> str:
    async with connected(url) as owner:
        return str(await owner.fetchval(f"SHOW {setting}"))
