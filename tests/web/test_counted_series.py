"""How many pages a series has: counted once while nothing comes, and told alike by every process as soon as something does."""

import asyncio
import math
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

import app.storage
from app.aemp.history.history import NamedReading, history_of
from app.aemp.model.identifiers import Name, sought_by
from app.aemp.model.values import Fault, FuelConsumed, Hours, Location, Reading, SwitchStatus
from app.aemp.read.read import Place
from app.aemp.read.report import Report
from app.flows.fleet.last_24 import refresh_last_24
from app.flows.fleet.write_history import prepare_history, write
from app.flows.fleet.write_telemetry import write_telemetry
from app.process.recent import Recent
from app.storage.fleet.fleet import select_equipment
from app.storage.fleet.history import write_history
from app.storage.fleet.series import Asked, Counted
from app.storage.fleet.view import FleetView, fleet_of
from app.storage.postgres.changes import Changes
from app.storage.postgres.database import Transaction
from tests.support.browser import Browser
from tests.support.history import HOUR, THEN, add
from tests.support.people import World
from tests.web.page_reader import Reader, bytes_of
from tests.web.services import Services

Counts: TypeAlias = Recent[tuple[Asked, str], Counted]
COUNTED = 200
STEP = timedelta(minutes=1)
NEWEST = THEN + COUNTED * STEP
BETWEEN = THEN + STEP / 2
HOURS = "CumulativeOperatingHours"
# By the segment of a series: its element, and a reading of it.
KINDS: dict[str, tuple[str, Callable[[datetime], Reading]]] = {
    HOURS: (HOURS, lambda at: Hours(at, 5.0)),
    "SwitchStatus": ("SwitchStatus", lambda at: SwitchStatus(at, 1, on=True)),
    "Locations": ("Location", lambda at: Location(at, 51.5, -0.25)),
    "Faults": ("FaultCode", lambda at: Fault(at, "SPN 94")),
    "FuelUsedInThePreceding24Hours": ("FuelUsedLast24", lambda at: FuelConsumed(at, 7.0)),
}
WAITS = """
SELECT FROM pg_locks WHERE NOT granted AND relation = $1::text::regclass
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def readings(series: str, *times: datetime) -> list[NamedReading]:
    element, reading = KINDS[series]
    return [(element, reading(at)) for at in times]


async def tell(world: World, told: Sequence[NamedReading], pin: str = "P1") -> None:
    report = Report(Place(1), Name("pin", pin), tuple(told))
    written = await write_telemetry(world.context, world.member.customer_id, iter([report]))
    assert written.stored == len(told)


async def fill(world: World, series: str) -> None:
    """Two full pages of the series, of a machine that is alone in its fleet."""
    await add(world.context, world.member.customer_id, "P1")
    await tell(world, readings(series, *(THEN + number * STEP for number in range(COUNTED))))


def address_of(series: str) -> str:
    dates = "/".join(f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (THEN - HOUR, THEN + 24 * HOUR))
    return f"/api/v2/Fleet/Equipment/P1/{series}/{dates}/1"


def last_page_in(answer: httpx2.Response) -> int:
    """By the link of a page of XML."""
    raw: bytes = answer.extensions["raw"]
    _, _, link = raw.partition(b"<rel>last</rel>")
    return int(link.partition(b"</href>")[0].rpartition(b"/")[2])


def remembering() -> Counts:
    """What a process remembers, which time alone does not make it forget."""
    return Recent(keep_s=3600, most=100)


@asynccontextmanager
async def reading(app: FastAPI, token: str) -> AsyncIterator[Reader]:
    async with Browser(app) as browser:
        yield Reader(browser, token)


@pytest.fixture
async def token(world: World, browser: Browser) -> str:
    return await world.token(browser)


@pytest.fixture
async def one(services: Services, token: str) -> AsyncIterator[Reader]:
    async with reading(services.like(counts=remembering()), token) as reader:
        yield reader


@pytest.fixture
async def other(services: Services, token: str) -> AsyncIterator[Reader]:
    async with reading(services.like(counts=remembering()), token) as reader:
        yield reader


async def assert_all_tell_of_a_third_page(
    series: str, known: httpx2.Response, one: Reader, other: Reader
) -> None:
    """known: what the first process answered when there were two. Its client asks both, and the first one again."""
    address, tag = address_of(series), {"If-None-Match": known.headers["ETag"]}
    answers = [await each(address, **tag) for each in (one, other, one)]
    assert [each.status_code for each in answers] == [200, 200, 200]
    assert [last_page_in(each) for each in answers] == [3, 3, 3]
    assert len({bytes_of(each) for each in answers}) == 1


async def told_later(world: World, series: str) -> None:
    await tell(world, readings(series, NEWEST))


async def told_late(world: World, series: str) -> None:
    """It is older than the newest reading, and becomes no figure of the machine."""
    await tell(world, readings(series, BETWEEN))


@pytest.mark.parametrize("come", [told_later, told_late])
@pytest.mark.parametrize("series", KINDS)
async def test_a_reading_that_begins_a_page_is_told_of_at_once(
    series: str, come: Callable[[World, str], Awaitable[None]], world: World, one: Reader, other: Reader
) -> None:
    """The first page is as it was but for its link to the last, which its tag is of too."""
    await fill(world, series)
    known = await one(address_of(series))
    assert last_page_in(known) == 2
    await come(world, series)
    await assert_all_tell_of_a_third_page(series, known, one, other)


async def test_a_figure_that_maintenance_computes_is_told_of_at_once(
    world: World, one: Reader, other: Reader
) -> None:
    series = "FuelUsedInThePreceding24Hours"
    await fill(world, series)
    await tell(world, [("FuelUsed", FuelConsumed(NEWEST, 9.0))])
    known = await one(address_of(series))
    assert last_page_in(known) == 2
    assert await refresh_last_24(world.context) >= 1
    await assert_all_tell_of_a_third_page(series, known, one, other)


def test_readings_are_added_by_these_two_alone() -> None:
    """Both write the machine's row of figures too, as the tests above show. A third is added to them."""
    adds = re.compile(r"INSERT INTO (reading|position|fault)\b")
    storage = Path(app.storage.__file__).parent
    found = {each.name for each in storage.rglob("*.py") if adds.search(each.read_text())}
    assert found == {"history.py", "last_24.py"}


