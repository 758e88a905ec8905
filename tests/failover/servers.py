"""Two PostgreSQL servers that stream, run from the wheel's own programs."""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from app.embedded.folders import Folders, Record, settle_run_folder
from app.embedded.home import settle_home
from app.embedded.postgres import answers
from app.embedded.removal import remove
from app.embedded.software import Software, copied_software, installed_software
from tests.embedded.probes import wait_until

_SETTINGS = {
    "listen_addresses": "",
    "wal_level": "replica",
    "autovacuum": "off",  # an old primary that writes nothing by itself can follow the new one
    "wal_keep_size": "64MB",
    "max_connections": "120",
}
_ACCESS = "local all all scram-sha-256\nlocal replication all scram-sha-256\n"


@dataclass(slots=True)
class Postgres:
    """One server. Its socket is in the folder that both share, under a port of its own."""

    name: str
    port: int
    home: Path
    record: Record
    software: Software
    run: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def folder(self) -> Path:
        return self.home / self.name

    @property
    def socket(self) -> str:
        return str(self.run / f".s.PGSQL.{self.port}")

    @property
    def url(self) -> str:
        """By its own socket, without a forwarder."""
        password = self.record.database_password
        return f"postgresql://rovitracker:{password}@/rovitracker?host={self.run}&port={self.port}"

    def start(self, *, follows: "Postgres | None" = None, **settings: str) -> None:
        """Return once it answers; it fails after 30 s. follows: as a standby of that one.

        settings: of the server, over those above.
        """
        given = {**_SETTINGS, "port": str(self.port), "unix_socket_directories": str(self.run), **settings}
        if follows is not None:
            (self.folder / "standby.signal").touch()
            given["primary_conninfo"] = (
                f"host={self.run} port={follows.port} user=postgres "
                f"password={self.record.postgres_password} application_name={self.name}"
            )
        command = [str(self.software.postgres), "-D", str(self.folder)]
        self.process = subprocess.Popen(
            [*command, *(f"--{name}={value}" for name, value in given.items())],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **as_owner(self.record),
        )
        wait_until(lambda: answers(Path(self.socket)), within_s=30)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: after a last checkpoint, which a standby still receives."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(30)
            self.process = None

    def copy_from(self, other: "Postgres") -> None:
        """Take over the other's whole folder, by its own base backup."""
        shutil.rmtree(self.folder, ignore_errors=True)
        program = self.software.postgres.with_name("pg_basebackup")
        where = f"host={self.run} port={other.port} user=postgres password={other.record.postgres_password}"
        subprocess.run(
            [program, "-D", self.folder, "-d", where, "--checkpoint=fast", "--wal-method=stream"],
            check=True,
            **as_owner(self.record),
        )

    async def tell(self, *statements: str) -> Any:
        """Run statements as the superuser; the value that the last one gives."""
        superuser = await asyncpg.connect(
            user="postgres",
            password=self.record.postgres_password,
            database="rovitracker",
            host=str(self.run),
            port=self.port,
        )
        try:
            return [await superuser.fetchval(each) for each in statements][-1]
        finally:
            await superuser.close()

    async def promote(self) -> None:
        """Make a standby the primary. It fails unless that is done within 20 s."""
        assert await self.tell("SELECT pg_promote(true, 20)")
        (self.folder / "standby.signal").unlink(missing_ok=True)


def as_owner(record: Record) -> dict[str, Any]:
    """How subprocess runs a program as the servers' own user, where root runs the suite."""
    if record.account is None:
        return {}
    return {"user": record.account.uid, "group": record.account.gid, "extra_groups": []}


@contextmanager
def two_postgres(data_dir: Path) -> Iterator[tuple[Postgres, Postgres]]:
    """A primary and its streaming standby, both new.

    The standby begins as a copy of the primary's folder, so no base backup is taken. At the end both are told to leave
    at once, and their folder is removed.
    """
    folders = Folders(data_dir)
    folders.open()
    record = settle_home(folders, installed_software())
    home = record.home(folders)
    software = installed_software() if record.account is None else copied_software(home)
    (home / "postgres" / "pg_hba.conf").write_text(_ACCESS)
    subprocess.run(["cp", "-a", home / "postgres", home / "second"], check=True)
    run = settle_run_folder(folders, record)
    first = Postgres("postgres", 5432, home, record, software, run)
    second = Postgres("second", 5433, home, record, software, run)
    try:
        first.start()
        second.start(follows=first)
        yield first, second
    finally:
        for server in (first, second):
            server.stop(signal.SIGQUIT)
        remove(data_dir)
