"""The first step of a request runs without a task; what is left of it runs in one, as if it always had."""

import asyncio
import inspect
from contextvars import ContextVar

import pytest

from app.first_step import Turn, begin, in_task

_ORIGIN: ContextVar[str] = ContextVar("origin", default="nobody")


async def test_what_never_waits_has_ended_when_it_has_begun() -> None:
    done: list[str] = []

    async def work() -> None:
        done.append("all of it")

    assert begin(work(), asyncio.get_running_loop()) is None
    assert done == ["all of it"]


async def test_the_rest_goes_on_when_that_is_there_which_the_first_step_waits_for() -> None:
    loop = asyncio.get_running_loop()
    first, second = loop.create_future(), loop.create_future()
    heard: list[str] = []

    async def work() -> None:
        heard.append(await first)
        heard.append(await second)

    task = begin(work(), loop)
    assert task is not None
    assert inspect.iscoroutine(task.get_coro())  # Python 3.12 and newer take nothing else
    first.set_result("one")
    await asyncio.sleep(0.01)
    assert heard == ["one"]
    second.set_result("two")
    await task
    assert heard == ["one", "two"]


async def test_a_future_that_fails_raises_where_it_is_awaited() -> None:
    loop = asyncio.get_running_loop()
    awaited = loop.create_future()
    seen: list[str] = []

    async def work() -> None:
        try:
            await awaited
        except ConnectionError as error:
            seen.append(str(error))

    task = begin(work(), loop)
    assert task is not None
    awaited.set_exception(ConnectionError("it is gone"))
    await task
    assert seen == ["it is gone"]


async def test_whoever_is_cancelled_at_its_first_wait_cleans_up_and_ends_cancelled() -> None:
    loop = asyncio.get_running_loop()
    cleaned: list[str] = []

    async def work() -> None:
        try:
            await loop.create_future()
        finally:
            await asyncio.sleep(0)  # a clean-up that waits itself
            cleaned.append("yes")

    task = begin(work(), loop)
    assert task is not None
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cleaned == ["yes"]


async def test_whoever_outlives_a_cancellation_ends_well() -> None:
    loop = asyncio.get_running_loop()

    async def work() -> None:
        try:
            await loop.create_future()
        except asyncio.CancelledError:
            return

    task = begin(work(), loop)
    assert task is not None
    await asyncio.sleep(0)
    task.cancel()
    await task


async def test_both_parts_see_one_context_and_leave_no_trace_in_the_callers() -> None:
    async def work() -> None:
        before = _ORIGIN.set("a request")
        await asyncio.sleep(0.001)
        assert _ORIGIN.get() == "a request"
        _ORIGIN.reset(before)  # raises in any other context than the one it was set in

    task = begin(work(), asyncio.get_running_loop())
    assert _ORIGIN.get() == "nobody"
    assert task is not None
    await task


async def test_time_outs_work_once_there_is_a_task() -> None:
    async def work() -> None:
        assert asyncio.current_task() is None
        await in_task()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await asyncio.sleep(1)

    async def nested() -> None:
        await asyncio.sleep(0)
        await work_as_it_is()

    async def work_as_it_is() -> None:
        before = asyncio.current_task()
        await in_task()
        assert asyncio.current_task() is before

    def from_a_callback(make: asyncio.Future[asyncio.Task[None] | None]) -> None:
        make.set_result(begin(work(), loop))

    loop = asyncio.get_running_loop()
    begun: asyncio.Future[asyncio.Task[None] | None] = loop.create_future()
    loop.call_soon(from_a_callback, begun)
    task = await begun
    assert task is not None
    await task
    await nested()


async def test_the_work_of_a_turn_is_done_together_in_the_next() -> None:
    turn, done = Turn(), list[int]()
    for number in range(3):
        turn.soon(lambda number=number: done.append(number))  # type: ignore[misc]
    assert done == []
    await asyncio.sleep(0)
    assert done == [0, 1, 2]
    turn.soon(lambda: done.append(3))
    await asyncio.sleep(0)
    assert done == [0, 1, 2, 3]


async def test_work_that_fails_holds_up_no_other_and_is_told_of() -> None:
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, trouble: told.append(trouble["exception"]))
    turn, done, error = Turn(), list[str](), ValueError("a bug")

    def fail() -> None:
        raise error

    turn.soon(fail)
    turn.soon(lambda: done.append("the other"))
    await asyncio.sleep(0)
    assert done == ["the other"]
    assert told == [error]


async def test_no_work_sees_what_another_request_is_served_for() -> None:
    turn, seen = Turn(), list[str]()
    before = _ORIGIN.set("a request")
    turn.soon(lambda: seen.append(_ORIGIN.get()))
    _ORIGIN.reset(before)
    await asyncio.sleep(0)
    assert seen == ["nobody"]
