"""What a reader sees of a fleet: whose machines, which of them, and from when on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from functools import cache
from typing import NamedTuple
from uuid import UUID

from app.storage.postgres.database import BY_KEY, Database, Row, Transaction


class FleetView(NamedTuple):
    """share: the number of the chosen machines; None for all. history_from: None for all that there is."""

    customer_id: UUID
    share: int | None = None
    history_from: datetime | None = None


# Row-level security shows nothing where one of the three is not named.
_SETTINGS = """
set_config('rovitracker.customer', {}, true), set_config('rovitracker.share', {}, true),
set_config('rovitracker.history_from', {}, true)
"""
SET_VIEW = f"SELECT {_SETTINGS.format('$1', '$2', '$3')}"
SET_WALKING = f"SET LOCAL random_page_cost = {BY_KEY['random_page_cost']}"


class SeenFleet(NamedTuple):
    """Statements that see the rows of a view alone, each by itself.

    Statement and view are sent together, so that one exchange with PostgreSQL does for what a transaction takes four for.
    """

    database: Database
    view: FleetView

    async def rows(self, statement: str, *arguments: object) -> list[Row]:
        return await self.database.rows(in_view(statement, len(arguments)), *arguments, *_settings(self.view))

    async def walk(self, statement: str, *arguments: object) -> list[Row]:
        """The same for one that walks along an index up to the end of a page."""
        if not self.database.is_pooled:
            return await self.rows(statement, *arguments)
        async with walking(self.database) as transaction:
            asked = in_view(statement, len(arguments))
            return await transaction.rows(asked, *arguments, *_settings(self.view))


@cache
def in_view(statement: str, arguments: int) -> str:
    """The statement behind the settings of a view, its last three arguments.

    A condition that names no column is asked once, before any row is looked at. If that came later, no row would show.
    """
    settings = _SETTINGS.format(*(f"${arguments + place}" for place in (1, 2, 3)))
    return f"SELECT shown.* FROM ({statement}) AS shown WHERE (SELECT num_nulls({settings})) = 0"


@asynccontextmanager
async def walking(database: Database) -> AsyncIterator[Transaction]:
    """A transaction that plans walks along indexes, in a pooler's session too."""
    async with database.transaction() as transaction:
        if database.is_pooled:
            await transaction.count(SET_WALKING)
        yield transaction


@asynccontextmanager
async def fleet_of(database: Database, view: FleetView) -> AsyncIterator[Transaction]:
    """A transaction that sees the rows of this view alone."""
    async with database.transaction() as transaction:
        await transaction.row(SET_VIEW, *_settings(view))
        yield transaction


def _settings(view: FleetView) -> tuple[str, str, str]:
    share = "all" if view.share is None else str(view.share)
    return str(view.customer_id), share, view.history_from.isoformat() if view.history_from else "-infinity"
