"""Sign-ups of application owners: by themselves or invited, and finished by the link that was mailed to the address."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.storage.postgres.database import Statements, Transaction

INSERT_SIGN_UP = (
    "INSERT INTO sign_up (id, email, expires_at) VALUES ($1, $2, clock_timestamp() + $3::interval)"
)


async def insert_sign_up(statements: Statements, sign_up_id: UUID, email: str, life: timedelta) -> None:
    await statements.count(INSERT_SIGN_UP, sign_up_id, email, life)


# One statement for every address, so that its time tells nothing about the address. It looks at the application's own
# owners alone, and the caller sees those anyway. An invitation that expired begins anew under its id.
UPSERT_OWNER_INVITATION = """
INSERT INTO sign_up AS s (id, email, application_id, invited_by, expires_at)
SELECT $1, $2, $3, $4, clock_timestamp() + $5::interval
WHERE NOT EXISTS (SELECT FROM application_owner w JOIN person p ON p.id = w.person_id WHERE w.application_id = $3 AND p.email = $2)
ON CONFLICT (application_id, email) WHERE used_at IS NULL AND withdrawn_at IS NULL
DO UPDATE SET invited_by = excluded.invited_by, expires_at = excluded.expires_at
WHERE s.expires_at <= clock_timestamp()
RETURNING s.id
"""


@dataclass(frozen=True, slots=True)
class NewOwnerInvitation:
    """An invitation to own an application."""

    id: UUID
    email: str
    application_id: UUID
    invited_by: UUID


async def upsert_owner_invitation(
    transaction: Transaction, new: NewOwnerInvitation, life: timedelta
) -> UUID | None:
    """Its id; None when the address is an owner's, or has an invitation that waits."""
    row = await transaction.row(
        UPSERT_OWNER_INVITATION, new.id, new.email, new.application_id, new.invited_by, life
    )
    return row["id"] if row else None


@dataclass(frozen=True, slots=True)
class SignUp:
    """A sign-up as it stands. late: whether its time is over.

    application_id, application, inviter: of an invitation, whose application is not deleted; None of all others.
    """

    id: UUID
    email: str
    used_at: datetime | None
    withdrawn_at: datetime | None
    late: bool
    application_id: UUID | None
    application: str | None
    inviter: str | None


_SIGN_UP = """
SELECT s.id, s.email, s.used_at, s.withdrawn_at,
       s.expires_at <= clock_timestamp() OR (s.application_id IS NOT NULL AND a.id IS NULL) AS late,
       s.application_id, a.name AS application, p.name AS inviter
FROM sign_up s LEFT JOIN application a ON a.id = s.application_id AND a.status <> 'deleted'
LEFT JOIN person p ON p.id = s.invited_by
"""
SELECT_SIGN_UP = f"{_SIGN_UP}WHERE s.id = $1"


async def select_sign_up(statements: Statements, sign_up_id: UUID) -> SignUp | None:
    row = await statements.row(SELECT_SIGN_UP, sign_up_id)
    return SignUp(**row) if row else None


SELECT_SIGN_UP_OF_LINK = f"""
{_SIGN_UP}JOIN mail_link l ON l.sign_up_id = s.id WHERE l.digest = $1 AND l.purpose = 'sign-up'
"""


async def select_sign_up_of_link(statements: Statements, digest: bytes) -> SignUp | None:
    row = await statements.row(SELECT_SIGN_UP_OF_LINK, digest)
    return SignUp(**row) if row else None


SELECT_OWNER_INVITATIONS = f"""
{_SIGN_UP}WHERE s.application_id = $1 AND s.used_at IS NULL AND s.withdrawn_at IS NULL ORDER BY s.id
"""


async def select_owner_invitations(statements: Statements, application_id: UUID) -> tuple[SignUp, ...]:
    """Those that nobody accepted or withdrew, expired ones too."""
    return tuple(SignUp(**row) for row in await statements.rows(SELECT_OWNER_INVITATIONS, application_id))


# The row lock lets one of two clicks through. Whoever came second finds it used.
MARK_SIGN_UP_USED = """
UPDATE sign_up SET used_at = clock_timestamp()
WHERE id = $1 AND used_at IS NULL AND withdrawn_at IS NULL AND expires_at > clock_timestamp()
"""


async def mark_sign_up_used(transaction: Transaction, sign_up_id: UUID) -> bool:
    """False when it no longer works."""
    return bool(await transaction.count(MARK_SIGN_UP_USED, sign_up_id))


MARK_OWNER_INVITATION_WITHDRAWN = """
UPDATE sign_up SET withdrawn_at = clock_timestamp()
WHERE id = $1 AND application_id = $2 AND used_at IS NULL AND withdrawn_at IS NULL
"""


async def mark_owner_invitation_withdrawn(
    transaction: Transaction, sign_up_id: UUID, application_id: UUID
) -> bool:
    """False when it was accepted or withdrawn before."""
    return bool(await transaction.count(MARK_OWNER_INVITATION_WITHDRAWN, sign_up_id, application_id))
