"""The private Valkey: its settings, and whether it answers."""

import hashlib
import signal
import socket
from pathlib import Path

from app.embedded.folders import Record
from app.embedded.processes import Program
from app.embedded.software import Software

_PROBE_S = 1.0

# It holds codes and markers for minutes, and a deletion lost with a crash is arbitrated by PostgreSQL; so
# `everysec` would be safe. `always` keeps the plainer promise, that what was acknowledged is still there, for
# 0.2 ms a command; commands that arrive together share one sync (measured: 50,000 a second in pipelines of 16).
_SETTINGS = """\
port 0
unixsocketperm 700
appendonly yes
appendfsync always
save ""
maxmemory 256mb
maxmemory-policy noeviction
loglevel notice
"""


def valkey_program(software: Software, home: Path, run: Path, record: Record, log: Path) -> Program:
    folder = home / "valkey"
    path = socket_path(run)
    return Program(
        name="Valkey",
        command=(f"{software.valkey_server}", "-"),
        account=record.account,
        folder=folder,
        socket=path,
        pid_file=folder / "valkey.pid",
        answers=lambda: answers(path, record.valkey_password),
        stop_signal=signal.SIGTERM,  # SHUTDOWN: the append-only file is synced first
        log=log,
        stdin=_configuration(folder, path, record).encode(),
    )


def socket_path(run: Path) -> Path:
    return run / "valkey.sock"


def answers(path: Path, password: str) -> bool:
    """Sign in and ping: false also while it still reads its append-only file."""
    with socket.socket(socket.AF_UNIX) as session:
        session.settimeout(_PROBE_S)
        try:
            session.connect(f"{path}")
            session.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            with session.makefile("rb") as replies:
                return (replies.readline(), replies.readline()) == (b"+OK\r\n", b"+PONG\r\n")
        except OSError:
            return False


def _configuration(folder: Path, path: Path, record: Record) -> str:
    digest = hashlib.sha256(record.valkey_password.encode()).hexdigest()
    places = {"dir": folder, "unixsocket": path, "pidfile": folder / "valkey.pid"}
    lines = [f"{name} {_quoted(place)}" for name, place in places.items()]
    return "\n".join([*lines, f"user default on #{digest} ~* &* +@all", _SETTINGS])


def _quoted(path: Path) -> str:
    escaped = f"{path}".replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
