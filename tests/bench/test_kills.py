"""In the middle of a run the service and PostgreSQL are killed: every token that was answered stands."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from app.embedded import Embedded, attach
from app.embedded.removal import remove
from bench.ground.applications import register_applications
from bench.ground.codes import CODE_LIFE_S, Stores, pack_for_service, write_exchanges
from bench.ground.service import Service
from bench.ground.serving import free_port, serving
from bench.load.check import check_exchanges
from bench.load.generator import Outcome, generate, load_of
from bench.load.machine import find_stores
from bench.load.records import pack_answer, read_requests

CODES = 6000


@pytest.fixture
def service(tmp_path: Path) -> Iterator[tuple[Service, Embedded]]:
    service = Service(tmp_path, free_port(), {"CODE_LIFETIME": f"{CODE_LIFE_S}s"})
    with attach(service.data_dir) as embedded:
        yield service, embedded
    remove(service.data_dir)


@pytest.mark.timeout(180)
async def test_every_answered_token_outlives_kill_9_of_a_worker_and_of_postgresql(
    service: tuple[Service, Embedded], tmp_path: Path
) -> None:
    """R-97, R-103: durability is never traded for speed; the rest was told 503 or lost its connection."""
    served, embedded = service
    stores = Stores(embedded.database_url, embedded.redis_url, pack_for_service, has_customers=True)
    registered = await asyncio.to_thread(register_applications, served, stores, 2)
    requests, answers = tmp_path / "requests", tmp_path / "answers"
    await asyncio.to_thread(write_exchanges, stores, registered.applications, requests, CODES)
    command = [*served.command, "serve", "--workers", "2"]
    ready = f"{served.url}/health/ready"
    with serving(
        command, url=ready, log=tmp_path / "log", folder=tmp_path, environment=served.environment
    ) as process:
        loading = asyncio.create_task(asyncio.to_thread(load, served.url, requests, answers))
        await asyncio.to_thread(wait_until_answered, answers)
        workers = await asyncio.to_thread(workers_of, process.pid)
        os.kill(workers[0], signal.SIGKILL)
        await asyncio.sleep(0.5)
        os.kill((await asyncio.to_thread(find_stores, embedded)).postgres, signal.SIGKILL)
        outcome = await loading
        await until_accepting(embedded.database_url)
        assert set(outcome.statuses) <= {"200", "503"}
        assert outcome.statuses["200"] > 100
        checked = await asyncio.to_thread(check_exchanges, embedded.database_url, requests, answers)
        assert checked == outcome.statuses["200"]


async def until_accepting(database_url: str) -> None:
    """PostgreSQL replays its log for as long as the machine makes it wait."""
    deadline = time.monotonic() + 60
    while True:
        try:
            connection = await asyncpg.connect(database_url)
        except (OSError, asyncpg.CannotConnectNowError):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)
        else:
            await connection.close()
            return


def load(url: str, requests: Path, answers: Path) -> Outcome:
    """Each code once; of the answers those that gave a token are written down as they come."""
    with answers.open("wb", buffering=0) as file:

        def keep(position: int, status: int, body: bytes) -> None:
            if status == 200:
                file.write(pack_answer(position, status, body))

        return generate(load_of(url, read_requests(requests), once=True), keep)


def wait_until_answered(answers: Path) -> None:
    deadline = time.monotonic() + 30
    while not answers.exists() or answers.stat().st_size < 10_000:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def workers_of(supervisor: int) -> list[int]:
    """The processes that serve: those with memory of their own, which the resource tracker is not."""
    children = psutil.Process(supervisor).children(recursive=True)
    return [each.pid for each in children if "resource_tracker" not in " ".join(each.cmdline())]
