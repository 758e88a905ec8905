"""Work that follows an answer: never lost while somebody asks for it, never left behind."""

import asyncio
from collections.abc import Sequence

from structlog.testing import capture_logs

from app.process.background import Background


async def test_work_asked_for_while_it_runs_is_done_once_more() -> None:
    background = Background()
    runs, goes_on = 0, asyncio.Event()

    async def work() -> None:
        nonlocal runs
        runs += 1
        await goes_on.wait()

    for _ in range(5):
        background.start("key", work)
        await asyncio.sleep(0)
    goes_on.set()
    await background.settle()
    assert runs == 2


async def test_work_that_fails_is_logged_and_does_not_take_the_next_with_it() -> None:
    background = Background()
    done = asyncio.Event()

    async def fail() -> None:
        await asyncio.sleep(0.001)
        raise ValueError("a bug")

    async def succeed() -> None:
        done.set()

    with capture_logs() as logs:
        background.start("key", fail)
        await asyncio.sleep(0)
        background.start("key", succeed)
        await background.settle()
    assert done.is_set()
    assert background.failed.is_set()  # so that upkeep finds again what was left
    assert [line["event"] for line in logs if "key" in line.get("kind", "")] == ["background work failed"]


async def test_more_than_the_most_is_skipped_and_said() -> None:
    background = Background(most=2)
    with capture_logs() as logs:
        for key in range(3):
            background.start(key, lambda: asyncio.sleep(0.001))
        await background.settle()
    assert background.failed.is_set()
    assert [line["waiting"] for line in logs if line["event"] == "background work skipped"] == [2]


async def test_work_that_does_not_end_is_given_up() -> None:
    background = Background(patience_s=0.01)
    given_up = asyncio.Event()

    async def hang() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            given_up.set()

    background.start("key", hang)
    await background.settle()
    assert given_up.is_set()


async def test_collected_items_are_worked_on_together_each_once() -> None:
    background = Background()
    worked: list[list[int]] = []

    async def work(items: Sequence[int]) -> None:
        worked.append(sorted(items))

    for item in (1, 2, 2, 3, 1):
        background.collect("name", item, work, pause_s=0.01)
    await asyncio.sleep(0.05)
    background.collect("name", 4, work, pause_s=60)
    await background.settle()  # does not wait for a pause
    assert worked == [[1, 2, 3], [4]]


async def test_what_is_collected_while_the_work_goes_on_is_worked_on_after_it() -> None:
    background = Background()
    worked: list[tuple[int, ...]] = []

    async def work(items: Sequence[int]) -> None:
        worked.append(tuple(items))
        if len(worked) == 1:
            background.collect("name", 2, work, pause_s=0)
            await asyncio.sleep(0.01)

    background.collect("name", 1, work, pause_s=0)
    await asyncio.sleep(0.05)
    await background.settle()
    assert worked == [(1,), (2,)]
