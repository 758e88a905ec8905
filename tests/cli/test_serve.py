"""`rovitracker serve`: several workers behind one port, and every start that is refused."""

import json
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import psutil
import pytest

from tests.cli.conftest import Rovitracker, own_stores
from tests.support.server import free_port

WORKERS = 3


@contextmanager
def serving(rovitracker: Rovitracker, port: int, **settings: str) -> Iterator[subprocess.Popen[str]]:
    arguments = ("serve", "--port", str(port), "--workers", str(WORKERS), "--json")
    with rovitracker.start(*arguments, **settings) as process:
        try:
            with client_of(port) as client:
                assert client.get("/health/ready").json()["status"] == "ok"
            yield process
        finally:
            process.terminate()


def client_of(port: int) -> httpx2.Client:
    transport = httpx2.HTTPTransport(retries=20)  # connecting again, with growing pauses
    return httpx2.Client(base_url=f"http://127.0.0.1:{port}", transport=transport, timeout=30)


def workers_of(process: subprocess.Popen[str]) -> set[int]:
    """Descendants that run the service; the others only watch over them."""
    children = psutil.Process(process.pid).children(recursive=True)
    return {child.pid for child in children if "spawn_main" in command_of(child)}


def command_of(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:  # it ended just now
        return ""


def test_several_workers_serve_one_port_and_end_together(rovitracker: Rovitracker) -> None:
    port = free_port()
    with serving(rovitracker, port) as process:
        workers = workers_of(process)
        assert len(workers) == WORKERS
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=30)
    assert json.loads(printed) == {"url": f"http://localhost:{port}"}
    assert not [pid for pid in workers if psutil.pid_exists(pid)]
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"http://127.0.0.1:{port}/version")


def test_a_killed_worker_is_replaced_while_the_others_serve(rovitracker: Rovitracker) -> None:
    port = free_port()
    with serving(rovitracker, port) as process:
        killed = min(workers_of(process))
        psutil.Process(killed).kill()
        with client_of(port) as client:
            while len(workers_of(process) - {killed}) < WORKERS:
                assert client.get("/health/ready").status_code == 200
        assert process.poll() is None


def test_a_taken_port_is_named_with_the_flag_that_chooses_another(rovitracker: Rovitracker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = rovitracker.refuse("serve", "--port", str(port))
    assert f"127.0.0.1:{port}" in said
    assert "--port" in said
    assert len(said.splitlines()) == 1


def test_a_postgresql_that_is_not_there_ends_the_start_at_once(rovitracker: Rovitracker) -> None:
    """Nobody listens at a wrong address, however long a start waits for a slow one."""
    nobody = f"postgresql://rovitracker:x@127.0.0.1:{free_port()}/rovitracker"
    stores = {**own_stores(rovitracker, "nowhere"), "ROVITRACKER_DATABASE_URL": nobody}
    began = time.monotonic()
    said = rovitracker.refuse("serve", "--port", str(free_port()), **stores)
    assert time.monotonic() - began < 20
    assert "cannot be used" in said
    assert len(said.splitlines()) == 1


def test_a_schema_behind_is_answered_with_the_command_that_brings_it_up(rovitracker: Rovitracker) -> None:
    """CONTRACT: somebody else's database is never migrated by starting the service."""
    stores = own_stores(rovitracker, "behind")
    said = rovitracker.refuse("serve", "--port", str(free_port()), **stores)
    assert "`rovitracker migrate up`" in said
    pending = json.loads(rovitracker.run("migrate", "status", **stores).stdout)
    assert {each["status"] for each in pending} == {"pending"}
    # Brought up, it starts under the role that owns nothing, and is refused with the owner's rights.
    assert rovitracker.run("migrate", "up", **stores).returncode == 0
    with serving(rovitracker, free_port(), **stores):
        pass
    as_owner = {
        "ROVITRACKER_MIGRATION_DATABASE_URL": f"{stores['ROVITRACKER_DATABASE_URL']}&application_name=x"
    }
    said = rovitracker.refuse("serve", "--port", str(free_port()), **stores, **as_owner)
    assert "owns tables" in said
    assert "rovitracker_service" in said


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "ROVITRACKER_SECRET_KEYS is missing"),
        ({"ROVITRACKER_SECRET_KEYS": "changeme"}, "weak key"),
        ({"ROVITRACKER_SECRET_KEYS": "0123456789abcdef" * 4}, "weak key"),
    ],
    ids=["missing", "weak", "an example's"],
)
def test_production_starts_nothing_without_a_key_of_its_own(
    settings: dict[str, str], told: str, rovitracker: Rovitracker
) -> None:
    """R-113: refused before a port or a store is touched."""
    production = {
        "ROVITRACKER_ENVIRONMENT": "production",
        "ROVITRACKER_PUBLIC_URL": "https://auth.example.com",
    }
    said = rovitracker.refuse("serve", "--port", str(free_port()), **production, **settings)
    assert told in said
    assert len(said.splitlines()) == 1


def test_the_demo_is_for_development_only(rovitracker: Rovitracker) -> None:
    production = {
        "ROVITRACKER_ENVIRONMENT": "production",
        "ROVITRACKER_PUBLIC_URL": "https://auth.example.com",
        "ROVITRACKER_SECRET_KEYS": secrets.token_hex(32),
    }
    assert "`rovitracker serve` is for production" in rovitracker.refuse("demo", **production)
