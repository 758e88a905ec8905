"""Only machines that changed are read of a remembered page, and its bytes are those of a page that is read whole."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import cast

import asyncpg
import pytest

from app.aemp.address.negotiation import Coding
from app.flows.fleet.change_owner import release_machine
from app.flows.fleet.import_fleet import import_machines
from app.oauth.actor import COMMAND_LINE
from app.process.pages import PageKey, Pages
from app.storage.fleet.unchanged import Seen, Unchanged
from app.storage.postgres.gather import Bounds
from app.web.api.documents import decode, encode
from app.web.api.wanted import Form
from tests.support.browser import Browser
from tests.support.changing import until_true
from tests.support.fleets import fill, machine
from tests.support.people import World
from tests.support.sharing import change, these
from tests.web.fleet_writes import (
    FORGET,
    GIVE,
    HOURS,
    LATER,
    OF_FIGURES,
    OF_MORE,
    PINS,
    RENAME,
    TELL,
    Change,
    by_hand,
    by_import,
    figures_deleted,
    given_away_and_back,
    renamed,
    write,
)
from tests.web.page_reader import FIRST, FORMS, Reader, bytes_of
from tests.web.services import Services


@pytest.fixture
async def read(browser: Browser, world: World) -> Reader:
    """Ten machines, two of which never reported; the customer is signed in."""
    customer_id = world.member.customer_id
    await fill(world.context, customer_id, *PINS[:8])
    await import_machines(world.context, customer_id, [machine(pin) for pin in PINS[8:]])
    return Reader(browser, await world.token(browser))


def mark(world: World, pin: str) -> int:
    """Rename a machine in the remembered bytes alone, to tell what is taken from there; in how many pages."""
    pages, marked = world.context.pages, 0
    for key in pages_of(world):
        (page, until), coding = pages._kept[key], cast("Form", key.form).coding
        if page.body is not None:
            body = decode(page.body, coding).replace(pin.encode(), from_memory(pin))
            pages._kept[key] = replace(page, body=encode(body, coding)), until
            marked += 1
    return marked


def pages_of(world: World) -> list[PageKey]:
    """Those of the customer that are remembered."""
    return [key for key in world.context.pages._kept if key.view.customer_id == world.member.customer_id]


def from_memory(pin: str) -> bytes:
    return b"MEM" + pin[3:].encode()


async def documents(reader: Reader) -> list[tuple[int, bytes, str, str]]:
    """The page in every form."""
    return [
        bytes_of(await reader(address, **form)) for address in (FIRST, "/api/v1/Fleet/1") for form in FORMS
    ]


@pytest.mark.parametrize("how", [*OF_FIGURES, *OF_MORE], ids=lambda how: how.__name__)
async def test_what_changed_is_shown_to_the_byte(
    how: Change, read: Reader, read_afresh: Reader, world: World, writer: asyncpg.Connection
) -> None:
    """And again with the next change."""
    before = await documents(read)
    await how(world, writer)
    told = await documents(read_afresh)
    assert await documents(read) == told
    assert all(now != then for now, then in zip(told, before, strict=True))
    await write(writer, HOURS, world.member.customer_id, "PIN7", 3.0)
    assert await documents(read) == await documents(read_afresh) != told


@pytest.mark.parametrize("how", OF_FIGURES, ids=lambda how: how.__name__)
async def test_machines_that_did_not_change_come_from_memory(
    how: Change, read: Reader, world: World, writer: asyncpg.Connection
) -> None:
    await documents(read)
    assert mark(world, "PIN5") == len(FORMS) + 6  # AEMP 1.2 has no JSON
    await how(world, writer)
    for form in FORMS:
        answer = await read(**form)
        coding = cast("Coding | None", answer.headers.get("content-encoding"))
        shown = decode(answer.extensions["raw"], coding)
        assert from_memory("PIN5") in shown
        assert b"PIN3" in shown


class Counting(Unchanged):
    """asked: how often."""

    asked = 0

    async def ask(self, seen: Seen) -> bool:
        self.asked += 1
        return await super().ask(seen)


async def test_a_page_that_had_changed_is_asked_for_its_changes_at_once(
    read: Reader, read_afresh: Reader, services: Services, world: World, writer: asyncpg.Connection
) -> None:
    """And one that had not is asked first whether it changed, in a statement that many share."""
    counting = Counting(world.context.database, Bounds(queue=10))
    async with Browser(services.like(unchanged=counting)) as browser:
        reader = Reader(browser, read.token)

        async def asked() -> bool:
            before = counting.asked
            assert bytes_of(await reader()) == bytes_of(await read_afresh())
            return counting.asked > before

        async def asked_after(hours: float) -> bool:
            await write(writer, HOURS, world.member.customer_id, "PIN3", hours)
            return await asked()

        await reader()
        assert [await asked_after(hours) for hours in (1.5, 2.5, 3.5)] == [True, False, False]
        # While an older transaction runs anywhere, what it might have written is read again in vain.
        await until_true(asked, 60)
        assert [await asked_after(hours) for hours in (4.5, 5.5)] == [True, False]
    await counting.close()


async def test_a_change_on_another_page_leaves_the_bytes_as_they_are(
    read: Reader, world: World, writer: asyncpg.Connection
) -> None:
    """They are found to be current without a word being written."""
    await fill(world.context, world.member.customer_id, *(f"NEW{number}" for number in range(100)))
    second = "/api/v2/Fleet/2"
    whole = await read(second)

    async def is_left_as_it_was() -> bool:
        """A machine that is read again gets another digest, of the name that stands in the remembered bytes."""
        for page in pages_of(world):
            world.context.pages.forget(page)
        await read(second)
        assert mark(world, "NEW95") == 1
        await by_hand(world, writer)
        answer = await read(second)
        assert from_memory("NEW95") in answer.extensions["raw"]
        return bool(answer.headers["etag"] == whole.headers["etag"])

    # While an older transaction runs anywhere, what it might have written is read again in vain.
    await until_true(is_left_as_it_was, 60)
    [page] = [world.context.pages._kept[page][0] for page in pages_of(world)]
    assert await world.context.unchanged.ask(Seen(world.member.customer_id, page.snapshot))


async def test_a_client_that_has_the_new_page_is_told_so(
    read: Reader, read_afresh: Reader, world: World, writer: asyncpg.Connection
) -> None:
    """That leaves no bytes behind, and the next change is read whole."""
    told = await read()
    for hours in (9.0, 10.0):
        await write(writer, HOURS, world.member.customer_id, "PIN3", hours)
        told = await read_afresh()
        for _ in range(2):
            answer = await read(**{"If-None-Match": told.headers["etag"]})
            assert (answer.status_code, answer.extensions["raw"]) == (304, b"")
    assert bytes_of(await read()) == bytes_of(told)


async def test_all_machines_may_have_changed(
    read: Reader, read_afresh: Reader, world: World, writer: asyncpg.Connection
) -> None:
    await documents(read)
    await writer.execute(
        "UPDATE equipment SET model = 'other' WHERE customer_id = $1", world.member.customer_id
    )
    assert await documents(read) == await documents(read_afresh)


async def test_a_fleet_that_falls_silent_is_shown_as_of_the_day(
    read: Reader, read_afresh: Reader, world: World, writer: asyncpg.Connection
) -> None:
    await read()
    await writer.execute("DELETE FROM equipment_latest WHERE customer_id = $1", world.member.customer_id)
    for _ in range(2):
        assert bytes_of(await read()) == bytes_of(await read_afresh())


async def test_a_machine_of_a_choice_changes_too(
    read: Reader, read_afresh: Reader, world: World, writer: asyncpg.Connection
) -> None:
    """R-71: what is not chosen is not shown, whatever changes; and a choice that changed is read by its own pages."""
    await change(read.browser, world, await these(world, "PIN3", "PIN5", "PIN7"))
    await read()
    assert mark(world, "PIN7") == 1
    await by_hand(world, writer)
    shown = (await read()).extensions["raw"]
    assert from_memory("PIN7") in shown
    assert b"PIN3" in shown
    forget_all(world)
    for how in (by_import, renamed, figures_deleted):
        await read()
        await how(world, writer)
        told = bytes_of(await read_afresh())
        assert bytes_of(await read()) == told
        assert b"PIN1" not in told[1]
    await change(read.browser, world, await these(world, "PIN6"))
    await write(writer, HOURS, world.member.customer_id, "PIN6", 3.0)
    told = bytes_of(await read_afresh())
    assert bytes_of(await read()) == told
    assert b"PIN6" in told[1]
    await given_away_and_back(world, writer)
    await release_machine(world.context, COMMAND_LINE, world.member, "PIN5")
    told = bytes_of(await read_afresh())
    assert bytes_of(await read()) == told
    assert b"PIN5" not in told[1]


def forget_all(world: World) -> None:
    for key in list(world.context.pages._kept):
        world.context.pages.forget(key)


async def test_two_processes_show_the_same(
    read: Reader, read_afresh: Reader, services: Services, world: World, writer: asyncpg.Connection
) -> None:
    """Each has a memory of its own, and hears of nothing that is written by hand."""
    async with Browser(services.like()) as browser:
        other = Reader(browser, read.token)
        for number, how in enumerate((by_hand, renamed, figures_deleted, by_import)):
            if number % 2 == 0:
                await documents(other)
            await documents(read)
            await how(world, writer)
            told = await documents(read_afresh)
            assert await documents(read) == told
            assert await documents(other) == told


class Overtaken(Unchanged):
    """A writer commits when PostgreSQL has said whether a fleet is unchanged, and before anything is read."""

    statements: Sequence[tuple[str, tuple[object, ...]]] = ()
    writer: asyncpg.Connection

    async def ask(self, seen: Seen) -> bool:
        answer = await super().ask(seen)
        for statement, arguments in self.statements:
            await write(self.writer, statement, *arguments)
        return answer


@pytest.mark.parametrize("then", [HOURS, RENAME, FORGET, GIVE])
async def test_what_is_committed_after_the_look_and_before_the_read_is_shown(
    then: str, read: Reader, services: Services, world: World, writer: asyncpg.Connection
) -> None:
    """And what is remembered is what was read: the next reader is shown no less, and no more."""
    customer_id = world.member.customer_id
    more = {
        HOURS: (77.0,),
        RENAME: ("other",),
        FORGET: (),
        GIVE: ((await World.make(world.context)).member.customer_id,),
    }
    overtaken = Overtaken(world.context.database, Bounds(queue=10))
    overtaken.writer = writer
    fresh = services.like(pages=Pages(world.context.changes, most_bytes=0))
    async with Browser(services.like(unchanged=overtaken)) as late, Browser(fresh) as afresh:
        reader, read_afresh = Reader(late, read.token), Reader(afresh, read.token)
        await documents(reader)
        await by_hand(world, writer)
        overtaken.statements = [(then, (customer_id, "PIN6", *more[then]))]
        found = bytes_of(await reader())
        overtaken.statements = ()
        assert found == bytes_of(await read_afresh())
        assert await documents(reader) == await documents(read_afresh)
    await overtaken.close()


async def test_a_change_under_way_is_shown_once_it_is_committed(
    read: Reader, read_afresh: Reader, world: World, writer: asyncpg.Connection
) -> None:
    """What changed meanwhile is written over a page whose snapshot did not see it."""
    transaction = writer.transaction()
    await transaction.start()
    await write(writer, HOURS, world.member.customer_id, "PIN6", 66.0)
    await read()
    await by_import(world, writer)
    shown = await read()
    assert bytes_of(shown) == bytes_of(await read_afresh())
    assert b"66.00" not in shown.extensions["raw"]
    await transaction.commit()
    shown = await read()
    assert bytes_of(shown) == bytes_of(await read_afresh())
    assert b"66.00" in shown.extensions["raw"]


async def test_whatever_is_written_a_page_from_memory_is_the_page(
    read: Reader, read_afresh: Reader, world: World, writer: asyncpg.Connection
) -> None:
    chosen = Random(66)  # noqa: S311  # a sequence to repeat, no secret
    customer_id = world.member.customer_id
    for number in range(60):
        pin = chosen.choice(PINS)
        async with writer.transaction():
            for _ in range(chosen.randint(1, 3)):
                statement, more = chosen.choice(
                    [
                        (HOURS, (float(number),)),
                        (RENAME, (f"Ä{number}" * chosen.randint(0, 3),)),
                        (FORGET, ()),
                        (TELL, (LATER,)),
                    ]
                )
                await writer.execute(statement, customer_id, pin, *more)
        form = chosen.choice(FORMS)
        assert bytes_of(await read(**form)) == bytes_of(await read_afresh(**form))
