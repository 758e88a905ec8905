"""A coordinator and workers of Citus on this machine's loopback, in a folder of their own, from the programs in CITUS_BIN."""

import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import psutil

from tests.embedded.probes import wait_until
from tests.support.growing import blocks
from tests.support.server import ROOT, free_port

WHERE = (
    "set CITUS_BIN to the folder of PostgreSQL's programs, 16 or newer, beside which the extension citus is installed. "
    "With the packages of Citus for Debian that is /usr/lib/postgresql/18/bin, and for a Citus of your own build `pg_config "
    "--bindir` says it"
)
_HOST = "127.0.0.1"
# What the page says is what is run here, on ports of this machine.
CONFIGURED, OF_WORKERS, OF_ALL, OF_COORDINATOR, COMMANDS, SET = blocks("PostgreSQL that is many")
_SETTINGS = {
    "listen_addresses": _HOST,
    "max_connections": "200",
    **dict(re.findall(r"^(\S+) = '?(.*?)'?$", CONFIGURED, re.MULTILINE)),
}


class NoCitusError(Exception):
    """There are no programs to run."""


def citus_programs() -> Path:
    """The folder that CITUS_BIN names. Raises NoCitusError where it holds no Citus, with what was found there."""
    named = os.environ.get("CITUS_BIN")
    if not named:
        raise NoCitusError(f"CITUS_BIN names no folder: {WHERE}")
    folder = Path(named).absolute()
    lacking = [name for name in ("postgres", "initdb", "psql", "pg_config") if not (folder / name).is_file()]
    if lacking:
        raise NoCitusError(f"{folder}, which CITUS_BIN names, has no program {lacking[0]}: {WHERE}")
    if not _control(folder).is_file():
        raise NoCitusError(
            f"the PostgreSQL of {folder}, which CITUS_BIN names, has no extension citus: {WHERE}"
        )
    return folder


def versions(programs: Path) -> str:
    """What is run, in words."""
    said = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True)
    citus = re.search(r"default_version = '(.+)'", _control(programs).read_text())
    return f"Citus {citus[1] if citus else 'of no version'} on {said.stdout.strip()}"


def _control(programs: Path) -> Path:
    found = subprocess.run(
        [programs / "pg_config", "--sharedir"], capture_output=True, text=True, check=False
    )
    return Path(found.stdout.strip()) / "extension" / "citus.control"


