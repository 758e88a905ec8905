"""The compose files as an independent reader sees them, and their stores run from the same secrets without an engine."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import redis
import yaml

from app.embedded import attach
from app.embedded.removal import remove
from app.embedded.software import installed_software
from deploy.create_secrets import create_secrets
from tests.support.dockerfile import CHECKOUT

BASE = CHECKOUT / "compose.yaml"
PRODUCTION = CHECKOUT / "compose.production.yaml"


@dataclass(frozen=True, slots=True)
class Read:
    """The result of reading compose files."""

    document: dict[str, Any]
    complaint: str


def read_compose(folder: Path, *files: Path, **variables: str) -> Read:
    """Merge and interpolate with podman-compose, which asks an engine for no more than its version."""
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
    superuser: Mapping[str, str]  # the environment that PostgreSQL's own programs find

    def run_program(self, *command: str, given: bytes = b"") -> bytes:
        """One of PostgreSQL's own programs, as its superuser; what it prints."""
        program, *arguments = command
        path = installed_software().postgres.with_name(program)
        done = subprocess.run(
            [path, *arguments], input=given, env={**self.superuser}, check=False, capture_output=True
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout


@contextmanager
def run_stores(folder: Path, valkey_command: list[str]) -> Iterator[ComposedStores]:
    """Private servers, whose logins are made by deploy/ from freshly created secrets."""
    made = folder / "secrets"
    made.mkdir(parents=True)
    create_secrets(made, {})
    with attach(folder / "servers") as embedded:
        sockets = parse_qs(urlsplit(embedded.database_url).query)["host"][0]
        superuser = _superuser(folder / "servers", sockets)
        with _run_valkey(made / "valkey", folder / "valkey", valkey_command) as socket:
            service, migrate = (
                _bring_here(made / reader, folder / "here" / reader, sockets, socket)
                for reader in ("service", "migrate")
            )
            health = redis.Redis(unix_socket_path=str(socket), username="health", password="any")
            stores = ComposedStores(service, migrate, health, superuser)
            _create_logins(stores, made / "postgres")
            yield stores
            health.close()
    remove(folder / "servers")


def _superuser(data_dir: Path, sockets: str) -> dict[str, str]:
    """The superuser: in compose its own on its own socket, without a password; here the private server's."""
    record = json.loads((data_dir / "embedded" / "record.json").read_bytes())
    return {"PGHOST": sockets, "PGUSER": "postgres", "PGPASSWORD": record["postgres_password"]}


def _create_logins(stores: ComposedStores, made: Path) -> None:
    """Create the logins as the image does at its first start, on a server without a database."""
    statements = (CHECKOUT / "deploy" / "create_logins.sql").read_text()
    for script in (
        "DROP DATABASE rovitracker WITH (FORCE)",
        statements.replace("/run/secrets/", f"{made}/"),
    ):
        options = ("-v", "ON_ERROR_STOP=1", "--no-psqlrc", "--quiet", "--dbname=postgres")
        stores.run_program("psql", *options, given=script.encode())


@contextmanager
def _run_valkey(made: Path, data: Path, command: list[str]) -> Iterator[Path]:
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
