"""Both revisions on one PostgreSQL and one Valkey: each with a database, accounts and tokens that it made itself."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import orjson
import psutil
import uvloop

from app.settings import PREFIX
from bench.compare.checkout import Checkout
from bench.ground.codes import CODE_LIFE_S
from bench.ground.database import create_database
from bench.ground.service import Service, service_on
from bench.ground.serving import Private, free_port, serving
from bench.load.records import read_requests

_EMAIL = "compare@customer.example"
_APPLICATION = (
    *("--name", "Compare", "--company", "Compare Ltd", "--redirect-uri", "https://compare.example/callback"),
    *("--grant", "authorization_code", "--grant", "client_credentials"),
)
_ACCOUNT = ("client_id", "client_secret", "customer_id")
_PAGE_MEMORY = "LIMIT_PAGE_MEMORY"


@dataclass(frozen=True, slots=True)
class Running:
    """pids: of all its processes, the one that was started first."""

    url: str
    port: int
    pids: Sequence[int]


@dataclass(frozen=True, slots=True)
class Side:
    """A revision with stores of its own.

    known: the settings that it has. settings: those that it is given, which are such as both revisions have. account: ids
    and secret of its application and customer.
    """

    checkout: Checkout
    service: Service
    known: frozenset[str]
    settings: frozenset[str]
    folder: Path
    account: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def environment(self) -> dict[str, str]:
        given = self.service.environment.items()
        return {name: value for name, value in given if not name.startswith(PREFIX) or name in self.settings}

    @property
    def database_url(self) -> str:
        return self.service.settings["DATABASE_URL"]

    def run(self, *arguments: str, told: str = "") -> str:
        return self.checkout.run(*arguments, environment=self.environment, told=told)

    def add_account(self, email: str) -> dict[str, str]:
        """Add a customer, and an application that acts for it; their ids and the secret."""
        customer = ("customer", "add", "--email", email, "--name", "Compare")
        added = orjson.loads(self.run(*customer, "--json", told="a long passphrase\n"))
        application = ("app", "register", *_APPLICATION, "--customer", email)
        named = {**added, **orjson.loads(self.run(*application, "--json"))}
        return {name: named[name] for name in _ACCOUNT}

    def forgetful(self) -> "Side":
        """The same side, which remembers no page. A revision that never does is as it was."""
        name = PREFIX + _PAGE_MEMORY
        if name not in self.known:
            return self
        service = replace(self.service, settings={**self.service.settings, _PAGE_MEMORY: "0"})
        return replace(self, service=service, settings=self.settings | {name})

    def exchanges(self, count: int) -> list[bytes]:
        """Write so many codes into Valkey; the requests that redeem them."""
        path = self.folder / "requests"
        stores = {name.lower(): self.environment[PREFIX + name] for name in ("DATABASE_URL", "REDIS_URL")}
        document = {**self.account, **stores, "count": count, "path": f"{path}"}
        self.checkout.feed(orjson.dumps(document), self.environment)
        return read_requests(path)


@contextmanager
def confined(cores: frozenset[int]) -> Iterator[None]:
    """Keep this thread to these cores, and all processes that it starts meanwhile."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def make_sides(
    servers: Private, tree: Checkout, base: Checkout, *, valkeys: Sequence[str] | None = None
) -> tuple[Side, Side]:
    """Set both up. valkeys: where each keeps its codes. Raises CheckoutError when one refuses what it is told."""
    known = [_settings_of(each) for each in (tree, base)]
    urls = valkeys or [servers.redis_url(number) for number in range(2)]
    one, other = (
        _make_side(servers, checkout, number, known, urls[number])
        for number, checkout in enumerate((tree, base))
    )
    return one, other


@contextmanager
def running(side: Side, cores: frozenset[int]) -> Iterator[Running]:
    """Start a fresh process of it, and stop it at the end."""
    service = replace(side.service, port=free_port())
    environment = side.checkout.at_home(replace(side, service=service).environment)
    ready, log = f"{service.url}/health/ready", side.folder / "service.log"
    command = [*side.checkout.program, "serve"]
    with ExitStack() as stack:
        with confined(cores):
            serves = serving(command, url=ready, log=log, folder=side.folder, environment=environment)
            process = stack.enter_context(serves)
        children = psutil.Process(process.pid).children(recursive=True)
        yield Running(service.url, service.port, [process.pid, *(each.pid for each in children)])


@contextmanager
def both_running(sides: Sequence[Side], cores: frozenset[int], number: int) -> Iterator[Sequence[Running]]:
    """Run both at once. Each is the first to start in every other round."""
    with ExitStack() as stack:
        order = (0, 1) if number % 2 == 0 else (1, 0)
        served = {each: stack.enter_context(running(sides[each], cores)) for each in order}
        yield served[0], served[1]


def _make_side(
    servers: Private, checkout: Checkout, number: int, known: Sequence[frozenset[str]], redis_url: str
) -> Side:
    name = f"compare_{number}"
    url = uvloop.run(create_database(servers.database_url, name))
    folder = servers.folder / name
    folder.mkdir()
    stores = {"REDIS_URL": redis_url, "DATA_DIR": f"{folder}"}
    service = service_on(servers, url, CODE_LIFETIME=f"{CODE_LIFE_S}s", **stores)
    side = Side(checkout, service, known[number], frozenset.intersection(*known), folder)
    side.run("migrate", "up")
    return replace(side, account=side.add_account(_EMAIL))


def _settings_of(checkout: Checkout) -> frozenset[str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return frozenset(
        each["setting"] for each in orjson.loads(checkout.run("config", "--json", environment=others))
    )