@dataclass(slots=True)
class Node:
    """One server. port: on the loopback interface."""

    name: str
    port: int
    programs: Path
    folder: Path
    password_file: Path
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def data(self) -> Path:
        return self.folder / self.name

    def start(self, **settings: str) -> None:
        """Return once it answers; it fails after 30 s. settings: of the server, over those on the page."""
        given = {**_SETTINGS, "port": str(self.port), "unix_socket_directories": str(self.folder), **settings}
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    self.programs / "postgres",
                    "-D",
                    self.data,
                    *(f"--{key}={value}" for key, value in given.items()),
                ],
                cwd=self.data,
                stdout=log,
                stderr=log,
                env={**os.environ, "PGPASSFILE": str(self.password_file)},
                **_as_nobody(),
            )
        wait_until(self.answers, within_s=30)

    def answers(self) -> bool:
        asked = [str(self.programs / "pg_isready"), "-q", "-h", _HOST, "-p", str(self.port)]
        return subprocess.run(asked, check=False).returncode == 0

    def kill(self) -> None:
        """Every process of it at once, as a power cut would."""
        assert self.process is not None
        postmaster = psutil.Process(self.process.pid)
        for each in (postmaster, *postmaster.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                each.kill()
        self.process.wait(30)
        self.process = None

    def stop(self) -> None:
        """End sessions and write a last checkpoint, as SIGINT asks of PostgreSQL."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(60)
            self.process = None

    def tell(self, *statements: str, database: str = "rovitracker", password: str) -> str:
        """Statements as the superuser, each a transaction of its own; what the last prints."""
        commands = [part for statement in statements for part in ("-c", statement)]
        return self.psql("-d", database, *commands, PGPASSWORD=password)

    def psql(self, *arguments: str, **environment: str) -> str:
        """What psql prints, as the superuser."""
        where = ("-h", _HOST, "-p", str(self.port), "-U", "postgres")
        done = subprocess.run(
            [self.programs / "psql", "-X", "-v", "ON_ERROR_STOP=1", "-Atq", *where, *arguments],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@dataclass(frozen=True, slots=True)
class Citus:
    """Servers that run. nodes: the coordinator first."""

    nodes: tuple[Node, ...]
    password: str

    @property
    def coordinator(self) -> Node:
        return self.nodes[0]

    def url(self, login: str, database: str = "rovitracker") -> str:
        return f"postgresql://{login}:{self.password}@{_HOST}:{self.coordinator.port}/{database}"

    @property
    def owner_url(self) -> str:
        """The address by the login that migrates the schema and distributes it."""
        return self.url("rovitracker_owner")

    @property
    def service_url(self) -> str:
        """The address by the service's own login, since SET ROLE reaches no worker."""
        return self.url("rovitracker_login")

    def tell(self, *statements: str) -> str:
        """At the coordinator."""
        return self.coordinator.tell(*statements, password=self.password)


@contextmanager
def run_nodes(
    programs: Path, *names: str, password: str, passwords: str, settings: Mapping[str, str] | None = None
) -> Iterator[tuple[Node, ...]]:
    """New servers, with nothing in them. password: of the superuser. passwords: what they sign in to each other by."""
    folder = Path(mkdtemp(prefix="citus", dir="/tmp"))
    folder.chmod(0o711)
    password_file, secret = folder / "passwords", folder / "secret"
    password_file.write_text(passwords)
    password_file.chmod(0o600)
    secret.write_text(password)
    _give(password_file, secret, folder)
    nodes = tuple(Node(name, free_port(), programs, folder, password_file) for name in names)
    try:
        for node in nodes:
            _make(node, secret)
            node.start(**(settings or {}))
        yield nodes
    finally:
        for node in nodes:
            node.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def run_citus(programs: Path, *, workers: int, plain: bool = False) -> Iterator[Citus]:
    """New servers with the logins of deploy/ and an empty database that Citus knows; nothing is migrated.

    workers: with none, the coordinator holds all shards itself; else the workers alone do. plain: one server of the same
    programs that does not load Citus.
    """
    password = secrets.token_hex(16)
    names = ("coordinator", *(f"worker{number}" for number in range(1, workers + 1)))
    settings = {"shared_preload_libraries": ""} if plain else {}
    known = f"*:*:*:*:{password}\n"
    with run_nodes(programs, *names, password=password, passwords=known, settings=settings) as nodes:
        citus = Citus(nodes, password)
        _make_database(citus)
        if not plain:
            _join(citus)
        yield citus


def _make(node: Node, secret: Path) -> None:
    node.data.mkdir(mode=0o700)
    _give(node.data)
    made_so = ("--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8", "--locale=C", "--no-sync")
    command = [str(node.programs / "initdb"), "-D", str(node.data), "--username=postgres", *made_so]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(command, cwd=node.data, check=True, **quiet, **_as_nobody())


def _make_database(citus: Citus) -> None:
    """With the logins as docs/operators.md has them."""
    passwords = dict.fromkeys(("PGPASSWORD", "OWNER_PASSWORD", "LOGIN_PASSWORD"), citus.password)
    citus.coordinator.psql("-d", "postgres", "-f", str(ROOT / "deploy/create_logins.sql"), **passwords)


def _join(citus: Citus) -> None:
    """Make all one Citus, whose coordinator hands the logins on to the workers."""
    coordinator, *workers = citus.nodes
    for worker in workers:
        worker.tell(OF_WORKERS, database="postgres", password=citus.password)
    for node in citus.nodes:
        node.tell(OF_ALL, password=citus.password)
    joining = OF_COORDINATOR.replace("'coordinator', 5432", f"'{_HOST}', {coordinator.port}")
    for number, worker in enumerate(workers, 1):
        joining = joining.replace(f"'worker{number}', 5432", f"'{_HOST}', {worker.port}")
    statements = joining.strip().splitlines()
    if not workers:
        statements = statements[-1:]  # a coordinator that is alone joins nobody
    # Those who look from outside the service have none of its settings, and the suite signs in as the superuser too.
    citus.tell(*statements, "ALTER ROLE postgres SET citus.override_table_visibility = off")


def _as_nobody() -> dict[str, Any]:
    """PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return {}
    account = pwd.getpwnam("nobody")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _give(*places: Path) -> None:
    """Give places to the account that runs PostgreSQL, where root runs the tests."""
    if os.geteuid() == 0:
        account = pwd.getpwnam("nobody")
        for place in places:
            os.chown(place, account.pw_uid, account.pw_gid)
