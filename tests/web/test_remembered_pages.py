"""Pages from memory on the wire: the very bytes that a service without a memory gives, whoever changed the fleet."""

from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest
from fastapi import FastAPI

from app.flows.fleet.change_owner import release_machine, transfer_machine
from app.flows.fleet.import_fleet import import_machines
from app.oauth.actor import COMMAND_LINE
from app.process.pages import Pages
from app.storage.postgres.changes import Changes
from tests.support.browser import Browser
from tests.support.fleets import NOW, fill, machine
from tests.support.people import World
from tests.support.sharing import change, these
from tests.web.page_reader import FIRST, FORMS, Reader, bytes_of
from tests.web.services import Services

PINS = ("PIN1", "PIN2", "PIN3")


@pytest.fixture
async def read(browser: Browser, world: World) -> Reader:
    """The customer is signed in."""
    await fill(world.context, world.member.customer_id, *PINS)
    return Reader(browser, await world.token(browser))


def plant(world: World) -> int:
    """Change each remembered page of the customer, so that what comes from memory can be told; how many there were."""
    pages = world.context.pages
    own = [key for key in pages._kept if key.view.customer_id == world.member.customer_id]
    for key in own:
        page, until = pages._kept[key]
        pages._kept[key] = replace(page, body=b"from memory" if page.body is not None else None), until
    return len(own)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: " ".join(form.values()))
@pytest.mark.parametrize(
    "address", [FIRST, "/api/v2/Fleet", "/api/v1/Fleet/1", "/api/Fleet/1", "/api/v1/Fleet"]
)
async def test_a_page_from_memory_is_the_page_to_the_byte(
    address: str, form: dict[str, str], read: Reader, read_afresh: Reader
) -> None:
    told = bytes_of(await read_afresh(address, **form))
    assert bytes_of(await read(address, **form)) == told
    assert bytes_of(await read(address, **form)) == told


async def test_an_unchanged_page_comes_from_memory(read: Reader, world: World) -> None:
    await read()
    assert plant(world) == 1
    answer = await read()
    assert answer.extensions["raw"] == b"from memory"


async def test_a_client_that_has_the_page_is_told_so_from_memory(read: Reader, world: World) -> None:
    """The first of them left no body behind, so whoever has none is given what is read."""
    tag = (await read()).headers["ETag"]
    forget_all(world)
    for _ in range(2):
        answer = await read(**{"If-None-Match": tag})
        assert (answer.status_code, answer.headers["ETag"], answer.extensions["raw"]) == (304, tag, b"")
    assert plant(world) == 1
    whole = await read()
    assert (whole.status_code, whole.headers["ETag"]) == (200, tag)
    assert b"PIN1" in whole.extensions["raw"]


def forget_all(world: World) -> None:
    for key in list(world.context.pages._kept):
        world.context.pages.forget(key)


# What changes a page, as PostgreSQL's owner does it by hand; $1 is the customer.
_KEYS = "(SELECT key FROM equipment WHERE customer_id = $1)"
BY_HAND = {
    "a figure": f"UPDATE equipment_latest SET cumulative_operating_hours = 77 WHERE equipment_key IN {_KEYS}",
    "a name": "UPDATE equipment SET equipment_id = 'other' WHERE customer_id = $1",
    "figures deleted": f"DELETE FROM equipment_latest WHERE equipment_key IN {_KEYS} AND equipment_key % 2 = 0",
    "the number of machines": "UPDATE fleet SET machine_count = machine_count + 100 WHERE customer_id = $1",
}


@pytest.mark.parametrize("how", BY_HAND)
async def test_a_change_by_hand_is_seen_at_once(
    how: str, read: Reader, read_afresh: Reader, world: World, writer: asyncpg.Connection
) -> None:
    """In no process is anything told of it: PostgreSQL is asked at each request."""
    before = bytes_of(await read())
    await writer.execute(BY_HAND[how], world.member.customer_id)
    told = bytes_of(await read_afresh())
    assert bytes_of(await read()) == told != before


