"""The choice that a consent page begins with, and what it says of the application's own wishes."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.context import Context
from app.flows.approval.propose_terms import propose_terms
from app.flows.approval.terms import Terms, find_terms
from app.language.zones import zone_named
from app.oauth.fleet_details import FleetDetails
from app.storage.people.members import Member


@dataclass(frozen=True, slots=True)
class Beginning:
    """standing: what is shared now; None where the application is not connected. terms: what the form shows first.

    asked: authorization details; None where the application sent none. missing: how many machines that they name are
    none of the customer's.
    """

    standing: Terms | None
    terms: Terms
    asked: FleetDetails | None
    missing: int

    @property
    def shown(self) -> dict[str, Any]:
        """What the template says of it."""
        standing, asked, machines = self.standing, self.asked, self.terms.machines
        shared = standing.machines if standing else None
        return {
            "shared": None if shared is None else len(shared),
            "ends_at": standing.ends_at if standing else None,
            "history_from": standing.history_from if standing else None,
            "chosen": standing is not None and standing != Terms() and asked is None,
            "asked": asked is not None,
            "asked_machines": len(machines or ()) if asked and asked.identifiers is not None else None,
            "missing": self.missing,
            "asked_from": self.terms.history_from if asked and asked.history_from else None,
            "asked_end": asked.ends_at if asked else None,
        }


async def begin_terms(
    context: Context, member: Member, application_id: UUID, asked: FleetDetails | None
) -> Beginning:
    found = await find_terms(context, member.customer_id, application_id)
    standing = found[0] if found else None
    zone = zone_named(member.time_zone)
    proposal = await propose_terms(context, member.customer_id, asked, standing or Terms(), zone)
    return Beginning(standing, proposal.terms, asked, proposal.missing)
