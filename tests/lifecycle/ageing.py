"""Days that pass for a token: its row is made older by hand, in statements that Citus takes as well.

Citus computes nothing from a column of a row that it changes, so the row is read, and its new times are told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.storage.postgres.changes import CHANNEL
from tests.support.spread import COORDINATOR

_BUCKET = 0xFFF  # the last 12 bits of an id


@dataclass(frozen=True, slots=True)
class Days:
    """idle: since the last use. absolute: since the issue."""

    idle: timedelta
    absolute: timedelta


def _renewable(row: Mapping[str, datetime], days: Days) -> dict[str, datetime]:
    last = row["absolute_expires_at"] - days.absolute
    return {"expires_at": min(row["expires_at"] - days.idle, last), "absolute_expires_at": last}


def _classic(row: Mapping[str, datetime], days: Days) -> dict[str, datetime]:
    return {"used_at": row["used_at"] - days.idle, **_renewable(row, days)}


def _fixed(row: Mapping[str, datetime], days: Days) -> dict[str, datetime]:
    return {"expires_at": row["expires_at"] - max(days.idle, days.absolute)}


_OLDER = {
    "classic_token": _classic,
    "refresh_token": _renewable,
    "strict_token": _fixed,
    "legacy_token": _fixed,
}


async def make_older(owner: Any, table: str, token_id: UUID, days: Days) -> None:
    """As the owner of the database, whose changes the triggers tell. Where Citus has none, the change is told here."""
    here = token_id, token_id.int & _BUCKET
    async with owner.transaction():
        row = await owner.fetchrow(f"SELECT * FROM {table} WHERE id = $1 AND bucket = $2 FOR UPDATE", *here)
        times = _OLDER[table](row, days)
        told = ", ".join(f"{name} = ${number}" for number, name in enumerate(times, len(here) + 1))
        await owner.execute(
            f"UPDATE {table} SET {told} WHERE id = $1 AND bucket = $2", *here, *times.values()
        )
        if COORDINATOR:
            await owner.execute("SELECT pg_notify($1, $2)", CHANNEL, str(token_id))
