"""The outbox: a mail is a row of its own, which one process claims, sends and settles."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import orjson

from app.storage.postgres.database import Row, Statements

Settled = Literal["sent", "refused", "given up"]
MailState = Literal["waiting"] | Settled


@dataclass(frozen=True, slots=True)
class ClaimedMail:
    """A mail that this process may send for a minute. language: of the page that caused it. attempts: this one counted."""

    id: UUID
    template: str
    recipient: str
    about: Mapping[str, UUID]
    language: str | None
    queued_at: datetime
    attempts: int


INSERT_MAIL = "INSERT INTO mail (id, template, recipient, about, language) VALUES ($1, $2, $3, $4::jsonb, $5)"


async def insert_mail(
    statements: Statements,
    mail_id: UUID,
    template: str,
    recipient: str,
    about: Mapping[str, UUID],
    *,
    language: str | None,
) -> None:
    ids = orjson.dumps({name: str(each) for name, each in about.items()}).decode()
    await statements.count(INSERT_MAIL, mail_id, template, recipient, ids, language)


# The pause before the next attempt is written with the claim, so that it holds after a kill too. It doubles from a
# minute to six hours. The claim ends within the minute: by then its process knows how it went, or is gone.
_CLAIM = """
UPDATE mail SET attempts = attempts + 1, claimed_until = clock_timestamp() + interval '1 minute',
    next_attempt_at = clock_timestamp() + least(interval '1 minute' * power(2, least(attempts, 10)), interval '6 hours')
WHERE id = ({chosen})
RETURNING id, template, recipient, about, language, queued_at, attempts
"""
_CLAIMABLE = "state = 'waiting' AND coalesce(claimed_until, '-infinity') < clock_timestamp()"

UPDATE_NEXT_CLAIMED = _CLAIM.format(
    chosen=f"""
    SELECT id FROM mail WHERE {_CLAIMABLE} AND next_attempt_at <= clock_timestamp() AND give_up_at > clock_timestamp()
    ORDER BY next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED"""
)
UPDATE_CLAIMED = _CLAIM.format(
    chosen=f"SELECT id FROM mail WHERE id = $1 AND {_CLAIMABLE} FOR UPDATE SKIP LOCKED"
)


async def claim_next_mail(statements: Statements) -> ClaimedMail | None:
    """The mail that has been due the longest; None when none is."""
    return _claimed(await statements.row(UPDATE_NEXT_CLAIMED))


async def claim_mail(statements: Statements, mail_id: UUID) -> ClaimedMail | None:
    """This mail, whenever it is due; None when it is settled or another process has it."""
    return _claimed(await statements.row(UPDATE_CLAIMED, mail_id))


# A process that was stopped for longer than its claim no longer speaks for the mail.
MARK_MAIL_SETTLED = """
UPDATE mail SET state = $3, settled_at = clock_timestamp(), claimed_until = NULL, reply = $4
WHERE id = $1 AND attempts = $2 AND state = 'waiting'
"""


async def mark_mail_settled(statements: Statements, mail: ClaimedMail, state: Settled, reply: str) -> None:
    await statements.count(MARK_MAIL_SETTLED, mail.id, mail.attempts, state, reply)


UPDATE_MAIL_REPLY = """
UPDATE mail SET claimed_until = NULL, reply = $3 WHERE id = $1 AND attempts = $2 AND state = 'waiting'
"""


async def note_failed_attempt(statements: Statements, mail: ClaimedMail, reply: str) -> None:
    """The mail goes on waiting until its next attempt."""
    await statements.count(UPDATE_MAIL_REPLY, mail.id, mail.attempts, reply)


DELETE_MAIL = "DELETE FROM mail WHERE id = $1"


async def delete_mail(statements: Statements, mail_id: UUID) -> None:
    await statements.count(DELETE_MAIL, mail_id)


MARK_MAILS_GIVEN_UP = """
UPDATE mail SET state = 'given up', settled_at = clock_timestamp(), claimed_until = NULL
WHERE state = 'waiting' AND give_up_at <= clock_timestamp() AND coalesce(claimed_until, '-infinity') < clock_timestamp()
"""


async def mark_mails_given_up(statements: Statements) -> int:
    """Give up those that were tried for long enough; how many."""
    return await statements.count(MARK_MAILS_GIVEN_UP)


# A claimed mail is under way, and would be sent twice.
MARK_MAIL_WAITING = f"""
UPDATE mail SET state = 'waiting', settled_at = NULL, next_attempt_at = clock_timestamp(),
    give_up_at = clock_timestamp() + interval '3 days'
WHERE ($1::uuid IS NULL OR id = $1) AND (state IN ('refused', 'given up') OR {_CLAIMABLE}) RETURNING id
"""


async def mark_mails_waiting(statements: Statements, mail_id: UUID | None) -> tuple[UUID, ...]:
    """Make a mail due now, or with None every one that was not sent; their ids."""
    return tuple(row["id"] for row in await statements.rows(MARK_MAIL_WAITING, mail_id))


@dataclass(frozen=True, slots=True)
class MailRow:
    """A mail as a list shows it."""

    id: UUID
    template: str
    recipient: str
    state: MailState
    queued_at: datetime
    attempts: int
    next_attempt_at: datetime | None
    settled_at: datetime | None
    reply: str | None


SELECT_MAILS = """
SELECT id, template, recipient, state, queued_at, attempts,
       CASE WHEN state = 'waiting' THEN next_attempt_at END AS next_attempt_at, settled_at, reply
FROM mail WHERE $1::text IS NULL OR state = $1 ORDER BY id DESC LIMIT $2
"""


async def select_mails(statements: Statements, state: MailState | None, *, most: int) -> tuple[MailRow, ...]:
    """The newest first."""
    return tuple(MailRow(**row) for row in await statements.rows(SELECT_MAILS, state, most))


SELECT_MAIL = """
SELECT id, template, recipient, state, queued_at, attempts,
       CASE WHEN state = 'waiting' THEN next_attempt_at END AS next_attempt_at, settled_at, reply
FROM mail WHERE id = $1
"""


async def select_mail(statements: Statements, mail_id: UUID) -> MailRow | None:
    row = await statements.row(SELECT_MAIL, mail_id)
    return MailRow(**row) if row else None


@dataclass(frozen=True, slots=True)
class OutboxFacts:
    """waiting: those tried in vain at least once, or due for a while. oldest_at: of these."""

    waiting: int
    oldest_at: datetime | None
    refused: int


SELECT_OUTBOX_FACTS = """
SELECT count(*) FILTER (WHERE state = 'waiting' AND (attempts > 0 OR queued_at < clock_timestamp() - interval '1 minute'))
           AS waiting,
       min(queued_at) FILTER (WHERE state = 'waiting') AS oldest_at,
       count(*) FILTER (WHERE state IN ('refused', 'given up') AND settled_at > clock_timestamp() - interval '1 day') AS refused
FROM mail
"""


async def select_outbox_facts(statements: Statements) -> OutboxFacts:
    """refused: in the last day, those given up included."""
    [row] = await statements.rows(SELECT_OUTBOX_FACTS)
    return OutboxFacts(**row)


def _claimed(row: Row | None) -> ClaimedMail | None:
    if row is None:
        return None
    about = {name: UUID(value) for name, value in orjson.loads(row["about"]).items()}
    return ClaimedMail(**{**row, "about": about})
