"""History behind the second lock: statements without their own period of ownership still show one customer's readings alone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from uuid import UUID, uuid4

import pytest

from app.aemp.model.series import LOCATIONS, SERIES, SWITCHES
from app.context import Context
from app.oauth.token_string import new_id
from app.storage.fleet import series
from app.storage.fleet.fleet import NAMED_KEYS, NAMED_MACHINES
from app.storage.fleet.fleet_import import ingest
from app.storage.fleet.series import page_statement
from app.storage.postgres.database import Row, Transaction
from tests.support.fleets import seen_by
from tests.support.people import World

METRIC, SWITCH, FAULT = 3, 101, 1


ANY_MACHINE = """
FROM (SELECT $2::text::bigint AS equipment_key, 1 AS kind
      WHERE num_nulls($1::uuid, $3::smallint[], $4::text, $5::text) >= 0) AS i
"""


def page_statements() -> Iterator[tuple[str, str]]:
    """Each that any series is read by, about whichever machine is named, as if the customer had it."""
    for each, counted in product(SERIES, (False, True)):
        by_key = page_statement(each, by_make=False, counted=counted)
        by_make = page_statement(each, by_make=True, counted=counted)
        statement = by_key.replace(NAMED_KEYS, ANY_MACHINE)
        assert ANY_MACHINE in statement
        assert statement == by_make.replace(NAMED_MACHINES, ANY_MACHINE)
        told = "positions" if each is LOCATIONS else "faults" if each.fault_kind else "readings"
        name = "switches" if each is SWITCHES else told
        yield f"{name}, counted" if counted else name, statement


REPORTED = "SELECT_REPORTED"
STATEMENTS = dict(page_statements()) | {
    name: value
    for name, value in vars(series).items()
    if name.startswith("SELECT_") and isinstance(value, str)
}
# What a page is asked for last: which rows of the table are of the series. A new source of readings is added here.
KINDS: dict[str, tuple[object, ...]] = {
    "readings": (METRIC,),
    "switches": ([SWITCH],),
    "positions": (),
    "faults": (FAULT,),
}
PERIOD = (
    r"at <@ \(SELECT range_agg\(during\) FROM equipment_ownership WHERE equipment_key = (?:\$2|machine\.key) "
    r"AND customer_id = \$1\)"
)

NEW_FLEET = "INSERT INTO fleet (customer_id) VALUES ($1) RETURNING number"
NEW_HISTORY = (
    f"INSERT INTO reading (at, value, equipment_key, fleet_number, metric) SELECT $1, 1, $2, $3, unnest('{{{METRIC},{SWITCH}}}'::int[])",
    "INSERT INTO position (at, latitude, longitude, equipment_key, fleet_number) VALUES ($1, 1, 2, $2, $3)",
    f"INSERT INTO fault (at, equipment_key, fleet_number, kind, code_identifier) VALUES ($1, $2, $3, {FAULT}, 'x')",
)


@dataclass(frozen=True, slots=True)
class Handed:
    """A machine that had two owners, one after the other, and when it told something in the fleet of each."""

    key: int
    told: dict[UUID, datetime]

    def asked(self, name: str) -> tuple[object, ...]:
        """The arguments for the first owner, about all that time."""
        owner, (first, *_, last) = next(iter(self.told)), sorted(self.told.values())
        if name == REPORTED:
            return owner, self.key, first, last, [METRIC, SWITCH], [FAULT]
        return owner, f"{self.key}", [1], None, None, first, last, 0, *KINDS[name.removesuffix(", counted")]


@pytest.fixture
async def handed(context: Context) -> Handed:
    owners = [(await World.make(context)).member.customer_id for _ in range(2)]
    times = [context.now() - timedelta(hours=hours) for hours in (2, 1)]
    machine = Handed(new_id().int % 2**31, dict(zip(owners, times, strict=True)))
    async with ingest(context.database) as transaction:
        for owner, at in machine.told.items():
            await tell(transaction, owner, machine.key, at)
    return machine


async def tell(transaction: Transaction, owner: UUID, key: int, at: datetime) -> None:
    row = await transaction.row(NEW_FLEET, owner)
    assert row is not None
    for statement in NEW_HISTORY:
        await transaction.count(statement, at, key, row["number"])


def without_period(name: str) -> str:
    opened, count = re.subn(PERIOD, "$1::uuid IS NOT NULL", STATEMENTS[name])
    assert count
    assert "range_agg" not in opened
    return opened


def times_in(name: str, rows: list[Row]) -> list[float]:
    """When what is shown was told, in seconds since 1970; as many as its count says."""
    [row] = rows
    assert row["count"] == (len(row["seconds"] or ()) if name.endswith("counted") else None)
    return row["seconds"] or []


PAGES = [name for name in STATEMENTS if name != REPORTED]


@pytest.mark.parametrize("name", PAGES)
async def test_each_owner_is_shown_what_was_told_in_their_own_time(
    name: str, handed: Handed, context: Context
) -> None:
    """R-71: whatever is asked, and a stranger nothing."""
    statement, asked = without_period(name), handed.asked(name)
    for owner, at in handed.told.items():
        assert times_in(name, await seen_by(context, owner, statement, *asked)) == [at.timestamp()]
    assert times_in(name, await seen_by(context, uuid4(), statement, *asked)) == []


async def test_a_stranger_is_not_shown_which_series_there_are(handed: Handed, context: Context) -> None:
    """R-71."""
    statement, asked = without_period(REPORTED), handed.asked(REPORTED)
    for owner in handed.told:
        assert len(await seen_by(context, owner, statement, *asked)) == 4
    assert await seen_by(context, uuid4(), statement, *asked) == []


@pytest.mark.parametrize("name", PAGES)
async def test_without_the_second_lock_the_same_words_would_show_both(
    name: str, handed: Handed, context: Context
) -> None:
    """So it is the lock that parts them above."""
    async with ingest(context.database) as transaction:
        shown = times_in(name, await transaction.rows(without_period(name), *handed.asked(name)))
    assert shown == [at.timestamp() for at in handed.told.values()]


def test_these_are_all_statements_about_readings() -> None:
    assert set(STATEMENTS) == {REPORTED, *KINDS, *(f"{name}, counted" for name in KINDS)}
