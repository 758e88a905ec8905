"""What a connection shows, in the words of authorization details (RFC 9396): for answers about its tokens."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import structlog

from app.context import Context
from app.flows.token.check_token import AccessToken, RefreshToken
from app.oauth.bounds import MOST_LISTED
from app.oauth.fleet_details import NARROWED_SCOPE, write_granted
from app.storage.errors import PassingError
from app.storage.fleet.shares import Names, select_names, select_shared_names
from app.storage.fleet.view import FleetView, fleet_of
from app.storage.postgres.database import Transaction
from app.storage.token.connections import StoredTerms, select_connection

_log = structlog.get_logger()


class Given(NamedTuple):
    """What a grant gives. details: in JSON; None where the application did not ask by them."""

    scope: str
    details: str | None = None


def tells_details(token: AccessToken | RefreshToken) -> bool:
    """Whether introspection says what its connection shows.

    It does where the application asked by details. It does where the customer narrowed the connection too, or a resource
    server could not keep to that (RFC 9396 section 9).
    """
    narrowed = token.share is not None or token.history_from is not None
    return (token.detailed or narrowed) and token.customer_id is not None and token.reaches(NARROWED_SCOPE)


async def read_granted(context: Context, customer_id: UUID, application_id: UUID) -> str | None:
    """What their connection shows now, in JSON; None when it does not stand any more."""
    async with fleet_of(context.database, FleetView(customer_id)) as fleet:
        found = await select_connection(fleet, customer_id, application_id)
        if found is None or not found.connected:
            return None
        return await _of_terms(fleet, customer_id, found.terms)


async def read_granted_or_nothing(context: Context, customer_id: UUID, application_id: UUID) -> str | None:
    """The same beside a token that is committed: where no store answers, the token goes out without it.

    An application that lost its new refresh token would lose the connection. Introspection tells it the details.
    """
    try:
        return await read_granted(context, customer_id, application_id)
    except PassingError as passing:
        _log.warning("token: answered without its authorization details", detail=str(passing))
        return None


async def write_approved(
    fleet: Transaction,
    customer_id: UUID,
    machines: Collection[int] | None,
    *,
    history_from: datetime | None,
    ends_at: datetime | None,
) -> str:
    """What an approval shares, before it is stored. machines: keys of those that are chosen; None for all.

    fleet: a transaction that sees the customer's whole fleet.
    """
    names = None
    if machines is not None:
        names = await select_names(fleet, customer_id, sorted(machines), most=MOST_LISTED)
    return _write(names, history_from, ends_at)


async def _of_terms(fleet: Transaction, customer_id: UUID, terms: StoredTerms) -> str:
    names = None
    if terms.share is not None:
        names = await select_shared_names(fleet, customer_id, terms.share, most=MOST_LISTED)
    return _write(names, terms.history_from, terms.ends_at)


def _write(names: Names | None, history_from: datetime | None, ends_at: datetime | None) -> str:
    listed, count = (None, 0) if names is None else (names.listed, names.count)
    return write_granted(listed, count=count, history_from=history_from, ends_at=ends_at)
