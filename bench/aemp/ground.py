"""The private servers, the database with both fleets in it, and a service on that."""

import json
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx2
import psutil
import uvloop

from app.context import Context, open_context
from app.embedded import attach
from app.embedded.removal import remove
from app.flows.import_fleet import import_machines
from app.flows.last_24 import refresh_last_24
from app.flows.load_history import load_history
from app.flows.write_history import prepare_history
from app.settings import load_settings
from app.storage.database import SERVICE_ROLE
from app.storage.fleet_import import ingest, select_headers
from app.stores import Stores
from bench.aemp.fill import Filling, fill
from bench.aemp.fleets import DAY, METRICS, STEP, Fleet, tell
from bench.growth.database import address_of, connected, read_through
from bench.machine import StorePids, find_stores
from bench.seed import Service
from bench.serving import free_port, serving

SMALL_MACHINES, SMALL_DAYS = 100, 1
BYTES_A_READING = 140  # of table and index together

# Later readings are told while the ingest is measured, and none may be from the future.
_ROOM = timedelta(hours=12)
_LONGEST = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Account:
    """A fleet, and who reads it."""

    fleet: Fleet
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ground:
    """small, large: kept in the database, where a later run finds them."""

    folder: Path
    service: Service
    stores: Stores
    pids: StorePids
    shared_buffers: str
    small: Account
    large: Account

    @property
    def owner_url(self) -> str:
        return self.stores.owner_url

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

    async def keep(self, told: int) -> None:
        """Remember how much the large fleet has told."""
        large = replace(self.large, fleet=replace(self.large.fleet, told=told))
        async with connected(self.owner_url) as owner:
            await owner.execute("UPDATE bench_fleets SET kept = $1", _pack(self.small, large))

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
        name = f"aemp_{machines}_{steps}"
        url = address_of(embedded.database_url, name)
        redis_url = f"{embedded.redis_url.partition('?')[0]}?db=0"
        stores = Stores(url, url, url, redis_url, SERVICE_ROLE)
        service = _service(folder, data_dir, stores)
        uvloop.run(_create(embedded.database_url, name))
        service.run("migrate", "up")  # one that was kept may be of an earlier schema
        found = uvloop.run(_find(url)) or _fill(service, stores, machines, steps)
        buffers = uvloop.run(_show(url, "shared_buffers"))
        yield Ground(folder, service, stores, find_stores(embedded), buffers, *found)


def count_steps(machines: int, gigabytes: float) -> int:
    """What fits, all machines reporting all the time, and no more than history keeps."""
    fitting = int(gigabytes * 2**30 / BYTES_A_READING / (machines * len(METRICS)))
    return min(fitting, _LONGEST // STEP)


def _fill(service: Service, stores: Stores, machines: int, steps: int) -> tuple[Account, Account]:
    accounts = [_account(service, name) for name in ("small", "large")]
    uvloop.run(_fill_accounts(service, stores, accounts, (SMALL_MACHINES, machines), steps))
    found = uvloop.run(_find(stores.owner_url))
    assert found is not None  # noqa: S101  # it was just filled
    return found


async def _fill_accounts(
    service: Service, stores: Stores, accounts: list[Account], machines: tuple[int, int], steps: int
) -> None:
    """Machines and the last of their steps are told as any others are; what comes before is put under them."""
    now_s = (datetime.now(UTC) - _ROOM).timestamp()
    ends_at = datetime.fromtimestamp(now_s // STEP.total_seconds() * STEP.total_seconds(), UTC)
    small = _sized(accounts[0], machines[0], SMALL_DAYS * DAY // STEP, ends_at)
    large = _sized(accounts[1], machines[1], steps, ends_at)
    async with _context(stores, service) as context:
        for account in (small, large):
            await import_machines(context, account.fleet.customer_id, tuple(account.fleet.equipment()))
        weeks = (large.fleet.at(step) for step in range(large.fleet.told))
        kept = await prepare_history(context, weeks)
        fillings = [await _filling(context, each.fleet) for each in (small, large)]
        await fill(stores.owner_url, fillings)
        for fleet, filling in zip((small.fleet, large.fleet), fillings, strict=True):
            told = [
                (key, tell(fleet, number, fleet.last)) for number, key in enumerate(filling.keys, start=1)
            ]
            await load_history(context, fleet.customer_id, told, kept)
        await refresh_last_24(context)  # else the service would, while it is measured
    async with connected(stores.owner_url) as owner:
        await owner.execute("VACUUM (ANALYZE)", timeout=None)
        await owner.execute("CREATE TABLE bench_fleets (kept jsonb NOT NULL)")
        await owner.execute("INSERT INTO bench_fleets VALUES ($1)", _pack(small, large))


async def keys_of(context: Context, fleet: Fleet) -> list[int]:
    """Of the machines in the order of their numbers."""
    async with ingest(context.database) as transaction:
        headers = await select_headers(transaction, fleet.customer_id)
    return sorted(headers, key=lambda key: headers[key].serial_number or "")


async def _filling(context: Context, fleet: Fleet) -> Filling:
    """Of all but the last step."""
    async with ingest(context.database) as transaction:
        row = await transaction.row("SELECT number FROM fleet WHERE customer_id = $1", fleet.customer_id)
    assert row is not None  # noqa: S101  # it has machines
    return Filling(replace(fleet, told=fleet.told - 1), row["number"], await keys_of(context, fleet))


def _sized(account: Account, machines: int, steps: int, ends_at: datetime) -> Account:
    fleet = replace(account.fleet, machines=machines, begins_at=ends_at - (steps - 1) * STEP, told=steps)
    return replace(account, fleet=fleet)


def _account(service: Service, name: str) -> Account:
    email = f"{name}@customer.example"
    password = secrets.token_urlsafe(16)
    customer = service.run("customer", "add", "--email", email, "--name", name, secret=password)
    registered = service.run(
        *("app", "register", "--name", name, "--company", "Bench Ltd"),
        *("--grant", "client_credentials", "--customer", email),
    )
    fleet = Fleet(name, UUID(customer["customer_id"]), 0, datetime.now(UTC), 0)
    return Account(fleet, registered["client_id"], registered["client_secret"])


async def _create(owner_url: str, name: str) -> None:
    """Anew where it is not there, or only in part."""
    async with connected(owner_url) as owner:
        known = await owner.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name)
        if known and await _find(address_of(owner_url, name)):
            return
        await owner.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await owner.execute(f"CREATE DATABASE {name}")


async def _find(url: str) -> tuple[Account, Account] | None:
    async with connected(url) as owner:
        if await owner.fetchval("SELECT to_regclass('bench_fleets') IS NULL"):
            return None
        small, large = json.loads(await owner.fetchval("SELECT kept FROM bench_fleets"))
        return _unpack(small), _unpack(large)


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


def _pack(*accounts: Account) -> str:
    return json.dumps([asdict(account) for account in accounts], default=str)


def _unpack(kept: dict[str, object]) -> Account:
    fleet = kept["fleet"]
    assert isinstance(fleet, dict)  # noqa: S101  # as it was packed
    begins_at, customer_id = datetime.fromisoformat(fleet["begins_at"]), UUID(fleet["customer_id"])
    fleet = Fleet(**{**fleet, "begins_at": begins_at, "customer_id": customer_id})
    return Account(fleet, str(kept["client_id"]), str(kept["client_secret"]))
