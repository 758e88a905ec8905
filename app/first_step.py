"""The first step of a request runs in the turn of the loop that read it; most answers need no other, and no task."""

import asyncio
from collections.abc import Coroutine, Generator
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


@coroutine
def _go_on(running: Running, first: Any) -> Generator[Any, None, None]:
    """Wait for what its first step came to, and run the rest."""
    try:
        yield first
    except BaseException as error:  # noqa: BLE001  # the task was cancelled, which is the running code's matter
        try:
            first = running.throw(error)
        except StopIteration:
            return
        yield from _go_on(running, first)
        return
    yield from running


async def in_task() -> None:
    """Go on in a task: `asyncio.timeout` and what is built on it find no current one in the first step of a request."""
    if asyncio.current_task() is None:
        await asyncio.sleep(0)
