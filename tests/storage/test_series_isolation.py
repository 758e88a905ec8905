"""History behind the second lock: statements without their own period of ownership still show one customer's readings alone."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from app.context import Context
from app.oauth.token_string import new_id
from app.storage.fleet import series
from app.storage.fleet.fleet_import import ingest
from app.storage.postgres.database import Row, Transaction
from tests.support.fleets import seen_by
from tests.support.people import World

STATEMENTS = {
    name: value
    for name, value in vars(series).items()
    if name.startswith(("SELECT_", "COUNT_")) and isinstance(value, str)
}
METRIC, SWITCH, FAULT = 3, 101, 1
# The arguments of each beside machine, range and customer. A new statement is added here.
ASKED: dict[str, tuple[object, ...]] = {
    "SELECT_READINGS": (METRIC, 0),
    "SELECT_SWITCHES": ([SWITCH], 0),
    "SELECT_POSITIONS": (0,),
    "SELECT_FAULTS": (FAULT, 0),
    "SELECT_REPORTED": ([METRIC, SWITCH], [FAULT]),
    "COUNT_READINGS": (METRIC,),
    "COUNT_SWITCHES": ([SWITCH],),
    "COUNT_POSITIONS": (),
    "COUNT_FAULTS": (FAULT,),
}
PERIOD = r"at <@ \(SELECT range_agg\(during\) FROM equipment_ownership WHERE equipment_key = \$1 AND customer_id = \$4\)"

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
        times = sorted(self.told.values())
        return self.key, times[0], times[-1], next(iter(self.told)), *ASKED[name]


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
    opened, count = re.subn(PERIOD, "$4::uuid IS NOT NULL", STATEMENTS[name])
    assert count
    assert "customer_id" not in opened
    return opened


def found(rows: list[Row]) -> int:
    return sum(row.get("count", 1) for row in rows)


@pytest.mark.parametrize("name", STATEMENTS)
async def test_each_owner_is_shown_what_was_told_in_their_own_time(
    name: str, handed: Handed, context: Context
) -> None:
    """R-71: whatever is asked, and a stranger nothing."""
    statement, asked = without_period(name), handed.asked(name)
    for owner, at in handed.told.items():
        rows = await seen_by(context, owner, statement, *asked)
        assert {row["at"] for row in rows if "at" in row} <= {at}
        assert found(rows) == (4 if name == "SELECT_REPORTED" else 1)
    assert found(await seen_by(context, uuid4(), statement, *asked)) == 0


@pytest.mark.parametrize("name", [name for name in STATEMENTS if name != "SELECT_REPORTED"])
async def test_without_the_second_lock_the_same_words_would_show_both(
    name: str, handed: Handed, context: Context
) -> None:
    """So it is the lock that parts them above."""
    async with ingest(context.database) as transaction:
        assert found(await transaction.rows(without_period(name), *handed.asked(name))) == 2
