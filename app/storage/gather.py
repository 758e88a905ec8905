"""Group commit: callers that wait for the same statement are sent together while the batch before them is in flight."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from app.storage.errors import StatementRefusedError, StoreUnavailableError

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Gather(Generic[Item, Answer]):
    """One batch in flight at a time and no timer: a lone caller waits for nobody, a crowd shares one commit.

    run: sends a batch and gives one answer an item, in order. It must be repeatable with the same items, since a
         batch whose outcome is unknown is sent once more on another connection.
    """

    def __init__(
        self, run: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]], *, queue: int, batch: int = 256
    ) -> None:
        self._run = run
        self._queue = queue
        self._batch = batch
        self._waiting: deque[tuple[Item, asyncio.Future[Answer]]] = deque()
        self._worker: asyncio.Task[None] | None = None

    async def __call__(self, item: Item) -> Answer:
        if len(self._waiting) >= self._queue:
            raise StoreUnavailableError("too many requests wait for PostgreSQL")
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return await future

    async def close(self) -> None:
        if self._worker is not None:
            await asyncio.wait([self._worker])

    async def _work(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(self._batch, len(self._waiting)))]
            # A caller that went away while it queued must not have its statement run.
            await self._send([(item, future) for item, future in batch if not future.done()])

    async def _send(self, batch: list[tuple[Item, asyncio.Future[Answer]]]) -> None:
        if not batch:
            return
        try:
            answers = await self._run_twice([item for item, _ in batch])
        except StatementRefusedError as refused:
            if len(batch) == 1:
                _refuse(batch, refused)
            else:  # a poisoned row fails alone
                for member in batch:
                    await self._send([member])
        except Exception as error:  # noqa: BLE001  # whatever it is, it belongs to the callers that wait, not to this task
            _refuse(batch, error)
        else:
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)

    async def _run_twice(self, items: list[Item]) -> Sequence[Answer]:
        try:
            return await self._run(items)
        except StoreUnavailableError:
            return await self._run(items)


def _refuse(batch: list[tuple[Item, asyncio.Future[Answer]]], error: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
