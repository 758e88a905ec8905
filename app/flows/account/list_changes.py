"""What happened to an account since one of its people was here before."""

from dataclasses import dataclass
from datetime import datetime

from app.context import Context
from app.storage.people.audit import Change, select_changes
from app.storage.people.members import Member

# What a person of the account would want to be told. Sign-ins stand on the page on security, and reads on none.
TOLD = (
    "application.approved",
    "application.terms_changed",
    "application.disconnected",
    "token.issued_manually",
    "request.released",
    "request.approved",
    "request.denied",
    "request.collected",
    "request.expired",
    "customer.renamed",
    "customer.ownership_transferred",
    "customer.disabled",
    "customer.enabled",
    "member.invited",
    "member.invitation_withdrawn",
    "member.joined",
    "member.role_changed",
    "member.removed",
    "member.left",
    "person.password_changed",
    "person.password_set",
    "person.second_factor_on",
    "person.second_factor_off",
    "person.second_factor_reset",
    "person.passkey_added",
    "person.passkey_removed",
)
MOST_CHANGES = 10


@dataclass(frozen=True, slots=True)
class SinceVisit:
    """since: when the person signed in before this time; None at the first time."""

    since: datetime | None
    changes: tuple[Change, ...]


async def list_changes(context: Context, member: Member) -> SinceVisit:
    """The newest first, ten at most."""
    return SinceVisit(
        *await select_changes(context.database, member.customer_id, member.id, TOLD, MOST_CHANGES)
    )
