"""Callers that wait for the same thing, served together: one batch in flight, and what waits meanwhile is the next."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")


class Batch(Generic[Item]):
    """Nothing is bounded, nothing is repeated, nobody may be cancelled: this is the limit, not a service."""

    def __init__(self, run: Callable[[list[Item]], Awaitable[Sequence[Any]]]) -> None:
        self._run = run
        self._items: list[Item] = []
        self._futures: list[asyncio.Future[Any]] = []
        self._task: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()

    def __call__(self, item: Item) -> asyncio.Future[Any]:
        future = self._loop.create_future()
        self._items.append(item)
        self._futures.append(future)
        if self._task is None:
            self._task = self._loop.create_task(self._work())
        return future

    async def _work(self) -> None:
        while items := self._items:
            futures, self._items, self._futures = self._futures, [], []
            try:
                answers = await self._run(items)
            except Exception as error:  # noqa: BLE001  # everybody who waits must hear of it
                for future in futures:
                    future.set_exception(error)
            else:
                for future, answer in zip(futures, answers, strict=True):
                    future.set_result(answer)
        self._task = None
