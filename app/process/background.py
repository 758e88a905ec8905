"""Work that follows an answer: owned, at most one at a time for a key, finished before the process ends."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextlib import suppress
from typing import Any

import structlog

from app.ending import end
from app.storage.errors import PassingError

Work = Callable[[], Awaitable[object]]

_log = structlog.get_logger()


class Background:
    """Work that is asked for again while it runs is run once more afterwards, and sees what it missed."""

    def __init__(self, *, most: int = 1000, patience_s: float = 10.0) -> None:
        """patience_s: how long a process that ends waits for its work."""
        self._most, self._patience_s = most, patience_s
        self._tasks: dict[Hashable, asyncio.Task[None]] = {}
        self._again: dict[Hashable, Work] = {}
        self._collected: dict[str, set[Any]] = {}
        self._hurry = asyncio.Event()
        self.failed = asyncio.Event()  # set when work failed or was left out, for whoever makes up for it

    def start(self, key: Hashable, work: Work) -> bool:
        """Start the work in a task of its own, or leave it out: False when too much is under way."""
        if key in self._tasks:
            self._again[key] = work
        elif len(self._tasks) < self._most:
            self._tasks[key] = asyncio.create_task(self._run(key, work))
        else:
            self.failed.set()
            _log.warning("background work skipped", kind=str(key), waiting=len(self._tasks))
        return key in self._tasks

    def collect(
        self, name: str, item: Hashable, work: Callable[[Sequence[Any]], Awaitable[object]], *, pause_s: float
    ) -> None:
        """Work on the items of a name together a moment later, on each once however often it was added meanwhile."""
        if name in self._collected:
            self._collected[name].add(item)
            return

        async def work_on_all() -> None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), pause_s)
            await work(tuple(self._collected.pop(name)))

        if self.start(name, work_on_all):
            self._collected[name] = {item}

    async def settle(self) -> None:
        """Wait for what has been started, pauses cut short, and give up what takes longer than the patience."""
        self._hurry.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks.values(), timeout=self._patience_s)
            await end(*late)
        self._hurry.clear()

    async def _run(self, key: Hashable, work: Work) -> None:
        try:
            await self._attempt(key, work)
            while again := self._again.pop(key, None):
                await self._attempt(key, again)
        finally:
            self._tasks.pop(key, None)
            self._again.pop(key, None)

    async def _attempt(self, key: Hashable, work: Work) -> None:
        try:
            await work()
        except PassingError as passing:
            self.failed.set()
            _log.warning("background work failed for now", kind=str(key), detail=str(passing))
        except Exception:  # noqa: BLE001  # nobody awaits this task: its fault is logged here or nowhere
            self.failed.set()
            _log.exception("background work failed", kind=str(key))
