"""A service on Citus, or on one plain server beside it: stores, applications and instances, ready to be asked."""

import asyncio
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import asyncpg

from app.storage.distributed.distribute import distribute_tables
from app.storage.schema.migrations import apply_migrations, read_migrations
from bench.ground.applications import register_applications
from bench.ground.codes import Application, Stores, pack_for_service
from bench.ground.service import Service
from tests.distributed.nodes import Citus, run_citus
from tests.failover.servers import Postgres
from tests.faults.ground import Ground, start_valkey
from tests.faults.servers import Instance, KeptValkey, environment_of
from tests.support.server import free_port

_APPLICATIONS = 3

Pooler = Callable[[Citus], AbstractContextManager[str]]


@dataclass(slots=True)
class CitusGround(Ground):
    """The ground of a schedule of faults whose tokens lie on workers. servers: the coordinator first."""

    servers: Citus

    @property
    def stores(self) -> Stores:
        """The addresses past the service, by the owner's login."""
        return _stores(self.servers, self.valkey)

    @asynccontextmanager
    async def owner(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(self.servers.owner_url)
        try:
            yield connection
        finally:
            await connection.close()


@asynccontextmanager
async def laid_out_on(
    programs: Path,
    *,
    workers: int,
    plain: bool = False,
    instances: int = 2,
    processes: int = 2,
    logs: Path | None = None,
    pooler: Pooler | None = None,
) -> AsyncIterator[CitusGround]:
    """Everything up and ready until the end.

    workers: of Citus; with none, its coordinator holds all shards. plain: without Citus. processes: of each instance.
    logs: where theirs stay; else they go with all the rest. pooler: gives the address through it, for as long as it runs.
    """
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rovitracker-distributed-")))
        servers = stack.enter_context(run_citus(programs, workers=workers, plain=plain))
        valkey = await start_valkey(folder)
        stack.callback(valkey.kill)
        await apply_migrations(servers.owner_url, read_migrations())
        if not plain:
            await distribute_tables(servers.owner_url)
        classic, strict = await asyncio.to_thread(_register, folder, servers, valkey)
        own = {} if plain else {"DISTRIBUTED": "citus"}
        if pooler is not None:
            pooled_url = stack.enter_context(pooler(servers))
            own |= {"DATABASE_URL": pooled_url, "DIRECT_DATABASE_URL": servers.service_url}
        made = [_instance(number, folder, servers, valkey, own) for number in range(instances)]
        for each in made:
            each.workers, each.log = processes, (logs or folder) / f"instance-{each.number}.log"
            each.log.unlink(missing_ok=True)
            each.begin()
            stack.push_async_callback(_end, each)
        nobody = cast("Postgres", None)  # no strike of these schedules looks for a primary or a standby
        ground = CitusGround(folder, nobody, nobody, valkey, made, [], classic, strict, servers)
        await ground.until_ready()
        yield ground


def _stores(servers: Citus, valkey: KeptValkey) -> Stores:
    redis_url = f"redis://:{valkey.password}@127.0.0.1:{valkey.port}"
    return Stores(servers.owner_url, redis_url, pack_for_service, has_customers=True)


def _register(
    folder: Path, servers: Citus, valkey: KeptValkey
) -> tuple[Sequence[Application], Sequence[Application]]:
    service = Service(folder, free_port(), {"DATA_DIR": str(folder / "data")})
    classic, strict = (
        register_applications(service, _stores(servers, valkey), _APPLICATIONS, strict=kind, machines=3)
        for kind in (False, True)
    )
    return classic.applications, strict.applications


def _instance(
    number: int, folder: Path, servers: Citus, valkey: KeptValkey, own: Mapping[str, str]
) -> Instance:
    """own: settings of the ground.

    The limits of reads, failures and connections are out of the workload's reach, and a code waits for ten minutes.
    """
    port = free_port()
    usual = {
        "ENVIRONMENT": "development",
        "DATA_DIR": str(folder / "data"),
        "PUBLIC_URL": "http://localhost:8000",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "CODE_LIFETIME": "10m",
        "LIMIT_READS": "10000000",
        "LIMIT_FAILURES": "1000000",
        "LIMIT_CONNECTIONS_PER_ADDRESS": "1000000",
        "DATABASE_URL": servers.service_url,
        "MIGRATION_DATABASE_URL": servers.owner_url,
        "REDIS_URL": f"redis://:{valkey.password}@127.0.0.1:{valkey.port}",
    }
    return Instance(number, port, environment_of(**{**usual, **own}))


async def _end(instance: Instance) -> None:
    if instance.process is not None and instance.process.poll() is None:
        await instance.end(signal.SIGTERM)
