"""What an application read, on the page of its connection: a picture, the same in words and as a table."""

from datetime import UTC, date, datetime, timedelta

import pytest

from app.aemp.address.read_kind import ReadKind
from app.flows.account.choose_time_zone import choose_time_zone
from app.storage.token.reads import Count, ReadKey, ReadsOfDay, upsert_reads
from app.web.pages.reads_picture import DAYS, MOST_MACHINES, picture
from tests.support.browser import Browser
from tests.support.fleets import fill
from tests.support.people import World
from tests.support.sharing import fields_of, page_of
from tests.web.reading import attribute_names_of, found, words_of

TODAY = date(2026, 11, 30)


async def read(world: World, kind: ReadKind, reads: int, *, ago: int = 0, machine: int = 0) -> None:
    """As if the application had read so often, some days ago."""
    at = world.context.now() - timedelta(days=ago)
    key = ReadKey(world.member.customer_id, world.registered.client.id, machine, at.date(), kind, 1)
    await upsert_reads(world.context.database, {key: Count(reads, at)})


async def keys_of(world: World) -> dict[str, int]:
    fields = await fields_of(world.context, world.member.customer_id)
    return {pin: int(field.removeprefix("machine_")) for pin, field in fields.items()}


@pytest.fixture
async def connected(browser: Browser, world: World) -> World:
    await fill(world.context, world.member.customer_id, "PIN1", "PIN2")
    await world.token(browser)
    return world


async def test_nothing_read_is_said_in_words(browser: Browser, connected: World) -> None:
    page = await browser.get(page_of(connected))
    since = connected.context.now() - timedelta(days=DAYS - 1)
    assert f"It read nothing since {since:%-d %B %Y} , in UTC." in words_of(page)
    assert not found(page, "//figure")


async def test_reads_are_a_picture_a_sentence_and_a_table(browser: Browser, connected: World) -> None:
    """Those that named a machine are counted once, and those of longer ago are not."""
    await read(connected, ReadKind.FLEET_PAGE, 1200)
    await read(connected, ReadKind.FLEET_PAGE, 300, ago=29)
    await read(connected, ReadKind.FAULTS, 100, ago=29)
    await read(connected, ReadKind.FLEET_PAGE, 7777, ago=30)
    await read(connected, ReadKind.MACHINE, 50, machine=(await keys_of(connected))["PIN2"])
    await read(connected, ReadKind.MACHINE, 3, machine=2**40)
    page = await browser.get(page_of(connected))
    words = words_of(page)
    assert "1,653 reads from" in words
    assert "The most on one day: 1,253." in words
    assert "A day begins at midnight UTC." in words
    assert "Pages of the fleet 1,500" in words
    assert "Single machines 53" in words
    assert "History of faults 100" in words
    assert "7,777" not in words
    assert "PIN2 50" in words
    assert "Not in your fleet any more 3" in words
    [svg] = found(page, "//svg[@role='img']")
    for name in svg.get("aria-labelledby").split():
        [label] = found(page, f"//*[@id='{name}']")
        assert "".join(label.itertext()).strip()
    bars = [(float(bar.get("x")), float(bar.get("height"))) for bar in svg.iter("rect")]
    assert len(bars) == 2
    assert bars[0][0] < bars[1][0]
    assert bars[1][1] == 80
    assert bars[0][1] == pytest.approx(80 * 400 / 1253, abs=0.1)
    rows = [" ".join("".join(row.itertext()).split()) for row in found(page, "//table//tr")]
    today = connected.context.now()
    assert rows[1:] == [
        f"{today:%-d %B %Y}1,253",
        f"{today - timedelta(days=29):%-d %B %Y}400",
    ]
    # The policy of the page refuses both.
    assert "style" not in attribute_names_of(page)
    assert not found(page, "//style")


async def test_days_stay_those_of_utc_and_the_page_says_so(browser: Browser, connected: World) -> None:
    """In New York a midnight in UTC is a day earlier."""
    await choose_time_zone(connected.context, connected.member.actor, connected.member, "America/New_York")
    await read(connected, ReadKind.FLEET_PAGE, 1)
    words = words_of(await browser.get(page_of(connected)))
    assert "A day begins at midnight UTC, which is another time in America/New_York." in words
    today = connected.context.now()
    first = today - timedelta(days=DAYS - 1)
    assert f"One read from {first:%-d %B %Y} to {today:%-d %B %Y} ." in words


async def test_no_more_machines_are_named_than_a_page_takes(browser: Browser, connected: World) -> None:
    for number in range(MOST_MACHINES + 2):
        await read(connected, ReadKind.MACHINE, 1 + number, machine=2**40 + number)
    words = words_of(await browser.get(page_of(connected)))
    assert words.count("Not in your fleet any more") == MOST_MACHINES
    assert "And 2 more machines." in words


async def test_reads_of_another_customer_and_another_application_are_not_shown(
    browser: Browser, connected: World
) -> None:
    """R-30"""
    other = await World.make(connected.context)
    await fill(connected.context, other.member.customer_id, "THEIRS")
    for reader in (other, World(connected.context, connected.member, other.registered)):
        await read(reader, ReadKind.MACHINE, 9, machine=(await keys_of(other))["THEIRS"])
    await read(connected, ReadKind.MACHINE, 4, machine=(await keys_of(other))["THEIRS"])
    words = words_of(await browser.get(page_of(connected)))
    assert "4 reads from" in words
    assert "THEIRS" not in words


def test_few_reads_beside_many_are_still_seen() -> None:
    at = datetime(2026, 11, 30, tzinfo=UTC)
    days = (ReadsOfDay(TODAY - timedelta(days=1), 1, 1, at), ReadsOfDay(TODAY, 1, 1_000_000, at))
    few, many = picture(days, TODAY)["bars"]
    assert 1 <= few.height < many.height
    assert few.y + few.height == many.y + many.height


def test_database_that_is_a_day_ahead_moves_the_picture() -> None:
    """At midnight, between the two clocks."""
    at = datetime(2026, 12, 1, tzinfo=UTC)
    days = (
        ReadsOfDay(TODAY - timedelta(days=28), 1, 5, at),
        ReadsOfDay(TODAY + timedelta(days=1), 1, 5, at),
    )
    shown = picture(days, TODAY)
    assert (shown["last"], len(shown["bars"]), shown["total"]) == (TODAY + timedelta(days=1), 2, 10)
    assert all(0 <= bar.x < shown["width"] for bar in shown["bars"])
