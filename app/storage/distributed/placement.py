"""Which tables Citus is to spread over its nodes, and how they lie now."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from app.storage.distributed.functions import HOLDER
from app.storage.postgres.database import Statements

# Every row has the bucket of its owner, so what rests on each other lies on one node. All other tables stay with the
# coordinator, where they are what they were: their triggers notify, and their rows are locked and judged in one place.
BY_BUCKET = ("authorization_grant", "classic_token", "strict_token", "refresh_token", "legacy_token")
COLUMN = "bucket"

Spread = Literal["plain", "whole", "half", "none"]


@dataclass(frozen=True, slots=True)
class Placement:
    """How Citus holds a table. column: by which it is spread; None where it is not. together: the number of its group."""

    column: str | None
    together: int


@dataclass(frozen=True, slots=True)
class DistributionFacts:
    """version: of the extension in this database; None without. placed: by the name of the table.

    edition: of the functions that the database has; None without.
    """

    version: str | None
    placed: Mapping[str, Placement]
    edition: str | None = None

    @property
    def astray(self) -> tuple[str, ...]:
        """Tables that Citus holds, and otherwise than they should be: by another column, or apart from the others."""
        held = {name: self.placed[name] for name in BY_BUCKET if name in self.placed}
        first = next(iter(held.values()), None)
        return tuple(name for name, placed in held.items() if placed.column != COLUMN or placed != first)

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(name for name in BY_BUCKET if name not in self.placed)

    @property
    def spread(self) -> Spread:
        """plain: no Citus here. none: Citus, and no table of tokens is spread."""
        if self.version is None:
            return "plain"
        if len(self.missing) == len(BY_BUCKET):
            return "none"
        return "half" if self.missing or self.astray else "whole"


SELECT_CITUS = "SELECT extversion AS version FROM pg_extension WHERE extname = 'citus'"
SELECT_EDITION = f"SELECT obj_description(to_regprocedure('{HOLDER}'), 'pg_proc') AS edition"  # no password
_PLACED = """
SELECT c.relname::text AS name, d.colocationid AS together,
       CASE WHEN d.partmethod = 'h' THEN column_to_column_name(d.logicalrelid, d.partkey) END AS by
FROM pg_dist_partition d JOIN pg_class c ON c.oid = d.logicalrelid AND c.relnamespace = 'public'::regnamespace
WHERE c.relname = ANY($1::text[])
"""


async def select_distribution_facts(statements: Statements) -> DistributionFacts:
    """One look, and a second where there is a Citus to be asked."""
    citus = await statements.row(SELECT_CITUS)
    if citus is None:
        return DistributionFacts(None, {})
    rows = await statements.rows(_PLACED, list(BY_BUCKET))
    made = await statements.row(SELECT_EDITION)
    placed = {row["name"]: Placement(row["by"], row["together"]) for row in rows}
    return DistributionFacts(citus["version"], placed, made["edition"] if made else None)


def astray_told(facts: DistributionFacts) -> str:
    """Say which table lies otherwise than it should, and what undoes that."""
    name = facts.astray[0]
    return f"{name} is not distributed by {COLUMN} together with the others: run `SELECT undistribute_table('{name}')`"
