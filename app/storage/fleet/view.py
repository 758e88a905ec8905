"""What a reader sees of a fleet: whose machines, which of them, and from when on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from app.storage.postgres.database import Database, Transaction


class FleetView(NamedTuple):
    """share: the number of the chosen machines; None for all. history_from: None for all that there is."""

    customer_id: UUID
    share: int | None = None
    history_from: datetime | None = None


# Row-level security shows nothing where one of the three is not named.
SET_VIEW = """
SELECT set_config('rovitracker.customer', $1, true), set_config('rovitracker.share', $2, true),
       set_config('rovitracker.history_from', $3, true)
"""
# A plan that is made once does not know how long a range is, and takes a sort of all of it for cheaper than the walk
# along the index that can end after a page.
SET_SERIES_VIEW = f"""
{SET_VIEW}, set_config('enable_sort', 'off', true), set_config('enable_bitmapscan', 'off', true)
"""


@asynccontextmanager
async def fleet_of(database: Database, view: FleetView) -> AsyncIterator[Transaction]:
    """A transaction that sees the rows of this view alone."""
    async with database.transaction() as transaction:
        await transaction.row(SET_VIEW, *_settings(view))
        yield transaction


@asynccontextmanager
async def series_of(database: Database, view: FleetView) -> AsyncIterator[Transaction]:
    """The same, which walks along indexes."""
    async with database.transaction() as transaction:
        await transaction.row(SET_SERIES_VIEW, *_settings(view))
        yield transaction


def _settings(view: FleetView) -> tuple[str, str, str]:
    share = "all" if view.share is None else str(view.share)
    return str(view.customer_id), share, view.history_from.isoformat() if view.history_from else "-infinity"
