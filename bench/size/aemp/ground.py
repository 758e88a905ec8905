"""The database with both fleets in it, a service on that, and the context of its command line."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from app.context import Context
from bench.ground.context import opened
from bench.ground.service import Service, service_on
from bench.size import ground
from bench.size.aemp.accounts import Account, Accounts, count_steps, fill_accounts, found
from bench.size.aemp.figures import Fleet
from bench.size.ground import Ground


@dataclass(frozen=True, slots=True)
class FleetGround(Ground):
    """Both fleets are of one database, and so of one service."""

    service: Service = field(repr=False)
    owner_url: str = field(repr=False)
    accounts: Accounts

    @property
    def large(self) -> Fleet:
        return self.accounts.large.fleet

    @asynccontextmanager
    async def context(self) -> AsyncIterator[Context]:
        """A context as a verb of the command line has it."""
        async with opened(self.service, self.owner_url, self.servers.redis_url()) as context:
            yield context

    def token(self, account: Account) -> str:
        """Get a token from the running service."""
        return self.service.client_token(account.client_id, account.client_secret)


@contextmanager
def laid_out(kept: Path | None, machines: int, gigabytes: float) -> Iterator[FleetGround]:
    """kept: as of any ground of sizes."""
    with ground.laid_out("aemp", kept) as laid:
        steps = count_steps(machines, gigabytes)
        redis_url = laid.servers.redis_url()

        async def fill(url: str) -> Any:
            async with opened(service_on(laid.servers, url), url, redis_url) as context:
                return await fill_accounts(context, url, machines, steps)

        url, accounts = laid.database(f"aemp_{machines}_{steps}", lambda url: uvloop.run(fill(url)))
        service = service_on(laid.servers, url)
        yield FleetGround(laid.servers, laid.pids, laid.shared_buffers, service, url, found(accounts))