async def test_a_change_is_seen_once_it_is_committed_and_not_before(
    read: Reader, world: World, writer: asyncpg.Connection
) -> None:
    """The page is read and remembered while the change is under way, which its snapshot did not see."""
    statement = "UPDATE equipment_latest SET cumulative_operating_hours = 77 WHERE customer_id = $1"
    transaction = writer.transaction()
    await transaction.start()
    await writer.execute(statement, world.member.customer_id)
    before = await read()
    assert plant(world) == 1
    assert (await read()).extensions["raw"] == b"from memory"
    await transaction.commit()
    after = await read()
    assert b"<Hour>77.00</Hour>" in after.extensions["raw"]
    assert b"<Hour>77.00</Hour>" not in before.extensions["raw"]


async def test_what_is_rolled_back_changes_nothing(
    read: Reader, world: World, writer: asyncpg.Connection
) -> None:
    await read()
    transaction = writer.transaction()
    await transaction.start()
    await writer.execute("DELETE FROM equipment_latest WHERE customer_id = $1", world.member.customer_id)
    await transaction.rollback()
    assert plant(world) == 1
    assert (await read()).extensions["raw"] == b"from memory"


async def test_every_verb_that_changes_a_fleet_is_seen_at_once(
    read: Reader, read_afresh: Reader, world: World
) -> None:
    context, member = world.context, world.member
    other = (await World.make(context)).member

    async def same() -> bytes:
        told = bytes_of(await read_afresh())
        assert bytes_of(await read()) == told
        return told[1]

    seen = {await same()}
    later = NOW + timedelta(hours=1)
    await import_machines(context, member.customer_id, [machine("PIN1", hours=9, at=later)])
    seen.add(await same())
    await import_machines(context, member.customer_id, [machine("PIN4", hours=1)])
    seen.add(await same())
    await release_machine(context, COMMAND_LINE, member, "PIN2")
    seen.add(await same())
    await transfer_machine(context, COMMAND_LINE, member, other, "PIN3")
    seen.add(await same())
    await transfer_machine(context, COMMAND_LINE, other, member, "PIN3")
    seen.add(await same())
    assert len(seen) == 6


async def test_another_customer_changes_nothing(read: Reader, world: World) -> None:
    await read()
    stranger = await World.make(world.context)
    await fill(world.context, stranger.member.customer_id, "OTHER")
    assert plant(world) == 1
    assert (await read()).extensions["raw"] == b"from memory"


async def test_a_choice_of_machines_has_pages_of_its_own(
    read: Reader, read_afresh: Reader, world: World
) -> None:
    """R-71: what was remembered before the choice, or for another choice, is given to nobody after it."""
    whole = bytes_of(await read())
    await change(read.browser, world, await these(world, "PIN2"))
    narrowed = bytes_of(await read())
    assert narrowed == bytes_of(await read_afresh()) != whole
    assert b"PIN1" not in narrowed[1]
    assert plant(world) == 2
    assert (await read()).extensions["raw"] == b"from memory"
    # A machine that is sold leaves the choice, and its page.
    other = (await World.make(world.context)).member
    await transfer_machine(world.context, COMMAND_LINE, world.member, other, "PIN2")
    assert b"PIN2" not in (await read()).extensions["raw"]


async def test_nothing_is_believed_while_changes_are_not_heard(read: Reader, services: Services) -> None:
    """R-72: a memory whose listener hears nothing is no memory."""
    deaf = Changes()
    app: FastAPI = services.like(changes=deaf, pages=Pages(deaf, most_bytes=1_000_000))
    async with Browser(app) as browser:
        await Reader(browser, read.token)()
        [key] = app.state.context.pages._kept
        assert app.state.context.pages.recall(key) is None
        deaf.believed_until = float("inf")
        assert app.state.context.pages.recall(key) is not None
        deaf._forget()
        assert app.state.context.pages.recall(key) is None


@pytest.mark.parametrize(
    "address", [f"{FIRST}?x=1", "/api/v2/fleet/1", "/api/v2/Fleet/1/", "/api/v2/Fleet/%31"]
)
async def test_an_odd_spelling_is_not_remembered(address: str, read: Reader, world: World) -> None:
    """A client could fill the memory with as many spellings as it likes."""
    answer = await read(address)
    assert answer.status_code == 200
    assert plant(world) == 0
