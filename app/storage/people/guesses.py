"""How many passwords were guessed lately, counted in rows that every process shares."""

from collections.abc import Mapping
from datetime import timedelta

from app.storage.postgres.database import Statements

# The row's level, drained since it was written. It stands twice, and must not differ.
_DRAINED = "greatest(0, g.level - extract(epoch FROM clock_timestamp() - g.at) / extract(epoch FROM {window}::interval))"


def levels_in(table: str) -> str:
    """The statement that reads how much of its limit each name of a table has used."""
    return f"SELECT g.name, {_DRAINED.format(window='$2')} AS level FROM {table} g WHERE g.name = ANY ($1::text[])"


def upsert_in(table: str) -> str:
    """The statement that counts an event. Rows are locked in the order of their names, so that two never wait for each other."""
    return f"""
INSERT INTO {table} AS g (name, level, at)
SELECT asked.name, asked.part, clock_timestamp()
FROM unnest($1::text[], $2::double precision[]) AS asked (name, part) ORDER BY asked.name
ON CONFLICT (name) DO UPDATE SET level = {_DRAINED.format(window="$3")} + EXCLUDED.level, at = clock_timestamp()
RETURNING g.name, g.level
"""


def refund_in(table: str) -> str:
    """The statement that takes an event back.

    The level is that of the moment `at`, from which it has drained since; what is taken off drains no more.
    """
    return f"""
WITH locked AS (
    SELECT g.name, asked.part FROM {table} g JOIN unnest($1::text[], $2::double precision[]) AS asked (name, part) USING (name)
    ORDER BY g.name FOR UPDATE OF g
)
UPDATE {table} g SET level = greatest(0, g.level - locked.part) FROM locked WHERE g.name = locked.name
"""


SELECT_GUESS_LEVELS = levels_in("guess")


async def select_guess_levels(
    statements: Statements, names: tuple[str, ...], window: timedelta
) -> dict[str, float]:
    """The share of its limit that each name has used; a name that never guessed is missing. No lock is taken."""
    rows = await statements.rows(SELECT_GUESS_LEVELS, names, window)
    return {row["name"]: float(row["level"]) for row in rows}


UPSERT_GUESSES = upsert_in("guess")


async def upsert_guesses(
    statements: Statements, parts: Mapping[str, float], window: timedelta
) -> dict[str, float]:
    """The level of each name with this attempt in it. The rows stay locked until the transaction ends.

    parts: the share of its limit that one attempt takes from each name.
    """
    rows = await statements.rows(UPSERT_GUESSES, [*parts], [*parts.values()], window)
    return {row["name"]: float(row["level"]) for row in rows}


REFUND_GUESSES = refund_in("guess")


async def refund_guesses(statements: Statements, parts: Mapping[str, float]) -> None:
    await statements.count(REFUND_GUESSES, [*parts], [*parts.values()])
