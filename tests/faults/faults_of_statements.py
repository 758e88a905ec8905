"""Faults of single statements: a trigger of the database refuses some, with a SQLSTATE that is chosen."""

import asyncio
from dataclasses import dataclass
from functools import partial
from random import Random

import asyncpg

from tests.faults.fault import Fault
from tests.faults.ground import Ground

# The count stays although the statement is rolled back: a sequence knows no transaction.
_MAKE = """
CREATE SEQUENCE fault_bite;
CREATE FUNCTION fault_bites() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    IF random() < {likely} THEN
        PERFORM nextval('public.fault_bite');
        RAISE EXCEPTION 'a fault that was made' USING ERRCODE = '{sqlstate}';
    END IF;
    RETURN NEW;
END $$;
"""
_ON = "CREATE TRIGGER fault_{event} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION fault_bites()"
_AT_COMMIT = (
    "CREATE CONSTRAINT TRIGGER fault_{event} AFTER {event} ON {table} DEFERRABLE INITIALLY DEFERRED "
    "FOR EACH ROW EXECUTE FUNCTION fault_bites()"
)
_REMOVE = "DROP FUNCTION fault_bites CASCADE"
_COUNT = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM fault_bite"

_EVENTS = (
    ("INSERT", "authorization_grant"),
    ("UPDATE", "authorization_grant"),
    ("INSERT", "classic_token"),
    ("UPDATE", "classic_token"),
    ("INSERT", "strict_token"),
    ("UPDATE", "refresh_token"),
    ("INSERT", "refresh_token"),
    ("INSERT", "audit_event"),
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """sqlstate: of a refusal that passes by itself. at_commit: as late as can be."""

    name: str
    sqlstate: str
    at_commit: bool = False


async def _strike(ground: Ground, chance: Random, *, refusal: Refusal) -> int:
    """R-29, R-30, R-93: some of several statements, for a while."""
    made = _AT_COMMIT if refusal.at_commit else _ON
    events = [each for each in _EVENTS if not refusal.at_commit or each[1] == "authorization_grant"]
    async with ground.owner() as owner:
        await owner.execute(_MAKE.format(likely=chance.choice((0.05, 0.2, 0.5)), sqlstate=refusal.sqlstate))
        try:
            for event, table in chance.sample(events, min(len(events), chance.randint(2, 5))):
                await owner.execute(made.format(event=event, table=table))
            await asyncio.sleep(chance.uniform(1.0, 2.5))
            return int(await owner.fetchval(_COUNT))
        finally:
            await _remove(owner)


async def _remove(owner: asyncpg.Connection) -> None:
    """It waits for the tables' locks, and gives way to statements that hold one and wait for another."""
    while True:
        try:
            await owner.execute(f"{_REMOVE}; DROP SEQUENCE fault_bite")
        except asyncpg.DeadlockDetectedError:
            await asyncio.sleep(0.05)
        else:
            return


_REFUSALS = (
    Refusal("serialization failure", "40001"),
    Refusal("deadlock", "40P01"),
    Refusal("disk full", "53100"),
    Refusal("statement cancelled", "57014"),
    Refusal("input or output failed", "58030"),
    Refusal("in use", "55P03"),
    Refusal("refused at commit", "40001", at_commit=True),
)

FAULTS = tuple(
    Fault(f"statements fail: {each.name}", "statements refused", partial(_strike, refusal=each), times=2)
    for each in _REFUSALS
)
