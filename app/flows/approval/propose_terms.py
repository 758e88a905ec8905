"""The terms that a consent page begins with: what stands, and over it what the application asked for by details."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, tzinfo
from uuid import UUID

from app.context import Context
from app.flows.approval.terms import Terms
from app.flows.fleet.find_machine import find_machines
from app.oauth.fleet_details import FleetDetails
from app.storage.fleet.view import FleetView, fleet_of


@dataclass(frozen=True, slots=True)
class Proposal:
    """terms: what the page begins with. missing: how many of the machines that were named are none of the customer's."""

    terms: Terms
    missing: int = 0


async def propose_terms(
    context: Context, customer_id: UUID, details: FleetDetails | None, standing: Terms, zone: tzinfo
) -> Proposal:
    """What details leave out stays as it stands. zone: of whoever approves, where a day begins.

    A machine that is not the customer's is left out here, so nothing that goes back to the application knows of it.
    """
    if details is None:
        return Proposal(standing)
    terms = replace(
        standing,
        history_from=_beginning(details.history_from, zone) or standing.history_from,
        ends_at=details.ends_at or standing.ends_at,
    )
    if details.identifiers is None:
        return Proposal(terms)
    async with fleet_of(context.database, FleetView(customer_id)) as fleet:
        keys, missing = await find_machines(fleet, customer_id, details.identifiers)
    return Proposal(replace(terms, machines=keys), len(missing))


def _beginning(asked: datetime | date | None, zone: tzinfo) -> datetime | None:
    if asked is None or isinstance(asked, datetime):
        return asked
    return datetime.combine(asked, time(), zone).astimezone(UTC)
