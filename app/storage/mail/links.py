"""The links that were mailed, by the digests of their secrets."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.storage.postgres.database import Statements

INSERT_MAIL_LINK = """
INSERT INTO mail_link (digest, purpose, person_id, expires_at) VALUES ($1, $2, $3, clock_timestamp() + $4::interval)
"""


async def insert_mail_link(
    statements: Statements, digest: bytes, purpose: str, person_id: UUID, life: timedelta
) -> None:
    await statements.count(INSERT_MAIL_LINK, digest, purpose, person_id, life)


INSERT_INVITATION_LINK = """
INSERT INTO mail_link (digest, purpose, invitation_id, expires_at)
VALUES ($1, 'invitation', $2, clock_timestamp() + $3::interval)
"""


async def insert_invitation_link(
    statements: Statements, digest: bytes, invitation_id: UUID, life: timedelta
) -> None:
    """Keep the digest of a link that names an invitation, since its address may be nobody's yet."""
    await statements.count(INSERT_INVITATION_LINK, digest, invitation_id, life)


INSERT_SIGN_UP_LINK = """
INSERT INTO mail_link (digest, purpose, sign_up_id, expires_at)
VALUES ($1, 'sign-up', $2, clock_timestamp() + $3::interval)
"""


async def insert_sign_up_link(
    statements: Statements, digest: bytes, sign_up_id: UUID, life: timedelta
) -> None:
    """Keep the digest of a link that names a sign-up, since its address may be nobody's yet."""
    await statements.count(INSERT_SIGN_UP_LINK, digest, sign_up_id, life)


@dataclass(frozen=True, slots=True)
class MailLink:
    """A link as it stands. late: whether its time is over."""

    person_id: UUID
    used_at: datetime | None
    late: bool


SELECT_MAIL_LINK = """
SELECT person_id, used_at, expires_at <= clock_timestamp() AS late FROM mail_link WHERE digest = $1 AND purpose = $2
"""


async def select_mail_link(statements: Statements, digest: bytes, purpose: str) -> MailLink | None:
    row = await statements.row(SELECT_MAIL_LINK, digest, purpose)
    return MailLink(**row) if row else None


# The row lock lets one of two clicks through; the other then finds it used.
MARK_MAIL_LINK_USED = """
UPDATE mail_link SET used_at = clock_timestamp()
WHERE digest = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > clock_timestamp()
"""


async def mark_mail_link_used(statements: Statements, digest: bytes, purpose: str) -> bool:
    """False when it no longer works."""
    return bool(await statements.count(MARK_MAIL_LINK_USED, digest, purpose))


MARK_MAIL_LINKS_USED = """
UPDATE mail_link SET used_at = clock_timestamp() WHERE person_id = $1 AND purpose = $2 AND used_at IS NULL
"""


async def mark_mail_links_used(statements: Statements, person_id: UUID, purpose: str) -> None:
    """Use up every link of a person for this purpose."""
    await statements.count(MARK_MAIL_LINKS_USED, person_id, purpose)
