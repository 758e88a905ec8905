"""Group commit: one batch in flight, failures that stay with their own row, outcomes that are never guessed."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from app.storage.errors import NotSentError, StatementRefusedError, StoreUnavailableError
from app.storage.postgres.gather import Bounds, Gather


class Recorder:
    """A statement that answers each item with its double, and notes every batch it was sent."""

    def __init__(self, trouble: Callable[[list[int], int], None] = lambda _items, _call: None) -> None:
        self.batches: list[list[int]] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self._trouble = trouble

    async def __call__(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(0.01)
            self._trouble(list(items), len(self.batches))
            return [item * 2 for item in items]
        finally:
            self.in_flight -= 1


async def test_those_who_wait_share_the_next_batch() -> None:
    run = Recorder()
    gather = Gather(run, Bounds(queue=100, wait_s=5))
    first = asyncio.create_task(gather.ask(0))
    await asyncio.sleep(0.002)
    assert await asyncio.gather(*(gather.ask(item) for item in range(1, 50))) == [
        item * 2 for item in range(1, 50)
    ]
    assert await first == 0
    assert run.batches == [[0], list(range(1, 50))]
    assert run.most_in_flight == 1


async def test_a_poisoned_row_fails_alone() -> None:
    def refuse(items: list[int], _call: int) -> None:
        if 13 in items:
            raise StatementRefusedError("23514", "unlucky")

    gather = Gather(Recorder(refuse), Bounds(queue=100, wait_s=5))
    answers = await asyncio.gather(*(gather.ask(item) for item in range(10, 16)), return_exceptions=True)
    assert [each for each in answers if not isinstance(each, Exception)] == [20, 22, 24, 28, 30]
    assert isinstance(answers[3], StatementRefusedError)


async def test_an_unknown_outcome_is_asked_for_once_more() -> None:
    def lose(_items: list[int], call: int) -> None:
        if call == 1:
            raise StoreUnavailableError("the connection broke")

    run = Recorder(lose)
    gather = Gather(run, Bounds(queue=100, wait_s=5))
    assert await gather.ask(21) == 42
    assert run.batches == [[21], [21]]


async def test_an_outcome_that_stays_unknown_is_said_to_be() -> None:
    def lose(_items: list[int], _call: int) -> None:
        raise StoreUnavailableError("the connection broke")

    run = Recorder(lose)
    gather = Gather(run, Bounds(queue=100, wait_s=5))
    answers = await asyncio.gather(gather.ask(1), gather.ask(2), return_exceptions=True)
    assert all(isinstance(each, StoreUnavailableError) for each in answers)
    assert len(run.batches) == 2


async def test_a_refusal_after_a_lost_reply_proves_nothing() -> None:
    """The first attempt may have been committed, so nobody may put a code back."""

    def lose_then_refuse(_items: list[int], call: int) -> None:
        if call == 1:
            raise StoreUnavailableError("the connection broke")
        raise StatementRefusedError("23514", "unlucky")

    run = Recorder(lose_then_refuse)
    with pytest.raises(StoreUnavailableError, match="the connection broke"):
        await Gather(run, Bounds(queue=10, wait_s=5)).ask(1)
    assert len(run.batches) == 2


async def test_what_was_never_sent_is_known_to_be_undone() -> None:
    def refuse_connection(_items: list[int], _call: int) -> None:
        raise NotSentError("no connection")

    with pytest.raises(NotSentError):
        await Gather(Recorder(refuse_connection), Bounds(queue=10, wait_s=5)).ask(1)


async def test_a_lost_race_is_run_again_and_not_for_ever() -> None:
    """R-93."""

    def deadlock(items: list[int], call: int) -> None:
        if items == [1] or call == 2:
            raise StatementRefusedError("40P01", "deadlock detected")

    run = Recorder(deadlock)
    gather = Gather(run, Bounds(queue=10, wait_s=5))
    with pytest.raises(StatementRefusedError, match="40P01"):
        await gather.ask(1)
    assert run.batches == [[1]] * 3
    assert await gather.ask(2) == 4
    again = Recorder(lambda _items, call: deadlock([0], call + 1))
    assert await Gather(again, Bounds(queue=10, wait_s=5)).ask(2) == 4
    assert again.batches == [[2], [2]]


async def test_those_behind_a_dead_store_hear_of_it_at_once() -> None:
    """R-91, R-94: one time-out for all who wait, not one batch after the other."""

    def lose(_items: list[int], _call: int) -> None:
        raise StoreUnavailableError("no answer")

    run = Recorder(lose)
    gather = Gather(run, Bounds(queue=1000, wait_s=5, batch=10))
    answers = await asyncio.gather(*(gather.ask(item) for item in range(500)), return_exceptions=True)
    assert run.batches == [list(range(10))] * 2
    assert [type(each) for each in answers] == [StoreUnavailableError] * 10 + [NotSentError] * 490
    assert len({id(each) for each in answers}) == 500  # no two requests share an error


async def test_a_batch_of_the_wrong_length_is_everybodys_fault() -> None:
    async def short(items: Sequence[int]) -> list[int]:
        await asyncio.sleep(0)
        return list(items[1:])

    answers = await asyncio.gather(
        *(gather.ask(item) for gather in [Gather(short, Bounds(queue=9, wait_s=5))] for item in (1, 2)),
        return_exceptions=True,
    )
    assert all(isinstance(each, ValueError) for each in answers)


async def test_a_caller_that_goes_away_disturbs_nobody() -> None:
    """R-86: its place in a batch is skipped before it is sent, and ignored afterwards."""
    run = Recorder()
    gather = Gather(run, Bounds(queue=2000, wait_s=5))
    blocker = asyncio.create_task(gather.ask(0))
    await asyncio.sleep(0.002)
    tasks = [asyncio.create_task(gather.ask(item)) for item in range(1, 1001)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert answers[1::2] == [item * 2 for item in range(2, 1001, 2)]
    assert all(isinstance(each, asyncio.CancelledError) for each in answers[::2])
    assert await blocker == 0
    assert not {item for batch in run.batches for item in batch} & set(range(1, 1001, 2))


async def test_more_than_the_queue_holds_are_turned_away_at_once() -> None:
    gather = Gather(Recorder(), Bounds(queue=3, wait_s=5))
    answers = await asyncio.gather(*(gather.ask(item) for item in range(5)), return_exceptions=True)
    assert sum(isinstance(each, NotSentError) for each in answers) == 2


async def test_who_waits_too_long_is_turned_away_though_the_store_hangs() -> None:
    """R-91, R-94: a batch in flight may take as long as it takes; those behind it need not."""
    let_go = asyncio.Event()

    async def hang(items: Sequence[int]) -> list[int]:
        await let_go.wait()
        return list(items)

    gather = Gather(hang, Bounds(wait_s=0.05))
    in_flight = asyncio.create_task(gather.ask(0))
    await asyncio.sleep(0)
    began = asyncio.get_running_loop().time()
    behind = await asyncio.gather(*(gather.ask(item) for item in range(1, 100)), return_exceptions=True)
    assert all(type(each) is NotSentError for each in behind)
    assert asyncio.get_running_loop().time() - began < 0.5
    later = asyncio.create_task(gather.ask(100))
    let_go.set()
    assert (await in_flight, await later) == (0, 100)


async def test_batches_have_a_most() -> None:
    run = Recorder()
    gather = Gather(run, Bounds(queue=1000, wait_s=5, batch=64))
    await asyncio.gather(*(gather.ask(item) for item in range(200)))
    assert max(map(len, run.batches)) == 64


async def test_closing_waits_for_what_is_in_flight() -> None:
    run = Recorder()
    gather = Gather(run, Bounds(queue=10, wait_s=5))
    task = asyncio.create_task(gather.ask(4))
    await asyncio.sleep(0)
    await gather.close()
    assert task.done() or await task == 8
    assert run.in_flight == 0


async def test_a_fault_reaches_every_caller_as_its_own() -> None:
    def fail(_items: list[int], _call: int) -> None:
        raise ValueError("a bug")

    gather = Gather(Recorder(fail), Bounds(queue=10, wait_s=5))
    answers = await asyncio.gather(gather.ask(1), gather.ask(2), return_exceptions=True)
    assert all(isinstance(each, ValueError) for each in answers)


def test_nothing_is_shared_but_the_statement() -> None:
    with pytest.raises(TypeError):
        Gather(Recorder())  # type: ignore[call-arg]  # a queue without an end is refused by its signature
