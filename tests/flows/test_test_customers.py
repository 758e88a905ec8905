"""Test customers: one for each owner, whose machines go on reporting while somebody reads them."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from app.context import Context
from app.flows.developer.test_customer import INTERVAL, MACHINES, give_test_customer, report_once
from app.flows.fleet.read_fleet import read_fleet_page
from app.oauth.actor import Actor
from app.oauth.token_string import new_id
from app.storage.fleet.fleet import select_newest_at
from app.storage.fleet.view import FleetView
from app.storage.people.people import Person, insert_person
from tests.support.changing import as_owner
from tests.support.people import MADE

READ = """
INSERT INTO connection_read (customer_id, application_id, equipment_key, day, kind, connection_version, reads, last_at)
VALUES ($1, $2, 0, current_date, 1, 1, 1, clock_timestamp() - $3::interval)
"""


@pytest.fixture
async def person(context: Context) -> Person:
    person = Person(new_id(), f"olga.{new_id().hex}@sitewise.example", "Olga")
    await insert_person(context.database, person, "nobody's")
    return person


async def given(context: Context, person: Person) -> Person:
    """The same person, whose test customer is the only one that may be due."""
    customer_id = await give_test_customer(context, Actor("application owner", person.id), person)
    MADE.append(customer_id)
    return replace(person, customer_id=customer_id)


async def age(database_url: str, person: Person, by: timedelta) -> None:
    """Let all test customers pause, and this one be as old."""
    await as_owner(database_url, "UPDATE customer SET simulated_at = 'infinity' WHERE tester_id IS NOT NULL")
    await as_owner(
        database_url,
        "UPDATE customer SET created_at = created_at - $2::interval, simulated_at = NULL WHERE id = $1",
        person.customer_id,
        by,
    )


async def test_two_requests_at_once_make_one(context: Context, person: Person) -> None:
    actor = Actor("application owner", person.id)
    made = await asyncio.gather(*(give_test_customer(context, actor, person) for _ in range(3)))
    MADE.append(made[0])
    assert len(set(made)) == 1
    assert len((await read_fleet_page(context, FleetView(made[0]), 1)).machines) == MACHINES


async def test_the_same_machines_go_on(context: Context, database_url: str, person: Person) -> None:
    owner = await given(context, person)
    assert owner.customer_id
    before = await read_fleet_page(context, FleetView(owner.customer_id), 1)
    first = await select_newest_at(context.database, owner.customer_id)
    await age(database_url, owner, timedelta(hours=1))
    later = replace(context, now=lambda: context.now() + timedelta(hours=1))
    assert await report_once(later)
    after = await read_fleet_page(context, FleetView(owner.customer_id), 1)
    second = await select_newest_at(context.database, owner.customer_id)
    assert [each.header.serial_number for each in after.machines] == [
        each.header.serial_number for each in before.machines
    ]
    assert first
    assert second == first + timedelta(hours=1)
    assert not await report_once(later)


@pytest.mark.parametrize(("unread", "reports"), [(timedelta(hours=2), True), (timedelta(hours=30), False)])
async def test_a_customer_that_nobody_reads_pauses(
    context: Context, database_url: str, person: Person, unread: timedelta, *, reports: bool
) -> None:
    owner = await given(context, person)
    await age(database_url, owner, timedelta(days=3))
    await context.database.count(READ, owner.customer_id, new_id(), unread)
    assert await report_once(context) is reports


async def test_each_is_claimed_once_in_an_interval(
    context: Context, database_url: str, person: Person
) -> None:
    owner = await given(context, person)
    await age(database_url, owner, INTERVAL + timedelta(minutes=1))
    assert sorted(await asyncio.gather(*(report_once(context) for _ in range(3)))) == [False, False, True]
