"""What is known of an application by those who use it already: since when, and how many."""

from dataclasses import dataclass
from datetime import datetime

from app.context import Context
from app.storage.people.applications import Application
from app.storage.token.customers_of import count_customers

MOST_CUSTOMERS = 1000


@dataclass(frozen=True, slots=True)
class Known:
    """since: None in test mode. customers: how many use it; at most MOST_CUSTOMERS, and more: whether there are others."""

    since: datetime | None
    customers: int
    more: bool


async def read_known(context: Context, application: Application) -> Known:
    """Counted anew for each page, up to a bound; nothing is counted in test mode."""
    if application.client.test:
        return Known(None, 0, more=False)
    counted = await count_customers(context.database, application.client.id, MOST_CUSTOMERS + 1)
    return Known(application.live_at, min(counted, MOST_CUSTOMERS), more=counted > MOST_CUSTOMERS)
