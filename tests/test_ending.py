"""Endless tasks end when they are told to, whatever their clean-up comes to."""

import asyncio
import gc
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import asyncpg
import pytest

import app
from app.context import Context
from app.ending import end
from app.flows.upkeep.maintain import maintain_for_ever
from app.storage.schema.owner import owner_connection
from tests.support.changing import until_true
from tests.support.proxy import Proxy, proxy_to

APP = Path(app.__file__).parent


async def test_a_clean_up_that_fails_does_not_keep_an_endless_task() -> None:
    """R-102: its error takes the place of the cancellation, and the loop goes on as after any failed round."""
    rounds = 0

    async def for_ever() -> None:
        nonlocal rounds
        while True:
            rounds += 1
            try:
                await round_that_cleans_up_badly()
            except ValueError:
                continue

    async def round_that_cleans_up_badly() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            if rounds < 3:
                raise ValueError("the clean-up failed")

    task = asyncio.create_task(for_ever())
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await end(task, again_s=0.01)
    assert task.cancelled()
    assert rounds == 3


def test_only_this_ends_what_goes_on_for_ever() -> None:
    """Elsewhere a timer is called off, or one request, such as nobody waits for; a loop would outlive one call."""
    callers = {str(file.relative_to(APP)) for file in APP.rglob("*.py") if ".cancel()" in file.read_text()}
    assert callers == {
        "ending.py",
        "door/answers.py",
        "door/lag.py",
        "door/server.py",
        "process/lanes.py",
        "storage/valkey/sentinel.py",
    }


async def test_many_end_together_and_none_is_a_matter_of_no_time() -> None:
    tasks = [asyncio.create_task(asyncio.sleep(60)) for _ in range(3)]
    await end(*tasks)
    assert all(task.cancelled() for task in tasks)
    await end(*tasks)
    await end()


async def test_maintenance_ends_although_postgresql_fell_silent(context: Context, database_url: str) -> None:
    """R-102: it hangs in a statement of the owner's, and then in the connection's good-bye."""
    address = urlsplit(database_url)
    [folder] = parse_qs(address.query)["host"]
    async with proxy_to(str(Path(folder) / ".s.PGSQL.5432")) as proxy:
        maintaining = asyncio.create_task(maintain_for_ever(context, through(proxy, database_url)))
        await asked_for_something(proxy)
        proxy.fall_silent()
        await asyncio.sleep(0.1)
        async with asyncio.timeout(15):
            await end(maintaining)


async def test_a_good_bye_that_hangs_hides_nothing(database_url: str) -> None:
    """What the block came to is what its caller hears."""
    address = urlsplit(database_url)
    [folder] = parse_qs(address.query)["host"]
    async with proxy_to(str(Path(folder) / ".s.PGSQL.5432")) as proxy:
        with pytest.raises(KeyError, match="the block's own"):
            await fail_in_silence(proxy, database_url)


async def test_whoever_is_ended_while_it_connects_leaves_no_session(database_url: str) -> None:
    """Cancelled at any moment of it: upkeep that begins as the service stops once left one open."""
    gc.disable()  # which would end what was left
    try:
        async with owner_connection(database_url) as watching:
            for step in range(80):
                opening = asyncio.create_task(hold(database_url))
                await asyncio.sleep(step * 0.0002)
                await end(opening)
                await until_true(partial(is_alone, watching))
    finally:
        gc.enable()


async def hold(database_url: str) -> None:
    async with owner_connection(f"{database_url}&application_name=held"):
        await asyncio.Event().wait()


async def is_alone(watching: asyncpg.Connection) -> bool:
    held = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'held' AND datname = current_database()"
    return bool(await watching.fetchval(held) == 0)


async def fail_in_silence(proxy: Proxy, database_url: str) -> None:
    async with owner_connection(through(proxy, database_url)) as connection:
        asking = asyncio.create_task(connection.fetch("SELECT pg_sleep(60)"))
        await asyncio.sleep(0.1)
        proxy.fall_silent()
        asking.cancel()
        raise KeyError("the block's own")


def through(proxy: Proxy, database_url: str) -> str:
    query = urlencode({"host": Path(proxy.path).parent})
    return urlsplit(database_url)._replace(query=query).geturl()


async def asked_for_something(proxy: Proxy) -> None:
    async with asyncio.timeout(10):
        while not proxy.statements_asked():  # noqa: ASYNC110  # a proxy rings no bell
            await asyncio.sleep(0.01)