@asynccontextmanager
async def coming(world: World) -> AsyncIterator[Transaction]:
    """A reading that is written, and not committed before the end."""
    context, customer_id = world.context, world.member.customer_id
    async with fleet_of(context.database, view := FleetView(customer_id)) as fleet:
        [machine] = await select_equipment(fleet, view, sought_by("P1"))
    kept = await prepare_history(context, [NEWEST])
    history = history_of(readings(HOURS, NEWEST))
    async with write_history(context.database) as transaction:
        written = await write(transaction, customer_id, [(machine.key, history)], kept, careful=True)
        assert written.stored == 1
        yield transaction


async def test_a_reading_counts_once_it_is_committed(world: World, one: Reader, other: Reader) -> None:
    """The readings are counted, and the count remembered, while it is under way."""
    await fill(world, HOURS)
    async with coming(world):
        known = await one(address_of(HOURS))
        assert last_page_in(await one(address_of(HOURS))) == last_page_in(known) == 2
    await assert_all_tell_of_a_third_page(HOURS, known, one, other)


@pytest.mark.parametrize("table", ["equipment_latest", "reading"])
async def test_a_reading_that_comes_between_two_statements_is_told_of(
    table: str, world: World, one: Reader, other: Reader
) -> None:
    """Whoever waits for the second table has seen the machine as it stood before, and counts what came since."""
    await fill(world, HOURS)
    known = await one(address_of(HOURS))
    async with coming(world) as writing:
        await writing.count(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        asked = asyncio.create_task(other(address_of(HOURS)))
        await until_somebody_waits(world, table)
    assert last_page_in(await asked) == 3
    await assert_all_tell_of_a_third_page(HOURS, known, one, other)


async def until_somebody_waits(world: World, table: str) -> None:
    for _ in range(1000):
        if await world.context.database.rows(WAITS, table):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"nobody waits for {table}")


# ---- What is remembered ----


def plant(counts: Counts, readings: int) -> None:
    """Make a process remember another number, so that what comes from memory can be told."""
    [(key, (counted, until))] = counts._kept.items()
    counts._kept[key] = counted._replace(readings=readings), until


async def test_readings_are_counted_once_while_the_machine_tells_nothing(
    world: World, services: Services, token: str
) -> None:
    await fill(world, HOURS)
    await add(world.context, world.member.customer_id, "P2")
    counts = remembering()
    async with reading(services.like(counts=counts), token) as read:
        assert last_page_in(await read(address_of(HOURS))) == 2
        plant(counts, 900)
        await tell(world, readings(HOURS, NEWEST), pin="P2")
        assert last_page_in(await read(address_of(HOURS))) == 9
        await told_late(world, HOURS)
        assert last_page_in(await read(address_of(HOURS))) == 3


async def test_no_count_is_believed_while_changes_are_not_heard(
    world: World, services: Services, token: str
) -> None:
    """A standby that takes over may number its transactions as the lost server did, and so the machine's row."""
    await fill(world, HOURS)
    counts, changes = remembering(), Changes()
    changes.believed_until = math.inf
    async with reading(services.like(counts=counts, changes=changes), token) as read:

        async def from_memory() -> bool:
            plant(counts, 900)
            return last_page_in(await read(address_of(HOURS))) == 9

        await read(address_of(HOURS))
        assert await from_memory()
        changes.believed_until = 0.0
        assert not await from_memory()
        changes.believed_until = math.inf
        assert await from_memory()
        changes._forget()  # as whoever listens again
        assert not await from_memory()
        assert await from_memory()


async def test_no_count_of_a_machine_without_figures_is_remembered(
    world: World, services: Services, token: str, writer: asyncpg.Connection
) -> None:
    """No row says when something of it was written."""
    await fill(world, HOURS)
    await writer.execute("DELETE FROM equipment_latest WHERE customer_id = $1", world.member.customer_id)
    counts = remembering()
    async with reading(services.like(counts=counts), token) as read:
        assert last_page_in(await read(address_of(HOURS))) == 2
    assert not counts._kept
