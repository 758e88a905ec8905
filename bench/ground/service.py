"""The service of a bench run: its settings, its address, its command line."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from bench.ground.serving import Private, free_port


@dataclass(frozen=True, slots=True)
class Service:
    """A data directory of its own and a free port: nothing is shared with a service that runs already.

    settings: beside those every run has, without their prefix.
    """

    folder: Path
    port: int
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def data_dir(self) -> Path:
        return Path(self.settings.get("DATA_DIR", self.folder / "data"))

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
            # All of the load comes from one address, with as many connections as a plan asks for.
            "ROVITRACKER_LIMIT_CONNECTIONS_PER_ADDRESS": "1000000",
            # For the same reason: one address takes half of the places for hashing, and each user signs in at the start.
            "ROVITRACKER_LIMIT_PASSWORD_CHECKS": "4",
            **{f"ROVITRACKER_{name}": value for name, value in self.settings.items()},
        }

    def client_token(self, client_id: str, client_secret: str) -> str:
        """Get a token that an application asks for by itself; the service must run."""
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
        answer = httpx2.post(f"{self.url}/app/oauth2/token", data=form).raise_for_status()
        token: str = answer.json()["access_token"]
        return token


def service_on(servers: Private, database_url: str, **settings: str) -> Service:
    """A service on a database of private servers. Connections that wait long on a slow machine must not be turned away."""
    stores = {"DATABASE_URL": database_url, "REDIS_URL": servers.redis_url(), "ENVIRONMENT": "development"}
    shared = {**stores, "LIMIT_QUEUE_WAIT": "5s", "DATA_DIR": f"{servers.data_dir}"}
    return Service(servers.folder, free_port(), {**shared, **settings})
