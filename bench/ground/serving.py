"""Servers that a run starts, waits for and stops again."""

import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psutil

from app.embedded import Embedded, attach
from app.embedded.removal import remove

_START_S = 60.0
_STOP_S = 25.0  # the service gives requests under way 20


class ServingError(Exception):
    """A server does not serve; the text says which, and where it says why."""


@dataclass(frozen=True, slots=True)
class Private:
    """PostgreSQL and Valkey of a run's own. folder: for its files, gone at the end; data_dir: the servers'."""

    folder: Path
    data_dir: Path
    embedded: Embedded

    @property
    def database_url(self) -> str:
        return self.embedded.database_url

    def redis_url(self, number: int = 0) -> str:
        """The address of one of Valkey's databases."""
        return f"{self.embedded.redis_url.partition('?')[0]}?db={number}"


@contextmanager
def private_servers(name: str, kept: Path | None = None) -> Iterator[Private]:
    """kept: a data directory that stays with its databases, for another run; else all is removed at the end."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f"rovitracker-{name}-")))
        data_dir = (kept or folder / "data").absolute()  # those who are given it work elsewhere
        if kept is None:
            stack.callback(remove, data_dir)
        yield Private(folder, data_dir, stack.enter_context(attach(data_dir)))


@contextmanager
def serving(
    command: Sequence[str], *, url: str, log: Path, folder: Path, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A server in a session of its own, so that Ctrl-C reaches it through us, after the load has stopped.

    url: answers 200 when it is ready.
    """
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=stream, stderr=stream, start_new_session=True
        )
    try:
        _wait_until_ready(process, url, log)
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=_STOP_S)
    except subprocess.TimeoutExpired:
        for descendant in psutil.Process(process.pid).children(recursive=True):
            descendant.kill()
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx2.get(url, timeout=2).status_code == httpx2.codes.OK:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise ServingError(f"{url} does not become ready, see {log}")
