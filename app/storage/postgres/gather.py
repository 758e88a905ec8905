"""Group commit: callers that wait for the same statement are sent together while the batch before them is in flight."""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from app.storage.errors import NotSentError, StatementRefusedError, StoreUnavailableError

Item = TypeVar("Item")
Answer = TypeVar("Answer")

_MOST_UNKNOWN = 2  # attempts that may end unknown
_MOST_RACES = 3  # attempts that may lose a race
_LONGEST_PAUSE_S = 0.05


@dataclass(slots=True)
class Waiting:
    """A caller in the queue; since: by the loop's clock."""

    item: Any
    future: asyncio.Future[Any]
    since: float


@dataclass(frozen=True, slots=True)
class Bounds:
    """What may wait for one kind of statement in one process: so many, each for so long."""

    queue: int = 1000
    wait_s: float = 0.5
    batch: int = 128  # of rows at 4 ms each, that is as long as one may wait for it


class Gather(Generic[Item, Answer]):
    """One batch in flight at a time, none delayed: a lone caller waits for nobody, a crowd shares one commit.

    run: sends a batch and gives one answer an item, in order.
    A batch whose outcome is unknown is sent once more, on another connection. What is found standing then is answered once
    it is as durable as a commit.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]],
        bounds: Bounds,
        wait_for_commits: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._run = run
        self._wait_for_commits = wait_for_commits
        self._bounds = bounds
        self._waiting: deque[Waiting] = deque()
        self._alone = 0  # so many at the head of the queue are sent one by one
        self._worker: asyncio.Task[None] | None = None
        self._watch: asyncio.TimerHandle | None = None

    async def ask(self, item: Item) -> Answer:
        """The item's own answer. Raises NotSentError when too many wait, or this one waits too long."""
        if len(self._waiting) >= self._bounds.queue:
            raise NotSentError("too many requests wait for PostgreSQL")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append(Waiting(item, future, loop.time()))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        elif self._watch is None:
            # Behind a batch in flight: how long that takes must not be how long this waits.
            self._watch = loop.call_later(self._bounds.wait_s, self._shed)
        return await future

    async def close(self) -> None:
        if self._worker is not None:
            await asyncio.wait([self._worker])

    async def _work(self) -> None:
        while self._waiting:
            size = min(1 if self._alone else self._bounds.batch, len(self._waiting))
            batch = [self._waiting.popleft() for _ in range(size)]
            self._alone -= min(self._alone, size)
            # A caller that went away while it queued must not have its statement run.
            if present := [each for each in batch if not each.future.done()]:
                await self._send(present)

    def _shed(self) -> None:
        """Turn away who has waited too long: what cannot be served in time would make all that follow late too."""
        loop = asyncio.get_running_loop()
        now, self._watch = loop.time(), None
        while self._waiting and self._waiting[0].since + self._bounds.wait_s <= now:
            _fail([self._waiting.popleft()], NotSentError("waited too long for PostgreSQL"))
            self._alone -= min(self._alone, 1)
        if self._waiting:
            self._watch = loop.call_at(self._waiting[0].since + self._bounds.wait_s, self._shed)

    async def _send(self, batch: list[Waiting]) -> None:
        try:
            answers = await self._outcome([each.item for each in batch])
            answered = list(zip(batch, answers, strict=True))
        except StatementRefusedError as refused:
            if len(batch) == 1:
                _fail(batch, refused)
            else:  # back to the head of the queue, where a poisoned row fails alone
                self._waiting.extendleft(reversed(batch))
                self._alone = len(batch)
        except StoreUnavailableError as unavailable:
            _fail(batch, unavailable)
            # Behind a store that just failed twice the others would wait for one time-out after the other.
            _fail(self._waiting, NotSentError("PostgreSQL does not answer"))
            self._waiting.clear()
            self._alone = 0
        except Exception as error:  # noqa: BLE001  # whatever it is, it belongs to the callers that wait, not to this task
            _fail(batch, error)
        else:
            for each, answer in answered:
                if not each.future.done():
                    each.future.set_result(answer)

    async def _outcome(self, items: list[Item]) -> Sequence[Answer]:
        """Send a batch, and again where that can help: a lost race, or an unknown outcome."""
        doubt: StoreUnavailableError | None = None
        attempts = 0
        while True:
            attempts += 1
            try:
                answers = await self._run(items)
                if doubt is not None and self._wait_for_commits is not None:
                    await self._wait_for_commits()
            except StoreUnavailableError as error:
                doubt = doubt or (None if isinstance(error, NotSentError) else error)
                if attempts >= _MOST_UNKNOWN:
                    raise doubt or error from error
            except StatementRefusedError as refused:
                if doubt is not None:  # the refusal proves nothing about the attempt before it
                    raise doubt from refused
                if refused.wrong_server and attempts < _MOST_UNKNOWN:
                    continue  # on another connection, which leads to the server that took its place
                if attempts >= _MOST_RACES or not refused.lost_a_race:
                    raise
                # Two that got into each other's way must not meet again.
                await asyncio.sleep(random.uniform(0, _LONGEST_PAUSE_S))  # noqa: S311  # guards nothing
            else:
                return answers


def _fail(batch: Iterable[Waiting], error: Exception) -> None:
    for each in batch:
        if not each.future.done():
            # An object of its own for each: raised, it is written into by whoever handles it.
            unavailable = isinstance(error, StoreUnavailableError)
            each.future.set_exception(type(error)(*error.args) if unavailable else error)
