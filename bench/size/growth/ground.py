"""The databases that growth is measured on, copies of one with the applications, and services that remember no token."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from uuid import UUID

import uvloop

from bench.ground.applications import register_applications
from bench.ground.codes import CODE_LIFE_S, Application, Stores, pack_for_service
from bench.ground.service import Service, service_on
from bench.ground.serving import Private
from bench.size import ground
from bench.size.ground import Ground, Served
from bench.size.growth.database import Database
from bench.size.growth.fill import Filled, fill

_TEMPLATE = "growth_template"
_APPLICATIONS = 4


@dataclass(frozen=True, slots=True)
class TokenGround(Ground):
    """applications: known to every database."""

    applications: Sequence[Application] = field(repr=False)

    def tokens(self, count: int) -> Database:
        """The database of so many."""
        ids = [application.client_id for application in self.applications]
        url, kept = self.database(
            f"growth_{count}", lambda url: asdict(uvloop.run(fill(url, count, ids))), template=_TEMPLATE
        )
        return Database(url, Filled(**kept))

    def stores(self, database: Database) -> Stores:
        return _stores(self.servers, database.url)

    @contextmanager
    def serving_tokens(self, database: Database, workers: int) -> Iterator[Served]:
        with self.serving(_service(self.servers, database.url), workers) as served:
            yield served


@contextmanager
def laid_out(kept: Path | None) -> Iterator[TokenGround]:
    """kept: as of any ground of sizes."""
    with ground.laid_out("growth", kept) as laid:
        _, applications = laid.database(_TEMPLATE, lambda url: _register(laid.servers, url))
        yield TokenGround(
            laid.servers, laid.pids, laid.shared_buffers, [_application(each) for each in applications]
        )


def _register(servers: Private, url: str) -> list[dict[str, str]]:
    registered = register_applications(_service(servers, url), _stores(servers, url), _APPLICATIONS)
    return [{**each.credentials, "customer_id": str(each.customer_id)} for each in registered.applications]


def _service(servers: Private, database_url: str) -> Service:
    return service_on(servers, database_url, CODE_LIFETIME=f"{CODE_LIFE_S}s", TOKEN_CACHE="false")


def _stores(servers: Private, database_url: str) -> Stores:
    return Stores(database_url, servers.redis_url(), pack_for_service, has_customers=True)


def _application(plain: dict[str, str]) -> Application:
    return Application(UUID(plain["client_id"]), plain["client_secret"], UUID(plain["customer_id"]))
