"""The service of a bench run as its operator sees it: its command line, and the accounts made with it."""

import itertools
import math
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

_REDIRECT_URI = "https://integrator.example/callback"  # never called: the code is read from the redirect


class SeedError(Exception):
    """The verb that failed, and what it said."""


@dataclass(frozen=True, slots=True)
class Service:
    """A data directory of its own and a free port: nothing is shared with a service that runs already."""

    folder: Path
    port: int
    settings: Mapping[str, str] = field(
        default_factory=dict
    )  # beside those every run has, without their prefix

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-m", "app"]

    @property
    def environment(self) -> dict[str, str]:
        """This shell's, but for its settings of another service."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("ROVITRACKER_")}
        return {
            **others,
            "ROVITRACKER_DATA_DIR": str(self.data_dir),
            "ROVITRACKER_HOST": "127.0.0.1",
            "ROVITRACKER_PORT": str(self.port),
            "ROVITRACKER_PUBLIC_URL": self.url,
            # A few tokens read as fast as the service can: the budget of a client is not what is measured.
            "ROVITRACKER_LIMIT_READS": "10000000",
            **{f"ROVITRACKER_{name}": value for name, value in self.settings.items()},
        }

    def run(self, *verb: str, secret: str = "") -> dict[str, Any]:
        """A verb's document."""
        done = subprocess.run(
            [*self.command, *verb, "--json"],
            cwd=self.folder,  # where no .env lies
            env=self.environment,
            input=secret.encode(),
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            raise SeedError(f"{' '.join(verb[:2])}: {done.stderr.decode().strip()}")
        document: dict[str, Any] = orjson.loads(done.stdout)
        return document


def seed_accounts(service: Service, count: int, *, machines: int) -> list[dict[str, Any]]:
    """So many pairs of a customer with a fleet and an application, of as few of both as give them."""
    customers = [_add_customer(service, machines) for _ in range(math.ceil(math.sqrt(count)))]
    applications = [_register(service) for _ in range(math.ceil(count / len(customers)))]
    pairs = itertools.product(customers, applications)
    return [{**customer, **application} for customer, application in itertools.islice(pairs, count)]


def _add_customer(service: Service, machines: int) -> dict[str, Any]:
    name = f"bench-{secrets.token_hex(4)}"
    email, password = f"{name}@customer.example", secrets.token_urlsafe(16)
    service.run("customer", "add", "--email", email, "--name", name, secret=password)
    size = ("--machines", str(machines), "--days", "1", "--interval", "15m")
    service.run("fleet", "simulate", "--customer", email, *size)
    return {"email": email, "password": password, "machines": machines}


def _register(service: Service) -> dict[str, Any]:
    names = ("--name", "Bench", "--company", "Bench Ltd")
    registered = service.run("app", "register", *names, "--redirect-uri", _REDIRECT_URI)
    return {
        "client_id": registered["client_id"],
        "client_secret": registered["client_secret"],
        "redirect_uri": _REDIRECT_URI,
    }
