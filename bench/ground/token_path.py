"""All contenders of a run share the stores, the accounts and the plan; this file also says what each is asked."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from uuid import UUID

from bench.ground.applications import register_applications
from bench.ground.codes import (
    CODE_LIFE_S,
    Application,
    Stores,
    pack_for_service,
    write_client_credentials,
    write_exchanges,
)
from bench.ground.servers import service_serving
from bench.ground.service import Service
from bench.ground.serving import Private, free_port, private_servers
from bench.ground.tokens import exchange_codes
from bench.load.check import (
    check_client_tokens,
    check_doubles,
    check_exchanges,
    check_introspections,
    check_replays,
)
from bench.load.machine import StorePids, find_stores
from bench.load.records import form_request, get_request, write_requests
from bench.load.rounds import Check, Contender, Plan

_APPLICATIONS = 4
_DOUBLED = 100


@dataclass(frozen=True, slots=True)
class Ground:
    """fleet_customer: has one machine. The applications act for it by themselves."""

    servers: Private
    service: Service
    pids: StorePids
    plan: Plan
    workers: int
    tokens: int
    applications: Sequence[Application]
    fleet_customer: UUID
    service_stores: Stores

    @property
    def folder(self) -> Path:
        return self.servers.folder

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"


@contextmanager
def laid_out(name: str, plan: Plan, *, workers: int, tokens: int) -> Iterator[Ground]:
    """Private servers until the end, an account with a machine, and its applications."""
    with private_servers(name) as servers:
        service = Service(servers.folder, free_port(), {"CODE_LIFETIME": f"{CODE_LIFE_S}s"})
        service_stores = Stores(
            servers.database_url, servers.redis_url(), pack_for_service, has_customers=True
        )
        registered = register_applications(service, service_stores, _APPLICATIONS)
        yield Ground(
            servers=servers,
            service=service,
            pids=find_stores(servers.embedded),
            plan=plan,
            workers=workers,
            tokens=tokens,
            applications=registered.applications,
            fleet_customer=registered.customer_id,
            service_stores=service_stores,
        )


@contextmanager
def serving(ground: Ground, *, cache: bool) -> Iterator[tuple[str, int]]:
    """The service, its memory of tokens on or off; its address and process id."""
    service = replace(ground.service, settings={**ground.service.settings, "TOKEN_CACHE": str(cache).lower()})
    with service_serving(service, ground.workers, ground.log(f"service, cache {cache}")) as pid:
        yield service.url, pid


def exchanging(ground: Ground, name: str, url: str, pid: int, stores: Stores) -> Contender:
    def check(requests: Path, answers: Path) -> None:
        check_exchanges(stores.database_url, requests, answers)
        check_replays(stores.database_url, url, requests, answers)

    doubled = ground.folder / "doubled"
    write_exchanges(stores, ground.applications, doubled, _DOUBLED)
    check_doubles(url, doubled)
    return Contender(
        name,
        url,
        pid,
        write_requests=partial(write_exchanges, stores, ground.applications),
        once=True,
        check=check,
    )


def issuing(ground: Ground, name: str, url: str, pid: int, stores: Stores) -> Contender:
    return Contender(
        name,
        url,
        pid,
        write_requests=partial(write_client_credentials, ground.applications),
        check=partial(check_client_tokens, stores.database_url),
    )


def introspecting(ground: Ground, name: str, url: str, pid: int, stores: Stores) -> Contender:
    tokens = make_tokens(ground, url, stores, ground.tokens)
    requests = [
        form_request("/app/oauth2/introspect", {**application.credentials, "token": token})
        for application, token in tokens
    ]
    return _asking(name, url, pid, requests, check_introspections)


def getting(
    name: str, url: str, pid: int, path: str, token: str, *, headers: Mapping[str, str] | None = None
) -> Contender:
    """headers: more of them, with `_` for `-`."""
    request = get_request(path, bearer=token, Accept="application/json", **(headers or {}))
    return _asking(name, url, pid, [request], None)


def make_tokens(ground: Ground, url: str, stores: Stores, count: int) -> list[tuple[Application, str]]:
    """Make so many live tokens, exchanged for codes as any other."""
    return exchange_codes(stores, ground.applications, url, count, path=ground.folder / "requests")


def fleet_token(ground: Ground) -> str:
    """A token for the customer that has a machine."""
    return ground.service.client_token(**ground.applications[0].credentials)


def _asking(name: str, url: str, pid: int, requests: Sequence[bytes], check: Check | None) -> Contender:
    def write(path: Path, _count: int) -> None:
        write_requests(path, requests)

    return Contender(name, url, pid, write, check=check)
