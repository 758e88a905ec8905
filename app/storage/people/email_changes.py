"""Changes of e-mail addresses, and the links that were mailed for them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from app.storage.postgres.database import Statements

Side = Literal["old", "new"]


@dataclass(frozen=True, slots=True)
class EmailChange:
    """A change as it stands. late: whether its time is over. ended: whether it was withdrawn, replaced or stopped."""

    id: UUID
    person_id: UUID
    old_email: str
    new_email: str
    ends_at: datetime
    old_confirmed: bool
    new_confirmed: bool
    changed: bool
    ended: bool
    late: bool


_COLUMNS = """c.id, c.person_id, c.old_email, c.new_email, c.ends_at, c.old_confirmed_at IS NOT NULL AS old_confirmed,
    c.new_confirmed_at IS NOT NULL AS new_confirmed, c.changed_at IS NOT NULL AS changed, c.ended_at IS NOT NULL AS ended,
    c.ends_at <= clock_timestamp() AS late"""

INSERT_EMAIL_CHANGE = """
INSERT INTO email_change (id, person_id, old_email, new_email, ends_at)
SELECT $1, id, email, $3, clock_timestamp() + $4::interval FROM person WHERE id = $2
"""


async def insert_email_change(
    statements: Statements, change_id: UUID, person_id: UUID, new_email: str, life: timedelta
) -> None:
    await statements.count(INSERT_EMAIL_CHANGE, change_id, person_id, new_email, life)


END_PENDING_EMAIL_CHANGE = """
UPDATE email_change SET ended_at = clock_timestamp()
WHERE person_id = $1 AND changed_at IS NULL AND ended_at IS NULL
"""


async def end_pending_email_change(statements: Statements, person_id: UUID) -> bool:
    """False when none was pending."""
    return bool(await statements.count(END_PENDING_EMAIL_CHANGE, person_id))


SELECT_PENDING_EMAIL_CHANGE = f"""
SELECT {_COLUMNS} FROM email_change c
WHERE c.person_id = $1 AND c.changed_at IS NULL AND c.ended_at IS NULL AND c.ends_at > clock_timestamp()
"""


async def select_pending_email_change(statements: Statements, person_id: UUID) -> EmailChange | None:
    row = await statements.row(SELECT_PENDING_EMAIL_CHANGE, person_id)
    return EmailChange(**row) if row else None


SELECT_EMAIL_CHANGE = f"SELECT {_COLUMNS} FROM email_change c WHERE c.id = $1"


async def select_email_change(statements: Statements, change_id: UUID) -> EmailChange | None:
    row = await statements.row(SELECT_EMAIL_CHANGE, change_id)
    return EmailChange(**row) if row else None


INSERT_EMAIL_CHANGE_LINK = "INSERT INTO email_change_link (digest, change_id, side) VALUES ($1, $2, $3)"


async def insert_email_change_link(
    statements: Statements, digest: bytes, change_id: UUID, side: Side
) -> None:
    await statements.count(INSERT_EMAIL_CHANGE_LINK, digest, change_id, side)


_OF_LINK = f"SELECT l.side, {_COLUMNS} FROM email_change_link l JOIN email_change c ON c.id = l.change_id WHERE l.digest = $1"
SELECT_EMAIL_CHANGE_OF_LINK = _OF_LINK
# Two clicks at once are judged one after the other, and so is a click beside a new request: it locks the person.
LOCK_EMAIL_CHANGE_OF_LINK = f"{_OF_LINK} FOR UPDATE OF c"


async def select_email_change_of_link(
    statements: Statements, digest: bytes, *, lock: bool = False
) -> tuple[Side, EmailChange] | None:
    """lock: until the transaction ends, nobody else changes it."""
    statement = LOCK_EMAIL_CHANGE_OF_LINK if lock else SELECT_EMAIL_CHANGE_OF_LINK
    row = await statements.row(statement, digest)
    if row is None:
        return None
    fields = dict(row)
    return fields.pop("side"), EmailChange(**fields)


MARK_SIDE_CONFIRMED = """
UPDATE email_change
SET old_confirmed_at = CASE WHEN $2 = 'old' THEN coalesce(old_confirmed_at, clock_timestamp()) ELSE old_confirmed_at END,
    new_confirmed_at = CASE WHEN $2 = 'new' THEN coalesce(new_confirmed_at, clock_timestamp()) ELSE new_confirmed_at END
WHERE id = $1
"""


async def mark_side_confirmed(statements: Statements, change_id: UUID, side: Side) -> None:
    await statements.count(MARK_SIDE_CONFIRMED, change_id, side)


# Somebody may have come to sign in with the address meanwhile.
UPDATE_EMAIL = """
UPDATE person SET email = $2, email_confirmed_at = clock_timestamp()
WHERE id = $1 AND NOT EXISTS (SELECT FROM person other WHERE other.email = $2 AND other.id <> $1)
"""


async def update_email(statements: Statements, person_id: UUID, email: str) -> bool:
    """False when somebody else signs in with the address. The address counts as confirmed."""
    return bool(await statements.count(UPDATE_EMAIL, person_id, email))


MARK_EMAIL_CHANGED = "UPDATE email_change SET changed_at = clock_timestamp() WHERE id = $1"


async def mark_email_changed(statements: Statements, change_id: UUID) -> None:
    await statements.count(MARK_EMAIL_CHANGED, change_id)


# Whoever took the account over may have gone on to a third address.
END_EMAIL_CHANGES_SINCE = """
UPDATE email_change SET ended_at = clock_timestamp()
WHERE person_id = $1 AND ended_at IS NULL AND asked_at >= (SELECT asked_at FROM email_change WHERE id = $2)
"""


async def end_email_changes_since(statements: Statements, person_id: UUID, change_id: UUID) -> None:
    """End this change of a person and every later one."""
    await statements.count(END_EMAIL_CHANGES_SINCE, person_id, change_id)
