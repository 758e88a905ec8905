"""Sign-ups of application owners: asked for with an address alone, and finished by the link that was mailed there."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.storage.postgres.database import Statements, Transaction

INSERT_SIGN_UP = (
    "INSERT INTO sign_up (id, email, expires_at) VALUES ($1, $2, clock_timestamp() + $3::interval)"
)


async def insert_sign_up(statements: Statements, sign_up_id: UUID, email: str, life: timedelta) -> None:
    await statements.count(INSERT_SIGN_UP, sign_up_id, email, life)


@dataclass(frozen=True, slots=True)
class SignUp:
    """A sign-up as it stands. late: whether its time is over."""

    id: UUID
    email: str
    used_at: datetime | None
    late: bool


_SIGN_UP = "SELECT s.id, s.email, s.used_at, s.expires_at <= clock_timestamp() AS late FROM sign_up s"
SELECT_SIGN_UP = f"{_SIGN_UP} WHERE s.id = $1"


async def select_sign_up(statements: Statements, sign_up_id: UUID) -> SignUp | None:
    row = await statements.row(SELECT_SIGN_UP, sign_up_id)
    return SignUp(**row) if row else None


SELECT_SIGN_UP_OF_LINK = f"""
{_SIGN_UP} JOIN mail_link l ON l.sign_up_id = s.id WHERE l.digest = $1 AND l.purpose = 'sign-up'
"""


async def select_sign_up_of_link(statements: Statements, digest: bytes) -> SignUp | None:
    row = await statements.row(SELECT_SIGN_UP_OF_LINK, digest)
    return SignUp(**row) if row else None


# The row lock lets one of two clicks through. Whoever came second finds it used.
MARK_SIGN_UP_USED = """
UPDATE sign_up SET used_at = clock_timestamp() WHERE id = $1 AND used_at IS NULL AND expires_at > clock_timestamp()
"""


async def mark_sign_up_used(transaction: Transaction, sign_up_id: UUID) -> bool:
    """False when it no longer works."""
    return bool(await transaction.count(MARK_SIGN_UP_USED, sign_up_id))
