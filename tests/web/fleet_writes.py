"""Writes to a fleet of ten machines: by the verbs of the service, and by hand as PostgreSQL's owner writes."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg

from app.aemp.model.identifiers import Name
from app.aemp.model.values import Hours
from app.aemp.read.read import Place
from app.aemp.read.report import Report
from app.flows.fleet.change_owner import release_machine, transfer_machine
from app.flows.fleet.import_fleet import import_machines
from app.flows.fleet.write_telemetry import write_telemetry
from app.oauth.actor import COMMAND_LINE
from tests.support.fleets import NOW, fill, machine
from tests.support.people import World

PINS = [f"PIN{number}" for number in range(10)]
LATER = NOW + timedelta(hours=1)
# By hand, as PostgreSQL's owner does it. $1 is the customer, $2 a PIN.
_KEY = "(SELECT key FROM equipment WHERE customer_id = $1 AND pin = $2)"
HOURS = f"UPDATE equipment_latest SET cumulative_operating_hours = $3 WHERE equipment_key = {_KEY}"
RENAME = "UPDATE equipment SET equipment_id = $3 WHERE customer_id = $1 AND pin = $2"
FORGET = f"DELETE FROM equipment_latest WHERE equipment_key = {_KEY}"
ELSEWHERE = f"UPDATE equipment_latest SET customer_id = $3 WHERE equipment_key = {_KEY}"
TELL = f"""
INSERT INTO equipment_latest (equipment_key, customer_id, cumulative_operating_hours_at, cumulative_operating_hours)
VALUES ({_KEY}, $1, $3, 5) ON CONFLICT (equipment_key)
DO UPDATE SET cumulative_operating_hours_at = $3, cumulative_operating_hours = 5
"""
GIVE = "UPDATE equipment SET customer_id = $3 WHERE customer_id = $1 AND pin = $2"
PLACE = "UPDATE equipment SET position = $3 WHERE customer_id = $1 AND pin = $2"


async def write(writer: asyncpg.Connection, statement: str, *arguments: object) -> None:
    """It changes one row."""
    assert (await writer.execute(statement, *arguments)).endswith(" 1")


async def by_import(world: World, _writer: asyncpg.Connection) -> None:
    told = [machine("PIN3", hours=9, at=LATER)]
    await import_machines(world.context, world.member.customer_id, told)


async def by_telemetry(world: World, _writer: asyncpg.Connection) -> None:
    reading = Hours(LATER, 9)
    reports = [Report(Place(1), Name("pin", "PIN3"), (("CumulativeOperatingHours", reading),))]
    written = await write_telemetry(world.context, world.member.customer_id, iter(reports))
    assert written.stored == 1


async def by_hand(world: World, writer: asyncpg.Connection) -> None:
    await write(writer, HOURS, world.member.customer_id, "PIN3", 9.0)


async def within_a_savepoint(world: World, writer: asyncpg.Connection) -> None:
    """The row has the number of that part of the transaction, which no snapshot knows."""
    async with writer.transaction():
        await writer.execute("SELECT pg_current_xact_id()")
        async with writer.transaction():
            await by_hand(world, writer)


async def renamed(world: World, writer: asyncpg.Connection) -> None:
    await write(writer, RENAME, world.member.customer_id, "PIN3", "Ä <7>")


async def figures_deleted(world: World, writer: asyncpg.Connection) -> None:
    await write(writer, FORGET, world.member.customer_id, "PIN3")


async def figures_for_another(world: World, writer: asyncpg.Connection) -> None:
    """As many machines have some as before."""
    async with writer.transaction():
        await figures_deleted(world, writer)
        await write(writer, TELL, world.member.customer_id, "PIN9", LATER)


async def figures_elsewhere(world: World, writer: asyncpg.Connection) -> None:
    other = (await World.make(world.context)).member
    await write(writer, ELSEWHERE, world.member.customer_id, "PIN3", other.customer_id)


async def left(world: World, _writer: asyncpg.Connection) -> None:
    """The last machine takes its place."""
    await release_machine(world.context, COMMAND_LINE, world.member, "PIN3")


async def given_away_and_back(world: World, _writer: asyncpg.Connection) -> None:
    """It stands last, and what it reported is the other's."""
    other = (await World.make(world.context)).member
    await transfer_machine(world.context, COMMAND_LINE, world.member, other, "PIN3")
    await transfer_machine(world.context, COMMAND_LINE, other, world.member, "PIN3")


async def given_away_by_hand(world: World, writer: asyncpg.Connection) -> None:
    """The count in the row of the fleet is as it was."""
    other = (await World.make(world.context)).member
    await write(writer, GIVE, world.member.customer_id, "PIN3", other.customer_id)


async def places_exchanged_by_hand(world: World, writer: asyncpg.Connection) -> None:
    async with writer.transaction():
        await writer.execute("SET CONSTRAINTS ALL DEFERRED")
        for pin, position in (("PIN3", 6), ("PIN5", 4)):
            await write(writer, PLACE, world.member.customer_id, pin, position)


async def one_more(world: World, _writer: asyncpg.Connection) -> None:
    await fill(world.context, world.member.customer_id, "PIN10")


Change = Callable[[World, asyncpg.Connection], Awaitable[None]]
# Writes of figures, and of what more a page shows.
OF_FIGURES: list[Change] = [by_import, by_telemetry, by_hand, within_a_savepoint]
OF_MORE: list[Change] = [
    renamed,
    figures_deleted,
    figures_for_another,
    figures_elsewhere,
    left,
    given_away_and_back,
    given_away_by_hand,
    places_exchanged_by_hand,
    one_more,
]
