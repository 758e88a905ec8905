"""The private servers that growth is measured on, the databases in them, and a service on any of these."""

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import psutil
import uvloop

from app.embedded import attach
from app.embedded.removal import remove
from app.stores import write_private
from bench.applications import register_applications
from bench.codes import CODE_LIFE_S, Application, Stores, pack_for_service
from bench.growth.database import TEMPLATE, Database, address_of, connected, open_filled, read_through
from bench.growth.fill import Tell
from bench.machine import StorePids, find_stores
from bench.seed import Service
from bench.serving import free_port, serving

_APPLICATIONS = 4


@dataclass(frozen=True, slots=True)
class Served:
    """A service that runs. pid: of its main process."""

    url: str
    pid: int


@dataclass(frozen=True, slots=True)
class Ground:
    """applications: known to every database."""

    folder: Path
    data_dir: Path
    owner_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    pids: StorePids
    applications: Sequence[Application] = field(repr=False)

    def database(self, count: int, tell: Tell) -> Database:
        ids = [application.client_id for application in self.applications]
        database = uvloop.run(open_filled(self.owner_url, count, ids, tell))
        # One that was kept may be of an earlier schema.
        _service(self.folder, self.data_dir, database.url, self.redis_url).run("migrate", "up")
        return database

    def stores(self, database: Database) -> Stores:
        return Stores(database.url, self.redis_url, pack_for_service, has_customers=True)

    def read_through(self, databases: Sequence[Database]) -> None:
        """So that no first round is measured on a cold disk."""
        cluster = Path(psutil.Process(self.pids.postgres).cwd())  # where PostgreSQL runs
        for database in databases:
            print(f"{database.name}: reading through", file=sys.stderr, flush=True)
            uvloop.run(read_through(database.url, cluster))

    @contextmanager
    def serving(self, database: Database, workers: int) -> Iterator[Served]:
        """A service that remembers no token."""
        service = _service(self.folder, self.data_dir, database.url, self.redis_url)
        with serving(
            [*service.command, "serve", "--workers", str(workers)],
            url=f"{service.url}/health/ready",
            log=self.folder / f"service-{service.port}.log",
            folder=self.folder,
            environment=service.environment,
        ) as process:
            yield Served(service.url, process.pid)


@contextmanager
def laid_out(kept: Path | None) -> Iterator[Ground]:
    """kept: a data directory that stays with all its databases, for another run; else all is removed at the end."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rovitracker-growth-")))
        data_dir = kept or folder / "data"
        if kept is None:
            stack.callback(remove, data_dir)
        embedded = stack.enter_context(attach(data_dir))
        redis_url = f"{embedded.redis_url.partition('?')[0]}?db=0"
        known = data_dir / "growth.json"
        if not known.exists():
            made = _make_template(folder, data_dir, embedded.database_url, redis_url)
            write_private(known, json.dumps([_plain(application) for application in made]))
        applications = [_application(each) for each in json.loads(known.read_text())]
        yield Ground(folder, data_dir, embedded.database_url, redis_url, find_stores(embedded), applications)


def _make_template(folder: Path, data_dir: Path, owner_url: str, redis_url: str) -> Sequence[Application]:
    """A migrated database with the applications, of which every other one is a copy."""
    url = address_of(owner_url, TEMPLATE)
    uvloop.run(_create(owner_url))
    service = _service(folder, data_dir, url, redis_url)
    service.run("migrate", "up")
    return register_applications(service, url, _APPLICATIONS).applications


async def _create(owner_url: str) -> None:
    async with connected(owner_url) as owner:
        await owner.execute(f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)")
        await owner.execute(f"CREATE DATABASE {TEMPLATE}")


def _service(folder: Path, data_dir: Path, database_url: str, redis_url: str) -> Service:
    settings = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "ENVIRONMENT": "development",
        "CODE_LIFETIME": f"{CODE_LIFE_S}s",
        "TOKEN_CACHE": "false",
        "LIMIT_QUEUE_WAIT": "5s",  # a thousand connections wait long on a slow machine, and shall not be turned away
        "DATA_DIR": str(data_dir),
    }
    return Service(folder, free_port(), settings)


def _plain(application: Application) -> dict[str, str]:
    return {**application.credentials, "customer_id": str(application.customer_id)}


def _application(plain: dict[str, str]) -> Application:
    return Application(UUID(plain["client_id"]), plain["client_secret"], UUID(plain["customer_id"]))
