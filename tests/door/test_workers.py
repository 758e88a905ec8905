"""Workers come and go, their supervisor may be killed, and no request is lost by it."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from app.door.bounds import Bounds
from app.door.server import Config
from tests.door.closed_loop import ClosedLoop
from tests.door.service import command_of, serving
from tests.support.raw import get
from tests.support.server import ROOT

READY = get(b"/health/ready")


async def test_a_rolling_restart_replaces_all_workers_and_loses_no_request(
    environment: dict[str, str], log: Path
) -> None:
    """R-102: also when the workers hear the signal themselves, as they do from a terminal that goes away."""
    async with serving(log, workers=2, **environment) as service:
        before = service.workers()
        load = ClosedLoop(service.port, clients=20)
        service.tell(signal.SIGHUP, all_of_it=True)
        await service.without(before)
        fates = await load.stop()
        assert len(service.workers()) == 2
        service.tell(signal.SIGTERM)
        assert await service.gone() == 0
    assert (fates.lost, fates.refused) == ([], 0)
    assert fates.last_answers > 0


async def test_sigterm_in_a_rolling_restart_ends_everything(environment: dict[str, str], log: Path) -> None:
    """R-102: in the middle of it there is a worker more than there should be."""
    async with serving(log, workers=2, **environment) as service:
        load = ClosedLoop(service.port, clients=20)
        service.tell(signal.SIGHUP)
        await service.started(3)
        service.tell(signal.SIGTERM)
        fates = await load.refused()
        assert await service.gone() == 0
    assert (fates.lost, fates.refused) == ([], 20)


async def test_workers_of_a_killed_supervisor_answer_what_they_took_and_free_the_port(
    environment: dict[str, str], log: Path
) -> None:
    """R-102, R-103: a successor does not wait for the delay, which only a load balancer would notice."""
    async with serving(log, workers=2, **environment, ROVITRACKER_SHUTDOWN_DELAY="1m") as service:
        load = ClosedLoop(service.port, clients=20)
        await asyncio.sleep(0.5)
        service.tell(signal.SIGKILL)
        fates = await load.refused()
        assert await service.gone(within_s=5) == -signal.SIGKILL
    assert (fates.lost, fates.refused) == ([], 20)


async def test_a_worker_that_is_told_alone_is_replaced_and_loses_no_request(
    environment: dict[str, str], log: Path
) -> None:
    """R-102, R-103: it stays ready, because the service is."""
    async with serving(log, workers=2, **environment) as service:
        load = ClosedLoop(service.port, clients=20)
        told = service.workers()[0]
        os.kill(told, signal.SIGTERM)
        client = await service.connect()
        while told in service.workers():
            answer = await client.ask(READY)
            assert answer.status == 200
            if answer.headers.get("connection") == "close":
                client = await service.connect()
            await asyncio.sleep(0.05)
        await service.started(3)
        fates = await load.stop()
        assert len(service.workers()) == 2
    assert (fates.lost, fates.refused) == ([], 0)


async def test_sighup_ends_a_single_process_as_sigterm_does(environment: dict[str, str], log: Path) -> None:
    async with serving(log, workers=1, **environment) as service:
        load = ClosedLoop(service.port, clients=20)
        await asyncio.sleep(0.3)
        service.tell(signal.SIGHUP)
        fates = await load.refused()
        assert await service.gone() == 0
    assert (fates.lost, fates.refused) == ([], 20)


def test_workers_that_take_long_to_start_are_not_taken_for_hung() -> None:
    """R-103: on a busy machine, each that is killed would make the others slower."""
    with server("serve(config('tests.door.service:slow_app', 2), bound())") as process:
        starting = two_workers_of(process)
        time.sleep(9)
        assert two_workers_of(process) == starting
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_a_worker_that_hangs_does_not_hold_up_the_end() -> None:
    """R-102: it is killed when its time is up."""
    with server(
        "from app.door import workers; workers.GRACE_S = 1; workers._CLOSE_S = 1;"
        "serve(config('tests.door.service:plain_app', 2), bound())"
    ) as process:
        hung, _ = two_workers_of(process)
        os.kill(hung, signal.SIGSTOP)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert not psutil.pid_exists(hung)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_service_that_cannot_start_ends_with_an_error(workers: int) -> None:
    done = run_server(f"serve(config('app.nowhere:app', {workers}), bound())")
    assert done.returncode == 3
    assert "app.nowhere" in done.stderr


@pytest.mark.parametrize("workers", [1, 2])
def test_a_port_that_is_taken_between_binding_and_listening_ends_it(workers: int) -> None:
    """Two that are started at once may both bind, but only one listens."""
    done = run_server(
        "mine = bound(); winner = socket.socket(); winner.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1);"
        "winner.bind(mine.getsockname()); winner.listen();"
        f"serve(config('tests.door.service:plain_app', {workers}), mine)"
    )
    assert done.returncode == 3
    assert "Cannot listen" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_follows_the_announcement_at_once_ends_it(told: signal.Signals, workers: int) -> None:
    """R-102: it came as a KeyboardInterrupt while the loop began, which lost some of them."""
    done = run_server(
        "import os; mine = bound(); mine.listen();"
        f"serve(config('tests.door.service:plain_app', {workers}), mine, lambda: os.kill(os.getpid(), {told:d}))"
    )
    assert (done.returncode, done.stderr) == (0, "")


def run_server(statements: str) -> subprocess.CompletedProcess[str]:
    with server(statements) as process:
        printed, said = process.communicate(timeout=60)
    return subprocess.CompletedProcess(process.args, process.returncode, printed, said)


@contextmanager
def server(statements: str) -> Iterator[subprocess.Popen[str]]:
    """A server without the service; whatever is left at the end is killed."""
    program = (
        "import socket; from app.door.workers import serve\n"
        "from tests.door.test_workers import bound, config\n" + statements
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    with process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def two_workers_of(process: subprocess.Popen[str]) -> list[int]:
    """The two workers' ids, as soon as both are there."""
    ends_at = time.monotonic() + 30
    while time.monotonic() < ends_at:
        children = psutil.Process(process.pid).children()
        found = sorted(each.pid for each in children if "spawn_main" in command_of(each))
        if len(found) == 2:
            return found
        time.sleep(0.05)
    raise AssertionError("there are no two workers")


def config(factory: str, workers: int) -> Config:
    return Config(factory, factory=True, workers=workers, bounds=Bounds())


def bound() -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    return listener
