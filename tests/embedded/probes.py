"""The private servers as these tests see them from outside: processes, files, answers."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import asyncpg
import psutil
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from app.embedded import Embedded
from app.embedded.accounts import Account
from app.embedded.folders import Folders, Record

T = TypeVar("T")

ATTACH = "import sys, time; from pathlib import Path; from app.embedded import attach; held = attach(Path(sys.argv[1]))"
ATTACH_AND_WAIT = f"{ATTACH}; print(held.database_url, flush=True); time.sleep(600)"


def home_of(data_dir: Path) -> Path:
    folders = Folders(data_dir)
    record = Record.load(folders)
    assert record is not None
    return record.home(folders)


def keepers(data_dir: Path) -> list[int]:
    running = psutil.process_iter(["cmdline"])
    return [p.pid for p in running if {"app.embedded", f"{data_dir}"} <= set(p.info["cmdline"] or ())]


def server_pids(data_dir: Path) -> list[int]:
    home = f"{home_of(data_dir)}"
    return [p.pid for p in psutil.process_iter(["cwd"]) if (p.info["cwd"] or "").startswith(home)]


def servers_of_keepers(data_dir: Path) -> set[str]:
    """Names of the servers that a living keeper runs, not those a dead one left."""
    names: set[str] = set()
    for keeper in keepers(data_dir):
        with suppress(psutil.NoSuchProcess):
            names |= {child.name() for child in psutil.Process(keeper).children()}
    return names & {"postgres", "valkey-server"}


def pid_in(path: Path) -> int:
    return int(path.read_text().split()[0])


def postmaster(data_dir: Path) -> int:
    return pid_in(home_of(data_dir) / "postgres/postmaster.pid")


def valkey_server(data_dir: Path) -> int:
    return pid_in(home_of(data_dir) / "valkey/valkey.pid")


def kill_postgresql(data_dir: Path) -> None:
    _kill_server(lambda: postmaster(data_dir))


def kill_valkey(data_dir: Path) -> None:
    _kill_server(lambda: valkey_server(data_dir))


def _kill_server(server: Callable[[], int]) -> None:
    """Back once another runs in its place: until then what the killed one left behind may still answer."""
    killed = server()
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: is_another(server, killed), within_s=30)


def is_another(server: Callable[[], int], killed: int) -> bool:
    try:
        return server() != killed
    except (FileNotFoundError, IndexError):  # between the two: no file, or one that is being written
        return False


def wait_until(fact: Callable[[], bool], within_s: float = 10) -> None:
    deadline = time.monotonic() + within_s
    while not fact():
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.01)


def wait_until_all_stopped(data_dir: Path) -> None:
    wait_until(lambda: not keepers(data_dir) and not server_pids(data_dir))


async def once_back(attempt: Callable[[], Awaitable[T]], within_s: float = 5) -> T:
    """The attempt's result, once the server takes connections again."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            return await attempt()
        except (OSError, asyncpg.PostgresError, RedisError):
            assert time.monotonic() < deadline, "the server did not come back in time"
            await asyncio.sleep(0.02)


async def query(servers: Embedded, statement: str) -> object:
    return await query_at(servers.database_url, statement)


async def query_at(database_url: str, statement: str) -> object:
    connection = await asyncpg.connect(database_url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def valkey(servers: Embedded) -> Redis:
    return Redis.from_url(servers.redis_url, retry=Retry(NoBackoff(), 0), decode_responses=True)


def python(
    code: str,
    *arguments: object,
    interpreter: str = sys.executable,
    account: Account | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[str]:
    """Run code in another process, on request as another user and with an environment of its own."""
    return subprocess.Popen(
        [interpreter, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def output_of(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    return output


def first_line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


@contextmanager
def holder(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the servers, killed at the end."""
    process = python(ATTACH_AND_WAIT, data_dir)
    try:
        assert first_line_of(process).startswith("postgresql://")
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def marks(path: Path) -> tuple[int, int, int]:
    """Mode and owners: what must not change on anything of others."""
    found = path.stat()
    return found.st_mode, found.st_uid, found.st_gid


AS_ROOT = os.geteuid() == 0
