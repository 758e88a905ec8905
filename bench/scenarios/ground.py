"""The scenarios of a run share one service, its accounts and applications; each is given its supplies before it starts."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import orjson

from bench.ground.applications import register_applications, seed_accounts
from bench.ground.codes import CODE_LIFE_S, Application, Stores, pack_for_service, write_exchanges
from bench.ground.servers import service_serving
from bench.ground.service import Service
from bench.ground.serving import free_port, private_servers
from bench.ground.tokens import exchange_codes
from bench.load.machine import StorePids, find_stores
from bench.scenarios.catalogue import TOKEN, Scenario
from bench.scenarios.material import Caller, Family, Folder, write_callers, write_families
from bench.scenarios.options import Load, Options

_APPLICATIONS = 4
_TOKENS = 1000
_FLEET_TOKENS = 25  # of each application
_USERS_AN_ACCOUNT = 5
_FASTEST = 4000  # exchanges a second that one process of locust could make


@dataclass(frozen=True, slots=True)
class Ground:
    """pid: the service's main process. strict: applications that refresh. What no scenario needs is empty."""

    service: Service
    pid: int
    pids: StorePids
    stores: Stores
    applications: Sequence[Application]
    strict: Sequence[Application]
    accounts: Sequence[dict[str, Any]] = field(repr=False)
    callers: Sequence[Caller] = field(repr=False)

    def prepare(self, scenario: Scenario, load: Load) -> Folder:
        folder = Folder(self.service.folder / scenario.name)
        folder.path.mkdir()
        if scenario.accounts:
            folder.accounts.write_bytes(orjson.dumps(self.accounts))
        if scenario.callers:
            write_callers(folder.callers, self.callers)
        if scenario.codes_a_customer is not None:
            count = int((load.most_rate or _FASTEST) * load.total_s * 1.1) + load.most_users
            write_exchanges(
                self.stores,
                self.applications,
                folder.codes,
                count,
                codes_a_customer=scenario.codes_a_customer,
            )
        if scenario.families:
            write_families(folder.families, self._begin_families(load.most_users, folder))
        return folder

    def _begin_families(self, count: int, folder: Folder) -> list[Family]:
        print(f"  exchanging {count} codes for refresh tokens", flush=True)
        begun = exchange_codes(
            self.stores,
            self.strict,
            self.service.url,
            count,
            path=folder.path / "begun",
            member="refresh_token",
        )
        return [Family(**owner.credentials, refresh_token=token) for owner, token in begun]


@contextmanager
def laid_out(options: Options) -> Iterator[Ground]:
    """A service on a free port with private servers and a few accounts; all of it is stopped and removed at the end."""
    with private_servers("bench") as servers:
        service = Service(servers.folder, free_port(), {"CODE_LIFETIME": f"{CODE_LIFE_S}s"})
        stores = Stores(servers.database_url, servers.redis_url(), pack_for_service, has_customers=True)
        accounts = _seed_accounts(service, stores, options)
        applications = _register(service, stores, options)
        strict = _register_strict(service, stores, options)
        with service_serving(service, options.workers, options.out / "service.log") as pid:
            callers = _make_callers(service, stores, applications, options)
            pids = find_stores(servers.embedded)
            yield Ground(service, pid, pids, stores, applications, strict, accounts, callers)


def _seed_accounts(service: Service, stores: Stores, options: Options) -> Sequence[dict[str, Any]]:
    if not any(scenario.accounts for scenario in options.scenarios):
        return ()
    count = -(-options.load.most_users // _USERS_AN_ACCOUNT)
    print(f"Seeding {count} account(s) of {options.machines} machines each", flush=True)
    return seed_accounts(service, stores, count, machines=options.machines)


def _register(service: Service, stores: Stores, options: Options) -> Sequence[Application]:
    if not any(each.callers or each.codes_a_customer for each in options.scenarios):
        return ()
    print(f"Registering {_APPLICATIONS} applications", flush=True)
    return register_applications(service, stores, _APPLICATIONS).applications


def _register_strict(service: Service, stores: Stores, options: Options) -> Sequence[Application]:
    if not any(each.families for each in options.scenarios):
        return ()
    print("Registering a strict application", flush=True)
    return register_applications(service, stores, 1, strict=True).applications


def _make_callers(
    service: Service, stores: Stores, applications: Sequence[Application], options: Options
) -> list[Caller]:
    if not any(scenario.callers for scenario in options.scenarios):
        return []
    print(f"Exchanging {_TOKENS} codes for tokens to ask about", flush=True)
    path = service.folder / "requests"
    tokens = exchange_codes(stores, applications, service.url, _TOKENS, path=path)
    with httpx2.Client(base_url=service.url) as client:
        return [
            Caller(
                **each.credentials,
                tokens=[token for owner, token in tokens if owner is each],
                fleet_tokens=[_client_token(client, each) for _ in range(_FLEET_TOKENS)],
            )
            for each in applications
        ]


def _client_token(client: httpx2.Client, application: Application) -> str:
    form = {"grant_type": "client_credentials", **application.credentials}
    token: str = client.post(TOKEN, data=form).raise_for_status().json()["access_token"]
    return token
