"""The first step of a request runs without a task, after all that the loop read in the same turn.

Most answers need no other step. Those of a turn are made one after another, which takes less of the processor.
"""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextvars import copy_context
from types import coroutine
from typing import Any

Running = Coroutine[Any, Any, None]


def begin(running: Running, loop: asyncio.AbstractEventLoop) -> asyncio.Task[None] | None:
    """Run it until it first waits, in a context of its own. The task of what is left; None when it has ended.

    Until it first waits there is no current task: what cannot do without one calls `in_task` before.
    """
    context = copy_context()
    try:
        first = context.run(running.send, None)
    except StopIteration:
        return None
    return loop.create_task(running if first is None else _go_on(running, first), context=context)


class Turn:
    """Work for the next turn of the loop, which calls all of it at once."""

    def __init__(self) -> None:
        # No request's own: whoever asks first may serve one, which is not that of the others.
        self._context = copy_context()
        self._waiting: list[Callable[[], object]] = []

    def soon(self, work: Callable[[], object]) -> None:
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._run, context=self._context)
        self._waiting.append(work)

    def _run(self) -> None:
        waiting, self._waiting = self._waiting, []
        for work in waiting:
            try:
                work()
            except Exception as error:  # noqa: BLE001  # the work of others goes on
                trouble = {"message": "work of a turn failed", "exception": error}
                asyncio.get_running_loop().call_exception_handler(trouble)


async def _go_on(running: Running, first: Any) -> None:
    """Run the rest in a coroutine of its own: a task takes no generator from Python 3.12 on."""
    await _rest(running, first)


@coroutine
def _rest(running: Running, first: Any) -> Generator[Any, None, None]:
    """Wait for what its first step came to, and run the rest."""
    try:
        yield first
    except BaseException as error:  # noqa: BLE001  # the task was cancelled, which is the running code's matter
        try:
            first = running.throw(error)
        except StopIteration:
            return
        yield from _rest(running, first)
        return
    yield from running


async def in_task() -> None:
    """Go on in a task, which `asyncio.timeout` asks for and the first step of a request has not."""
    if asyncio.current_task() is None:
        await asyncio.sleep(0)
