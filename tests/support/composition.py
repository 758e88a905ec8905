"""The compose files as an independent reader sees them, and their stores run from the same secrets without an engine."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import redis
import yaml

from app.embedded.software import installed_software
from deploy.create_secrets import create_secrets
from tests.support.clusters import Cluster, run_postgres
from tests.support.dockerfile import CHECKOUT

BASE = CHECKOUT / "compose.yaml"
PRODUCTION = CHECKOUT / "compose.production.yaml"
CITUS = CHECKOUT / "compose.citus.yaml"


@dataclass(frozen=True, slots=True)
class Read:
    """The result of reading compose files.

    document: empty where they are refused. complaint: what podman-compose said on stderr.
    """

    document: dict[str, Any]
    complaint: str


def read_compose(folder: Path, *files: Path, **variables: str) -> Read:
    """Merge and interpolate with podman-compose, which asks an engine for no more than its version.

    The engine is a script that answers just that. variables: of the environment, which has a PATH and nothing else.
    """
    engine = folder / "podman"
    engine.write_text("#!/bin/sh\necho podman version 5.8.0\n")
    engine.chmod(0o700)
    done = subprocess.run(
        [tool("podman-compose"), *(f"--file={file}" for file in files), "config"],
        cwd=CHECKOUT,
        env={"PATH": os.pathsep.join([str(folder), os.environ["PATH"]]), **variables},
        check=False,
        capture_output=True,
        text=True,
    )
    return Read(yaml.safe_load(done.stdout) or {}, done.stderr)


def tool(name: str) -> str:
    return str(Path(sys.executable).parent / name)


@dataclass(frozen=True, slots=True)
class ComposedStores:
    """PostgreSQL and Valkey as compose.yaml sets them up, and the folders their users find their secrets in."""

    service: Path
    migrate: Path
    valkey: redis.Redis  # as the health check signs in
    postgres: Cluster


@contextmanager
def run_stores(
    folder: Path, valkey_command: list[str], *, major: str, by_hand: bool = False
) -> Iterator[ComposedStores]:
    """New servers, whose logins are made by deploy/ from freshly created secrets. major: PostgreSQL's version.

    by_hand: the passwords are said in the environment, as without containers.
    """
    made = folder / "secrets"
    made.mkdir(parents=True)
    create_secrets(made, {})
    with (
        run_postgres(major) as postgres,
        run_valkey(made / "valkey", folder / "valkey", valkey_command) as socket,
    ):
        service, migrate = (
            _bring_here(made / reader, folder / "here" / reader, str(postgres.sockets), socket)
            for reader in ("service", "migrate")
        )
        _create_logins(postgres, made / "postgres", by_hand=by_hand)
        health = redis.Redis(unix_socket_path=str(socket), username="health", password="any")
        yield ComposedStores(service, migrate, health, postgres)
        health.close()


def _create_logins(postgres: Cluster, made: Path, *, by_hand: bool) -> None:
    """Create the logins as the image does at its first start, on a server without a database."""
    statements = (CHECKOUT / "deploy" / "create_logins.sql").read_text()
    passwords = {
        f"{name}_password".upper(): (made / f"{name}_password").read_text()
        for name in ("owner", "login")
        if by_hand
    }
    script = statements if by_hand else statements.replace("/run/secrets/", f"{made}/")
    options = ("-v", "ON_ERROR_STOP=1", "--no-psqlrc", "--quiet", "--dbname=postgres")
    postgres.run("psql", *options, given=script.encode(), **passwords)


@contextmanager
def run_valkey(made: Path, data: Path, command: list[str]) -> Iterator[Path]:
    """Run Valkey by the command of the compose file; the path of its socket.

    made: the folder in the place of /run/secrets. The installed server takes the place of the program that is named, and
    listens on no port. It fails when the server ends at once, or is not there after 10 s.
    """
    data.mkdir()
    socket = data / "valkey.sock"
    _, *options = (word.replace("/run/secrets/", f"{made}/") for word in command)
    server = subprocess.Popen(
        [installed_software().valkey_server, *options, "--port", "0", "--unixsocket", socket],
        cwd=data,
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 10
        while not socket.exists():
            assert server.poll() is None, "Valkey refused its command line"
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield socket
    finally:
        server.terminate()
        server.wait(timeout=20)


def _bring_here(made: Path, here: Path, sockets: str, valkey: Path) -> Path:
    """The same secrets, the stores' host names replaced by where they listen here."""
    here.mkdir(parents=True)
    for file in made.iterdir():
        value = file.read_text().replace("@postgres:5432/rovitracker", f"@/rovitracker?host={quote(sockets)}")
        if file.name == "rovitracker_redis_url":
            parts = urlsplit(value)
            value = f"unix://{parts.username}:{parts.password}@{quote(str(valkey))}?db=0"
        (here / file.name).write_text(value)
    return here
