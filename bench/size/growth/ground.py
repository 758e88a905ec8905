"""The private servers that growth is measured on, the databases in them, and a service on any of these."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import psutil
import uvloop

from app.storage.migrations import apply_migrations, read_migrations
from app.stores import write_private
from bench.ground.applications import register_applications
from bench.ground.codes import CODE_LIFE_S, Application, Stores, pack_for_service
from bench.ground.servers import service_serving
from bench.ground.service import Service, service_on
from bench.ground.serving import Private, private_servers
from bench.load.machine import StorePids, find_stores
from bench.size.database import TEMPLATE, Database, address_of, connected, open_filled, read_through
from bench.size.growth.fill import Tell

_APPLICATIONS = 4


@dataclass(frozen=True, slots=True)
class Served:
    """A service that runs. pid: of its main process."""

    url: str
    pid: int


@dataclass(frozen=True, slots=True)
class Ground:
    """applications: known to every database."""

    servers: Private = field(repr=False)
    pids: StorePids
    applications: Sequence[Application] = field(repr=False)

    @property
    def folder(self) -> Path:
        return self.servers.folder

    def database(self, count: int, tell: Tell) -> Database:
        ids = [application.client_id for application in self.applications]
        database = uvloop.run(open_filled(self.servers.database_url, count, ids, tell))
        # One that was kept may be of an earlier schema.
        uvloop.run(apply_migrations(database.url, read_migrations()))
        return database

    def stores(self, database: Database) -> Stores:
        return _stores(self.servers, database.url)

    def read_through(self, databases: Sequence[Database]) -> None:
        """So that no first round is measured on a cold disk."""
        cluster = Path(psutil.Process(self.pids.postgres).cwd())  # where PostgreSQL runs
        for database in databases:
            print(f"{database.name}: reading through", file=sys.stderr, flush=True)
            uvloop.run(read_through(database.url, cluster))

    @contextmanager
    def serving(self, database: Database, workers: int) -> Iterator[Served]:
        """A service that remembers no token."""
        service = _service(self.servers, database.url)
        log = self.folder / f"service-{service.port}.log"
        with service_serving(service, workers, log) as pid:
            yield Served(service.url, pid)


@contextmanager
def laid_out(kept: Path | None) -> Iterator[Ground]:
    """kept: a data directory that stays with all its databases, for another run; else all is removed at the end."""
    with private_servers("growth", kept) as servers:
        known = servers.data_dir / "growth.json"
        if not known.exists():
            made = _make_template(servers)
            write_private(known, json.dumps([_plain(application) for application in made]))
        applications = [_application(each) for each in json.loads(known.read_text())]
        yield Ground(servers, find_stores(servers.embedded), applications)


def _make_template(servers: Private) -> Sequence[Application]:
    """A migrated database with the applications, of which every other one is a copy."""
    url = address_of(servers.database_url, TEMPLATE)
    uvloop.run(_create(servers.database_url))
    registered = register_applications(_service(servers, url), _stores(servers, url), _APPLICATIONS)
    return registered.applications


async def _create(owner_url: str) -> None:
    async with connected(owner_url) as owner:
        await owner.execute(f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)")
        await owner.execute(f"CREATE DATABASE {TEMPLATE}")


def _service(servers: Private, database_url: str) -> Service:
    return service_on(servers, database_url, CODE_LIFETIME=f"{CODE_LIFE_S}s", TOKEN_CACHE="false")


def _stores(servers: Private, database_url: str) -> Stores:
    return Stores(database_url, servers.redis_url(), pack_for_service, has_customers=True)


def _plain(application: Application) -> dict[str, str]:
    return {**application.credentials, "customer_id": str(application.customer_id)}


def _application(plain: dict[str, str]) -> Application:
    return Application(UUID(plain["client_id"]), plain["client_secret"], UUID(plain["customer_id"]))
