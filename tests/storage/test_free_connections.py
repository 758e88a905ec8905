"""A connection that did its work is kept for the next caller, and is never one that must not be used again."""

import asyncio

import pytest

from app.first_step import begin
from app.storage.postgres.database import SERVICE_ROLE, Database, open_database
from tests.storage.test_database import WHO, role_of, single, terminate

__all__ = ["single"]  # the fixture


async def pid_of(database: Database) -> int:
    row = await database.row(WHO)
    assert row is not None
    return int(row["pid"])


async def test_a_connection_that_did_its_work_is_there_for_the_next(database_url: str) -> None:
    """Two that are used at once, and one after the other the one that was used last."""
    database = await open_database(database_url, connections=2)
    async with database.transaction(), database.transaction():
        pass
    pids = {await pid_of(database) for _ in range(3)}
    assert len(pids) == 1
    await database.close()


async def test_a_free_connection_that_the_server_closed_is_replaced(
    single: Database, database_url: str
) -> None:
    first = await pid_of(single)
    await terminate(first, database_url)
    await asyncio.sleep(0.1)
    assert await pid_of(single) != first
    assert await role_of(single) == SERVICE_ROLE


async def test_no_connection_of_a_server_that_was_left_is_used_again(single: Database) -> None:
    """Neither one that was free then nor one that was at work."""
    first = await pid_of(single)
    await single.retire()
    second = await pid_of(single)
    assert second != first
    async with single.transaction():
        await single.retire()
    assert await pid_of(single) != second


async def test_whoever_waits_is_served_before_whoever_comes_later(single: Database) -> None:
    """A crowd of callers on one connection: all of them, in their order."""
    served = []

    async def ask(number: int) -> None:
        await single.row(WHO)
        served.append(number)

    async with single.transaction():
        crowd = [asyncio.create_task(ask(number)) for number in range(50)]
        await asyncio.sleep(0.05)
    await asyncio.gather(*crowd)
    assert served == sorted(served)


async def test_a_connection_without_work_goes_back_to_the_pool(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which closes it after a while, so that a crowd of once does not hold the server's connections for ever."""
    monkeypatch.setattr("app.storage.postgres.connections._FREE_S", 0.1)
    database = await open_database(database_url, connections=4)
    async with database.transaction(), database.transaction(), database.transaction():
        pass
    for _ in range(4):
        await asyncio.sleep(0.15)
        await pid_of(database)
    assert len(database._connections._free) == 1
    await database.close()


async def test_a_connection_that_came_free_meanwhile_is_seen_by_who_needs_a_task_first(
    single: Database,
) -> None:
    """The first step of a request has no task and gets one before it asks the pool, which then has none to give."""
    connections, loop = single._connections, asyncio.get_running_loop()
    taken, served = await connections.take(1.0), asyncio.Event()

    async def ask() -> None:
        await single.row(WHO)
        served.set()

    def turn() -> None:
        """Without a task, as the door begins requests."""
        assert begin(ask(), loop) is not None
        assert begin(connections.give_back(taken, is_whole=True), loop) is None

    loop.call_soon(turn)
    async with asyncio.timeout(1.0):
        await served.wait()


async def test_a_pool_that_closes_keeps_nothing_that_is_given_back(single: Database) -> None:
    """Work in flight is finished, and its connection is what the end waits for."""
    async with single.transaction() as transaction:
        closing = asyncio.create_task(single.close())
        await asyncio.sleep(0.05)
        assert await transaction.row(WHO) is not None
    async with asyncio.timeout(1.0):
        await closing
