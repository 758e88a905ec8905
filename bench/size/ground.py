"""Size is measured on private servers, databases that are filled or found, and a service on any of these."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import uvloop

from app.storage.schema.migrations import apply_migrations, read_migrations
from bench.ground.database import address_of, create_database
from bench.ground.servers import service_serving
from bench.ground.service import Service
from bench.ground.serving import Private, private_servers
from bench.load.machine import StorePids, find_stores
from bench.size.database import find_kept, keep, read_through, show


@dataclass(frozen=True, slots=True)
class Served:
    """A service that runs. pid: of its main process."""

    url: str
    pid: int


@dataclass(frozen=True, slots=True)
class Ground:
    """shared_buffers: how much of the tables PostgreSQL keeps at hand."""

    servers: Private = field(repr=False)
    pids: StorePids
    shared_buffers: str

    @property
    def folder(self) -> Path:
        return self.servers.folder

    def database(
        self, name: str, fill: Callable[[str], Any], *, template: str | None = None
    ) -> tuple[str, Any]:
        """Its address, and what its filling keeps about itself.

        It is made anew where it is not there, or was filled only in part. fill: fills it, and says what to keep.
        """
        owner_url = self.servers.database_url
        url = address_of(owner_url, name)
        kept = uvloop.run(find_kept(owner_url, url, name))
        if kept is None:
            uvloop.run(create_database(owner_url, name, template))
        # In either case: one that was kept may be of an earlier schema.
        uvloop.run(apply_migrations(url, read_migrations()))
        if kept is None:
            uvloop.run(keep(url, fill(url)))
            kept = uvloop.run(find_kept(owner_url, url, name))  # as a later run reads it
        return url, kept

    def read_through(self, name: str, url: str) -> None:
        """Read all once, so that no first round is measured on a cold disk."""
        print(f"{name}: reading through", file=sys.stderr, flush=True)
        cluster = Path(psutil.Process(self.pids.postgres).cwd())  # where PostgreSQL runs
        uvloop.run(read_through(url, cluster))

    @contextmanager
    def serving(self, service: Service, workers: int) -> Iterator[Served]:
        with service_serving(service, workers, self.folder / f"service-{service.port}.log") as pid:
            yield Served(service.url, pid)


@contextmanager
def laid_out(name: str, kept: Path | None) -> Iterator[Ground]:
    """kept: a data directory that stays with all its databases, for another run; else all is removed at the end."""
    with private_servers(name, kept) as servers:
        buffers = uvloop.run(show(servers.database_url, "shared_buffers"))
        yield Ground(servers, find_stores(servers.embedded), buffers)
