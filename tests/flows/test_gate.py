"""The gate before strangers are looked up: so many at once, the rest by how little they tried."""

import asyncio

import pytest

from app.process.gate import Gate
from app.storage.errors import StoreUnavailableError


async def pass_through(gate: Gate, tried: int, passed: list[int], leave: asyncio.Event) -> None:
    async with gate.passing(tried):
        passed.append(tried)
        await leave.wait()


async def test_whoever_tried_least_goes_first_and_who_tried_most_makes_room() -> None:
    """R-60"""
    gate, passed, leave = Gate(at_once=1, waiting=2), list[int](), asyncio.Event()
    tasks = []
    for tried in (9, 5, 3, 0):  # the first is in, and the last finds no room but that of 5
        tasks.append(asyncio.create_task(pass_through(gate, tried, passed, leave)))
        await asyncio.sleep(0)
    leave.set()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert passed == [9, 0, 3]
    assert [type(each) for each in ends] == [type(None), StoreUnavailableError, type(None), type(None)]


async def test_among_those_who_tried_as_much_the_newest_goes_first() -> None:
    """R-60: guessers with many addresses come all at once. Whoever comes after them does not wait for each."""
    gate, order, leave = Gate(at_once=1, waiting=2), list[int](), asyncio.Event()

    async def come(number: int) -> None:
        async with gate.passing(0):
            order.append(number)
            await leave.wait()

    tasks = []
    for number in range(4):
        tasks.append(asyncio.create_task(come(number)))
        await asyncio.sleep(0)
    leave.set()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert order == [0, 3, 2]
    assert isinstance(ends[1], StoreUnavailableError)


async def test_nobody_who_goes_away_takes_a_place_along() -> None:
    """R-60: neither while waiting nor in the moment when the turn came."""
    gate, leave = Gate(at_once=1, waiting=2), asyncio.Event()
    async with gate.passing(0):
        waits = [asyncio.create_task(pass_through(gate, 1, [], leave)) for _ in range(2)]
        await asyncio.sleep(0)
        waits[1].cancel()
        await asyncio.sleep(0)
    waits[0].cancel()  # the place is its own since the line before
    ends = await asyncio.gather(*waits, return_exceptions=True)
    assert [type(each) for each in ends] == [asyncio.CancelledError] * 2
    async with asyncio.timeout(5), gate.passing(9):
        pass


async def test_an_error_inside_gives_the_place_back() -> None:
    gate = Gate(at_once=1, waiting=0)
    with pytest.raises(ValueError, match="inside"):
        async with gate.passing(0):
            raise ValueError("inside")
    async with gate.passing(0):
        with pytest.raises(StoreUnavailableError):
            async with gate.passing(0):
                pass
