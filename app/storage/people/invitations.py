"""Invitations to join a customer account: made, read, sent again, withdrawn and accepted."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.oauth.member_role import MemberRole
from app.storage.postgres.database import Statements, Transaction


@dataclass(frozen=True, slots=True)
class NewInvitation:
    """An invitation to make. invited_by: None for a command line."""

    id: UUID
    customer_id: UUID
    email: str
    role: MemberRole
    invited_by: UUID | None


# One statement for every address, so that its time tells nothing about the address. It looks at the account's own people
# alone, and the caller sees those anyway. An invitation that expired begins anew under its id.
UPSERT_INVITATION = """
INSERT INTO invitation AS i (id, customer_id, email, role, invited_by, expires_at)
SELECT $1, $2, $3, $4, $5, clock_timestamp() + $6::interval
WHERE NOT EXISTS (SELECT FROM customer_member m JOIN person p ON p.id = m.person_id WHERE m.customer_id = $2 AND p.email = $3)
ON CONFLICT (customer_id, email) WHERE accepted_at IS NULL AND withdrawn_at IS NULL
DO UPDATE SET role = EXCLUDED.role, invited_by = EXCLUDED.invited_by, created_at = clock_timestamp(),
    expires_at = EXCLUDED.expires_at
WHERE i.expires_at <= clock_timestamp()
RETURNING i.id, i.expires_at
"""


async def upsert_invitation(
    transaction: Transaction, new: NewInvitation, life: timedelta
) -> tuple[UUID, datetime] | None:
    """Its id and its end; None when the address is a member's, or has an invitation that waits."""
    row = await transaction.row(
        UPSERT_INVITATION, new.id, new.customer_id, new.email, new.role, new.invited_by, life
    )
    return (row["id"], row["expires_at"]) if row else None


UPDATE_INVITATION_MAIL = "UPDATE invitation SET mail_id = $2 WHERE id = $1"


async def update_invitation_mail(transaction: Transaction, invitation_id: UUID, mail_id: UUID) -> None:
    await transaction.count(UPDATE_INVITATION_MAIL, invitation_id, mail_id)


# A mail that still waits goes out by itself, and a second one would follow it.
RENEW_INVITATION = """
UPDATE invitation i SET expires_at = clock_timestamp() + $3::interval
WHERE i.id = $1 AND i.customer_id = $2 AND i.accepted_at IS NULL AND i.withdrawn_at IS NULL
  AND NOT EXISTS (SELECT FROM mail WHERE mail.id = i.mail_id AND mail.state = 'waiting')
RETURNING i.email
"""


async def renew_invitation(
    transaction: Transaction, invitation_id: UUID, customer_id: UUID, life: timedelta
) -> str | None:
    """Give it a new life; the address. None when it no longer waits for an answer, or its mail was not sent yet."""
    row = await transaction.row(RENEW_INVITATION, invitation_id, customer_id, life)
    return str(row["email"]) if row else None


MARK_INVITATION_WITHDRAWN = """
UPDATE invitation SET withdrawn_at = clock_timestamp()
WHERE id = $1 AND customer_id = $2 AND accepted_at IS NULL AND withdrawn_at IS NULL
"""


async def mark_invitation_withdrawn(transaction: Transaction, invitation_id: UUID, customer_id: UUID) -> bool:
    """False when it was accepted or withdrawn before."""
    return bool(await transaction.count(MARK_INVITATION_WITHDRAWN, invitation_id, customer_id))


# The row lock lets one of two answers through. The other then finds it accepted or withdrawn.
MARK_INVITATION_ACCEPTED = """
UPDATE invitation SET accepted_at = clock_timestamp()
WHERE id = $1 AND accepted_at IS NULL AND withdrawn_at IS NULL AND expires_at > clock_timestamp()
  AND EXISTS (SELECT FROM customer c WHERE c.id = customer_id AND c.disabled_at IS NULL)
RETURNING role
"""


async def mark_invitation_accepted(transaction: Transaction, invitation_id: UUID) -> MemberRole | None:
    """The role it gives; None when it no longer works."""
    row = await transaction.row(MARK_INVITATION_ACCEPTED, invitation_id)
    role: MemberRole | None = row["role"] if row else None
    return role


@dataclass(frozen=True, slots=True)
class ListedInvitation:
    """An invitation that waits for an answer, and how its newest mail went; None when the outbox has none."""

    id: UUID
    email: str
    role: MemberRole
    invited_by: str | None
    created_at: datetime
    expires_at: datetime
    late: bool
    mail_state: str | None
    mail_settled_at: datetime | None


SELECT_INVITATIONS = """
SELECT i.id, i.email, i.role, p.name AS invited_by, i.created_at, i.expires_at, i.expires_at <= clock_timestamp() AS late,
       mail.state AS mail_state, mail.settled_at AS mail_settled_at
FROM invitation i LEFT JOIN mail ON mail.id = i.mail_id LEFT JOIN person p ON p.id = i.invited_by
WHERE i.customer_id = $1 AND i.accepted_at IS NULL AND i.withdrawn_at IS NULL ORDER BY i.created_at DESC, i.id
"""


async def select_invitations(statements: Statements, customer_id: UUID) -> tuple[ListedInvitation, ...]:
    """Those that nobody answered or withdrew, the newest first, expired ones too."""
    return tuple(ListedInvitation(**row) for row in await statements.rows(SELECT_INVITATIONS, customer_id))


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation as its link finds it. inviter: None for a command line. open: whether the account is enabled."""

    id: UUID
    customer_id: UUID
    customer_name: str
    email: str
    role: MemberRole
    inviter: str | None
    expires_at: datetime
    accepted_at: datetime | None
    withdrawn_at: datetime | None
    late: bool
    open: bool


_INVITATION = """
SELECT i.id, i.customer_id, c.name AS customer_name, i.email, i.role, p.name AS inviter, i.expires_at, i.accepted_at,
       i.withdrawn_at, i.expires_at <= clock_timestamp() AS late, c.disabled_at IS NULL AS open
FROM invitation i JOIN customer c ON c.id = i.customer_id LEFT JOIN person p ON p.id = i.invited_by
"""
SELECT_INVITATION = f"{_INVITATION}WHERE i.id = $1"


async def select_invitation(statements: Statements, invitation_id: UUID) -> Invitation | None:
    row = await statements.row(SELECT_INVITATION, invitation_id)
    return Invitation(**row) if row else None


SELECT_INVITATION_OF_LINK = f"""
{_INVITATION}JOIN mail_link l ON l.invitation_id = i.id WHERE l.digest = $1 AND l.purpose = 'invitation'
"""


async def select_invitation_of_link(statements: Statements, digest: bytes) -> Invitation | None:
    row = await statements.row(SELECT_INVITATION_OF_LINK, digest)
    return Invitation(**row) if row else None
