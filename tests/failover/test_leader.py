"""One process of all maintains: whoever leads may be killed or frozen, and another leads within seconds."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest

from app.storage.postgres import changes as changes_module
from app.storage.postgres.changes import Changes
from tests.conftest import make_database
from tests.support.changing import until
from tests.support.server import free_port, listener, running_service, settings_on

KILLED_WITHIN_S = 2.0
LOST_AFTER_S = 0.5


@pytest.fixture
async def own_url(servers: tuple[str, str], worker: int) -> str:
    """A database that no other service of this suite uses, so that none of them leads."""
    return await make_database(servers[0], f"leader_{worker}")


@pytest.fixture
async def second() -> AsyncIterator[Changes]:
    """Another process's, as it were."""
    changes = Changes()
    yield changes
    await changes.close()


async def test_another_process_maintains_once_the_one_that_did_is_killed(
    own_url: str, redis_url: str, tmp_path: Path
) -> None:
    """Two start and one maintains; the other does from the moment when the first is gone."""
    settings = {
        **settings_on(own_url, redis_url, tmp_path),
        "ROVITRACKER_SECRET_KEYS": "0123456789abcdef" * 4,
        "ROVITRACKER_LOG_LEVEL": "info",
    }
    ports = [free_port(), free_port()]
    logs = [tmp_path / f"{port}" for port in ports]

    def maintained() -> list[int]:
        return [log.read_text().count('"maintained"') for log in logs]

    async with AsyncExitStack() as stack:
        for port, log in zip(ports, logs, strict=True):
            await stack.enter_async_context(running_service(port=port, settings=settings, log=log))
        await until(lambda: sum(maintained()) > 0)
        await asyncio.sleep(0.5)  # the other has asked for the lock twice
        assert sorted(maintained()) == [0, 1]
        leader = maintained().index(1)
        os.kill(await asyncio.to_thread(listener, ports[leader]), signal.SIGKILL)
        assert await until(lambda: maintained() == [1, 1]) < KILLED_WITHIN_S


async def test_a_frozen_process_leads_no_longer_than_is_said(
    own_url: str, second: Changes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a machine that is gone without a word: its session stays open, and says nothing."""
    monkeypatch.setattr(changes_module, "LOST_AFTER_S", LOST_AFTER_S)
    with listening_elsewhere(own_url) as (loop, first):
        await until(first.leads.is_set)
        second.listen(own_url)
        await until(lambda: second.current)
        assert not second.leads.is_set()
        loop.call_soon_threadsafe(time.sleep, 3 * LOST_AFTER_S)
        assert await until(second.leads.is_set) < LOST_AFTER_S + 1
        await until(lambda: not first.leads.is_set())
        await until(lambda: first.current)
        assert not first.leads.is_set()


async def test_whoever_stops_leaves_the_lead_at_once(own_url: str, second: Changes) -> None:
    first = Changes()
    first.listen(own_url)
    await until(first.leads.is_set)
    second.listen(own_url)
    await until(lambda: second.current)
    await first.close()
    assert not first.leads.is_set()
    assert await until(second.leads.is_set) < 1


@contextmanager
def listening_elsewhere(url: str) -> Iterator[tuple[asyncio.AbstractEventLoop, Changes]]:
    """Changes in a loop of their own, which can stand still while this one goes on."""
    changes, loop = Changes(), asyncio.new_event_loop()
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(loop.run_forever)
        loop.call_soon_threadsafe(changes.listen, url)
        try:
            yield loop, changes
        finally:
            asyncio.run_coroutine_threadsafe(changes.close(), loop).result(10)
            loop.call_soon_threadsafe(loop.stop)
            running.result(10)
            loop.close()
