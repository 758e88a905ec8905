"""A service that runs out of descriptors turns connections away, keeps its stores, and recovers."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import httpx2
import psutil
import pytest

from app.door.descriptors import RESERVE, most_connections
from app.settings import Settings
from bench.ground.serving import serving
from tests.support.server import ROOT, free_port, settings_on

LIMIT = 256
ATTEMPTED = 600
ADDRESSES = [f"127.0.0.{number}" for number in range(2, 7)]  # as one may take three quarters only

_TELL = """
import json, resource, sys
from app.door.descriptors import raise_limit
raise_limit()
print(json.dumps(resource.getrlimit(resource.RLIMIT_NOFILE)))
"""


def limited(soft: int, hard: int, *command: str) -> list[str]:
    """A command as a shell of that limit starts it."""
    return ["sh", "-c", f'ulimit -Sn {soft} && ulimit -Hn {hard} && exec "$@"', "sh", *command]


def test_the_soft_limit_is_raised_to_the_hard_one() -> None:
    command = limited(200, 300, sys.executable, "-c", _TELL)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[300, 300]"


@pytest.mark.parametrize(("limit", "fit"), [(1024, 936), (RESERVE + 24, 0), (10, 0)])
def test_the_stores_and_a_reserve_come_before_connections(limit: int, fit: int) -> None:
    assert most_connections(limit, stores=24) == fit


@contextmanager
def short_service(settings: dict[str, str], folder: Path) -> Iterator[tuple[int, psutil.Process]]:
    """`rovitracker serve` in a shell that begins with 128 descriptors and allows 256; port and process."""
    port = free_port()
    command = limited(128, LIMIT, sys.executable, "-m", "app", "serve", "--port", str(port))
    url, environment = f"http://127.0.0.1:{port}/health/ready", {**os.environ, **settings}
    with serving(command, url=url, log=folder / "log", folder=ROOT, environment=environment) as process:
        yield port, psutil.Process(process.pid)


def flood(port: int, stack: ExitStack, addresses: Sequence[str] = ADDRESSES) -> None:
    """Connections that say nothing, as many as the service takes."""
    for number in range(ATTEMPTED):
        source = (addresses[number % len(addresses)], 0)
        with suppress(OSError):
            stack.enter_context(
                socket.create_connection(("127.0.0.1", port), timeout=2, source_address=source)
            )
    time.sleep(0.5)


def until_served(port: int, *, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if httpx2.get(f"http://127.0.0.1:{port}/health/ready", timeout=2).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"not served within {within_s} s")


def test_a_flood_of_connections_beyond_the_limit_neither_kills_nor_lasts(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """R-111: `serve` raises its limit to 256; 600 connections are attempted; who was there before is served."""
    settings = settings_on(database_url, redis_url, tmp_path)
    with short_service(settings, tmp_path) as (port, process), httpx2.Client() as before:
        ready = f"http://127.0.0.1:{port}/health/ready"
        assert before.get(ready).status_code == 200
        idle = process.num_fds()
        with ExitStack() as stack:
            flood(port, stack)
            assert 128 < process.num_fds() <= LIMIT
            used = process.cpu_times().user
            for _ in range(10):
                assert before.get(ready).status_code == 200
                time.sleep(0.1)
            assert process.cpu_times().user - used < 0.5  # it does not spin on what it cannot accept
        until_served(port, within_s=5)
        assert process.num_fds() <= idle + 20
    assert '"level": "error"' not in (tmp_path / "log").read_text()


def test_a_flood_of_connections_leaves_the_stores_theirs(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """R-111: what is first needed while the flood stands can still be opened, such as a connection to PostgreSQL."""
    settings = settings_on(database_url, redis_url, tmp_path)
    defaults = Settings.model_validate({})
    stores = defaults.limit_database_connections + defaults.limit_redis_connections
    with (
        short_service(settings, tmp_path) as (port, process),
        httpx2.Client(base_url=f"http://127.0.0.1:{port}") as before,
    ):
        assert before.get("/health/alive").status_code == 200
        with ExitStack() as stack:
            flood(port, stack)
            assert most_connections(LIMIT, stores=stores) <= process.num_fds() <= LIMIT - stores
            unknown = {"client_id": str(uuid4()), "client_secret": "x", "code": "x"}
            assert before.post("/app/oauth2/token", data=unknown).status_code == 401


def test_one_address_cannot_take_the_connections_of_all(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """R-111: however few files may be open, a new connection from elsewhere is served while the flood stands."""
    settings = settings_on(database_url, redis_url, tmp_path)
    with short_service(settings, tmp_path) as (port, _), ExitStack() as stack:
        flood(port, stack, ADDRESSES[:1])
        for address, status in ((ADDRESSES[1], 200), (ADDRESSES[0], 429)):
            transport = httpx2.HTTPTransport(local_address=address)
            with httpx2.Client(base_url=f"http://127.0.0.1:{port}", transport=transport) as client:
                assert client.get("/health/ready").status_code == status
