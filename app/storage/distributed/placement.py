"""Which tables Citus is to spread over its nodes, how they lie now, and what that means for a start."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from app.storage.distributed.functions import EDITION, HOLDER
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
        first = next((self.placed[name] for name in BY_BUCKET if name in self.placed), None)
        return tuple(
            name
            for name in BY_BUCKET
            if name in self.placed and (self.placed[name].column != COLUMN or self.placed[name] != first)
        )

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


NO_CITUS = "use a PostgreSQL with the extension citus, or take ROVITRACKER_DISTRIBUTED away"
DISTRIBUTE = "rovitracker migrate distribute"


def unfit_distribution(facts: DistributionFacts, *, wanted: bool) -> str | None:
    """What is wrong and, after a colon, what to do; None where nothing is. wanted: whether the setting says citus."""
    if wanted:
        return _unfit_for_citus(facts)
    if facts.spread in ("plain", "none"):
        return None
    return "the tables of tokens are distributed by Citus, and the setting does not say so: set ROVITRACKER_DISTRIBUTED=citus"


def _unfit_for_citus(facts: DistributionFacts) -> str | None:
    said = {
        "plain": f"ROVITRACKER_DISTRIBUTED=citus is set, and this PostgreSQL has no Citus: {NO_CITUS}",
        "none": f"ROVITRACKER_DISTRIBUTED=citus is set, and no table is distributed: run `{DISTRIBUTE}`",
        "half": f"the schema is half distributed, {', '.join(facts.missing)} is not: run `{DISTRIBUTE}`",
    }
    if facts.astray:
        return f"the schema is half distributed, {astray_told(facts)}, then `{DISTRIBUTE}`"
    if facts.spread == "whole" and facts.edition != EDITION:
        return f"the functions of the distribution are of another version: run `{DISTRIBUTE}`"
    return said.get(facts.spread)


def astray_told(facts: DistributionFacts) -> str:
    """Say which table lies otherwise than it should, and what undoes that."""
    name = facts.astray[0]
    return f"{name} is not distributed by {COLUMN} together with the others: run `SELECT undistribute_table('{name}')`"
