"""Row-level security as the second lock: statements whose own condition is taken away still show one customer's rows alone."""

import importlib
import re
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from app.context import Context
from app.flows.fleet.change_owner import release_machine
from app.flows.fleet.import_fleet import import_machines
from app.oauth.actor import COMMAND_LINE
from app.storage.fleet.fleet import COUNT_HEARD, count_heard
from app.storage.people.members import Member, member_of
from app.storage.people.people import select_person_by_id
from app.storage.postgres.database import Row
from tests.support.fleets import fill, machine, seen_by
from tests.support.people import World

# Where statements are asked after the customer is named.
MODULES = ("fleet.fleet",)

STATEMENTS = {
    name: value
    for module in MODULES
    for name, value in vars(importlib.import_module(f"app.storage.{module}")).items()
    if name.startswith("SELECT_") and isinstance(value, str)
}
# The arguments of each beside the customer, to ask for the owner's machines. A new statement is added here.
ASKED: dict[str, tuple[object, ...]] = {
    "SELECT_FLEET_PAGE": (1, 100),
    "SELECT_MAPPED_PAGE": (1, 100, 0, 4, 4),
    "SELECT_EQUIPMENT": ("OWN3", [1, 2, 3], None, None),
}


async def owned(context: Context, mark: str) -> UUID:
    """A customer of three machines, one of which has taken the place of one that left."""
    world = await World.make(context)
    customer_id = world.member.customer_id
    await fill(context, customer_id, f"{mark}0", f"{mark}1", f"{mark}2")
    await import_machines(context, customer_id, [machine(f"{mark}3", hours=3)])
    await release_machine(context, COMMAND_LINE, world.member, f"{mark}0")
    return customer_id


def opened(statement: str, condition: str) -> str:
    """The statement without its condition on whose rows it wants."""
    whatever, count = re.subn(condition, "$1::uuid IS NOT NULL", statement)
    assert count
    return whatever


@pytest.mark.parametrize("name", STATEMENTS)
async def test_statement_without_its_conditions_shows_the_named_customers_rows_alone(
    name: str, context: Context
) -> None:
    """R-71: of every table it reads, since the conditions between the tables are gone too."""
    owner, other = await owned(context, "OWN"), await owned(context, "OTHER")
    statement = opened(STATEMENTS[name], r"\b\w+\.customer_id = (\$1|\w+\.customer_id)")
    assert "customer_id =" not in statement
    shown = await seen_by(context, other, statement, owner, *ASKED[name])
    assert not marked(shown, "OWN")
    assert marked(shown, "OTHER") or name == "SELECT_EQUIPMENT"
    assert not await seen_by(context, uuid4(), statement, owner, *ASKED[name])


@pytest.mark.parametrize("name", STATEMENTS)
async def test_without_the_second_lock_the_same_words_would_show_the_owners_rows(
    name: str, context: Context
) -> None:
    """So it is the lock that holds them back above: whoever may see every customer's is shown these too."""
    owner = await owned(context, "OWN")
    statement = opened(STATEMENTS[name], r"\b\w+\.customer_id = \$1")
    async with context.database.transaction() as transaction:
        await transaction.count("SET LOCAL ROLE rovitracker_ingest")
        everything = await transaction.rows(statement, owner, *ASKED[name])
    assert marked(everything, "OWN")


async def test_machines_heard_of_are_counted_under_the_second_lock_too(context: Context) -> None:
    """R-71: without its condition, and with the owner's id, the statement counts the named customer's machines alone."""
    owner, other = await owned(context, "OWN"), await owned(context, "OTHER")
    await release_machine(context, COMMAND_LINE, await _member_of(context, other), "OTHER1")
    since = datetime(2000, 1, 1, tzinfo=UTC)
    statement = opened(COUNT_HEARD, r"\b\w+\.customer_id = \$1")
    [row] = await seen_by(context, other, statement, owner, since)
    assert (row["machines"], row["heard"]) == (2, 2)
    assert await count_heard(context.database, owner, since) == (3, 3)
    assert await count_heard(context.database, owner, datetime(2099, 1, 1, tzinfo=UTC)) == (3, 0)
    assert await count_heard(context.database, uuid4(), since) == (0, 0)


async def _member_of(context: Context, customer_id: UUID) -> Member:
    statement = "SELECT person_id FROM customer_member WHERE customer_id = $1"
    [row] = await context.database.rows(statement, customer_id)
    member = member_of(await select_person_by_id(context.database, row["person_id"]))
    assert member is not None
    return member


def marked(rows: list[Row], mark: str) -> set[str]:
    return {row["pin"] for row in rows if str(row["pin"]).startswith(mark)}
