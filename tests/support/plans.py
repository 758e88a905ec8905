"""The plan that PostgreSQL makes of a prepared statement once for all, with what it read when it ran."""

import json
from collections.abc import Iterator
from typing import Any

from app.storage.postgres.database import Transaction


async def plan_of(transaction: Transaction, statement: str, *literals: str) -> dict[str, Any]:
    """The plan of a statement in the session of this transaction.

    literals: its parameters as SQL has them, quotes and all. The statement is run, so one that writes has written.
    """
    await transaction.count(f"PREPARE asked AS {statement}")
    row = await transaction.row(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE asked({', '.join(literals)})")
    await transaction.count("DEALLOCATE asked")
    assert row is not None
    plan: dict[str, Any] = json.loads(row["QUERY PLAN"])[0]["Plan"]
    return plan


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The nodes of a plan from its top, each before those beneath it."""
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes_of(part)
