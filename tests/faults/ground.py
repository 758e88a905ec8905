"""The ground of a run: stores of its own, two instances that reach them over wires, and the callers."""

import asyncio
import secrets
import signal
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg

from app.storage.schema.migrations import apply_migrations, read_migrations
from bench.ground.applications import Registered, register_applications
from bench.ground.codes import Application, Stores, pack_for_service
from bench.ground.service import Service
from tests.failover.servers import Postgres, two_postgres
from tests.faults.secrets_in_use import SecretsInUse
from tests.faults.servers import Instance, KeptValkey, environment_of
from tests.faults.wire import Wire, wires_to
from tests.support.server import ROOT, free_port

_APPLICATIONS = 3
_MACHINES = 3
_LIFE_OF_CODES = "10m"


@dataclass(slots=True)
class Ground:
    """Faults strike its stores and instances, and the workload asks them.

    wires: of each instance, to PostgreSQL and to Valkey. secrets: of the applications, as they are by now.
    fleets: the customers that have machines.
    """

    folder: Path
    primary: Postgres
    standby: Postgres
    valkey: KeptValkey
    instances: Sequence[Instance]
    wires: Sequence[tuple[Wire, Wire]]
    classic: Sequence[Application]
    strict: Sequence[Application]
    secrets: SecretsInUse = field(default_factory=SecretsInUse, kw_only=True)

    @property
    def fleets(self) -> list[UUID]:
        return list({each.customer_id for each in (*self.classic, *self.strict)})

    def postgres_wires(self) -> list[Wire]:
        return [postgres for postgres, _ in self.wires]

    def valkey_wires(self) -> list[Wire]:
        return [valkey for _, valkey in self.wires]

    async def until_ready(self) -> float:
        """Seconds until both instances were."""
        return max(await asyncio.gather(*(each.until_ready() for each in self.instances)))

    @asynccontextmanager
    async def owner(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection of the database's owner, past every wire."""
        connection = await asyncpg.connect(self.primary.url)
        try:
            yield connection
        finally:
            await connection.close()

    @asynccontextmanager
    async def superuser(self) -> AsyncIterator[asyncpg.Connection]:
        """The same of the superuser."""
        record = self.primary.record
        connection = await asyncpg.connect(
            user="postgres",
            password=record.postgres_password,
            database="rovitracker",
            host=str(self.primary.run),
            port=self.primary.port,
        )
        try:
            yield connection
        finally:
            await connection.close()


@asynccontextmanager
async def laid_out(code: Path = ROOT, logs: Path | None = None, *, workers: int = 2) -> AsyncIterator[Ground]:
    """Everything up and ready until the end.

    code: the folder of the program that the instances run. logs: where theirs stay; else they go with all the rest.
    workers: of each instance.
    """
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rovitracker-faults-")))
        primary, standby = stack.enter_context(two_postgres(folder / "postgres"))
        await asyncio.to_thread(standby.stop)  # a schedule that needs it copies the primary anew
        valkey = await start_valkey(folder)
        stack.callback(valkey.kill)
        await apply_migrations(primary.url, read_migrations())
        classic, strict = await asyncio.to_thread(_register, folder, primary, valkey)
        stores: tuple[str | int, ...] = (primary.socket, valkey.port)
        wires = await stack.enter_async_context(wires_to(*stores, *stores))
        pairs = [(wires[0], wires[1]), (wires[2], wires[3])]
        instances = _instances(folder, primary, valkey, pairs)
        for each in instances:
            each.code, each.workers = code, workers
            each.log = (logs or folder) / f"instance-{each.number}.log"
            each.log.unlink(missing_ok=True)
            each.begin()
            stack.push_async_callback(_end, each)
        ground = Ground(folder, primary, standby, valkey, instances, pairs, classic, strict)
        await ground.until_ready()
        yield ground


async def start_valkey(folder: Path) -> KeptValkey:
    place = folder / "valkey"
    place.mkdir()
    valkey = KeptValkey(free_port(), secrets.token_hex(16), place)
    await valkey.start()
    return valkey


def _register(
    folder: Path, primary: Postgres, valkey: KeptValkey
) -> tuple[Sequence[Application], Sequence[Application]]:
    redis_url = f"redis://:{valkey.password}@127.0.0.1:{valkey.port}"
    stores = Stores(primary.url, redis_url, pack_for_service, has_customers=True)
    service = Service(folder, free_port(), {"DATA_DIR": str(folder / "data")})
    made: list[Registered] = [
        register_applications(service, stores, _APPLICATIONS, strict=strict, machines=_MACHINES)
        for strict in (False, True)
    ]
    return made[0].applications, made[1].applications


def _instances(
    folder: Path, primary: Postgres, valkey: KeptValkey, wires: Sequence[tuple[Wire, Wire]]
) -> list[Instance]:
    """They share keys and issuer, as instances of one service do."""
    address = urlsplit(primary.url)
    account = address.netloc.rpartition("@")[0]
    shared = {
        "ENVIRONMENT": "development",
        "DATA_DIR": str(folder / "data"),
        "PUBLIC_URL": "http://localhost:8000",
        "HOST": "127.0.0.1",
        "CODE_LIFETIME": _LIFE_OF_CODES,
        "LIMIT_READS": "10000000",
        "LIMIT_FAILURES": "1000000",
        "LIMIT_DATABASE_CONNECTIONS": "4",
    }
    instances = []
    for number, (to_postgres, to_valkey) in enumerate(wires):
        port = free_port()
        database_url = address._replace(
            netloc=f"{account}@127.0.0.1:{to_postgres.port}", query="sslmode=disable"
        )
        own = {
            "PORT": str(port),
            "DATABASE_URL": database_url.geturl(),
            "REDIS_URL": f"redis://:{valkey.password}@127.0.0.1:{to_valkey.port}",
        }
        instances.append(Instance(number, port, environment_of(**shared, **own)))
    return instances


async def _end(instance: Instance) -> None:
    if instance.process is not None and instance.process.poll() is None:
        await instance.end(signal.SIGTERM)
