"""Owners of applications who are to be told of ends, and of secrets and keys that are unused or old.

Each person gets one mail about all their applications. The row of the person is locked, so several processes write one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.storage.postgres.database import Statements, Transaction
from app.storage.token.connections import soon_after
from app.storage.token.standing import is_connected

UNUSED_DAYS, OLD_DAYS = 90, 365  # from then on a secret or key is told of
_AGAIN_DAYS = 30

_NOW = "statement_timestamp()"  # held still, so that the indexes are used
_TODAY = f"date_trunc('day', {_NOW}, 'UTC')"


def _wants(notice: str) -> str:
    """Joins what owner `w` wants to hear of live application `a`."""
    return f"""application_owner w
JOIN application a ON a.id = w.application_id AND a.status = 'active' AND a.live_at IS NOT NULL AND NOT '{notice}' = ANY (w.notices_off)"""


_ENDING = f"""connection k
JOIN customer c ON c.id = k.customer_id AND c.tester_id IS NULL AND c.disabled_at IS NULL AND {is_connected("k")}"""
# An end is told once: what was near at the last mail was in it, unless somebody chose it since.
_NEW_ENDS = f"""k.ends_at > {_NOW} AND k.ends_at < {soon_after(_NOW)}
  AND (k.ends_at >= coalesce({soon_after("p.ends_told_at")}, '-infinity') OR k.end_set_at > p.ends_told_at)
  AND coalesce(p.ends_told_at, '-infinity') < {_TODAY}"""

SELECT_PEOPLE_OF_ENDS = f"""
SELECT p.id, p.email FROM person p WHERE p.id IN (
    SELECT p.id FROM {_ENDING}
    JOIN {_wants("ending")} ON w.application_id = k.application_id
    JOIN person p ON p.id = w.person_id WHERE {_NEW_ENDS})
LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
"""
SELECT_NEW_ENDS = f"""
SELECT k.customer_id, k.application_id FROM person p
JOIN {_wants("ending")} ON w.person_id = p.id
JOIN {_ENDING} ON k.application_id = w.application_id
WHERE p.id = $1 AND {_NEW_ENDS} ORDER BY k.ends_at, k.customer_id, k.application_id LIMIT $2
"""
MARK_ENDS_TOLD = "UPDATE person SET ends_told_at = clock_timestamp() WHERE id = $1"


@dataclass(frozen=True, slots=True)
class ToldPerson:
    """Somebody who owns applications, and is told of them."""

    id: UUID
    email: str


async def lock_people_of_ends(transaction: Transaction, most: int) -> tuple[ToldPerson, ...]:
    """So many of those who do not know yet what ends. They stay locked until the transaction ends."""
    return tuple(ToldPerson(**row) for row in await transaction.rows(SELECT_PEOPLE_OF_ENDS, most))


async def mark_ends_told(
    transaction: Transaction, person_id: UUID, most: int
) -> tuple[tuple[UUID, UUID], ...]:
    """What a person who is locked does not know yet: the customers and applications, the nearest end first."""
    rows = await transaction.rows(SELECT_NEW_ENDS, person_id, most)
    await transaction.count(MARK_ENDS_TOLD, person_id)
    return tuple((row["customer_id"], row["application_id"]) for row in rows)


@dataclass(frozen=True, slots=True)
class OwnEnd:
    """When a connection of somebody's application ends. customer: the name of the account."""

    application_id: UUID
    application: str
    customer: str
    ends_at: datetime


SELECT_OWN_ENDS = f"""
SELECT a.id AS application_id, a.name AS application, c.name AS customer, k.ends_at
FROM unnest($2::uuid[], $3::uuid[]) AS asked(customer_id, application_id)
JOIN {_ENDING} ON k.customer_id = asked.customer_id AND k.application_id = asked.application_id
JOIN {_wants("ending")} ON w.application_id = k.application_id AND w.person_id = $1
WHERE k.ends_at IS NOT NULL ORDER BY a.name, a.id, k.ends_at, c.name
"""


async def select_own_ends(
    statements: Statements, person_id: UUID, pairs: Sequence[tuple[UUID, UUID]]
) -> tuple[OwnEnd, ...]:
    """How they stand now, by application. pairs: customers and applications. Without those that do not end any more."""
    customers, applications = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    rows = await statements.rows(SELECT_OWN_ENDS, person_id, customers, applications)
    return tuple(OwnEnd(**row) for row in rows)


# A secret that is leaving ends by itself. An application has secrets or keys, and never both.
_SECRET = """(
    SELECT application_id, digest, created_at, NULL AS kid FROM client_secret WHERE expires_at IS NULL
  UNION ALL
    SELECT application_id, digest, created_at, kid FROM client_key) s
LEFT JOIN credential_use u ON u.application_id = s.application_id AND u.digest = s.digest"""
_UNUSED = f"coalesce(u.used_at, s.created_at) < {_NOW} - interval '{UNUSED_DAYS} days'"
_OLD = f"s.created_at < {_NOW} - interval '{OLD_DAYS} days'"
_DUE_SECRET = f"({_UNUSED} OR {_OLD})"

SELECT_PEOPLE_OF_SECRETS = f"""
SELECT p.id, p.email FROM person p
WHERE coalesce(p.secrets_told_at, '-infinity') < {_NOW} - interval '{_AGAIN_DAYS} days' AND p.id IN (
    SELECT w.person_id FROM {_SECRET} JOIN {_wants("secret")} ON w.application_id = s.application_id WHERE {_DUE_SECRET})
LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
"""
MARK_SECRETS_TOLD = f"""
UPDATE person SET secrets_told_at = clock_timestamp()
WHERE id = $1 AND coalesce(secrets_told_at, '-infinity') < {_NOW} - interval '{_AGAIN_DAYS} days'
"""


async def lock_people_of_secrets(transaction: Transaction, most: int) -> tuple[ToldPerson, ...]:
    """So many of those who were not told of a secret for 30 days. They stay locked until the transaction ends."""
    return tuple(ToldPerson(**row) for row in await transaction.rows(SELECT_PEOPLE_OF_SECRETS, most))


async def mark_secrets_told(transaction: Transaction, person_id: UUID) -> bool:
    """False when another process told the person meanwhile."""
    return bool(await transaction.count(MARK_SECRETS_TOLD, person_id))


@dataclass(frozen=True, slots=True)
class DueSecret:
    """The present secret of an application, or one of its public keys. kid: the key's name; None for a secret.

    created_at: of a key when it was registered. used_at: to the hour; None when nobody used it. unused: for 90 days.
    """

    application_id: UUID
    application: str
    kid: str | None
    created_at: datetime
    used_at: datetime | None
    unused: bool


SELECT_DUE_SECRETS = f"""
SELECT a.id AS application_id, a.name AS application, s.kid, s.created_at, u.used_at, {_UNUSED} AS unused
FROM {_SECRET} JOIN {_wants("secret")} ON w.application_id = s.application_id AND w.person_id = $1
WHERE {_DUE_SECRET} ORDER BY a.name, a.id, s.created_at, s.kid LIMIT $2
"""


async def select_due_secrets(statements: Statements, person_id: UUID, most: int) -> tuple[DueSecret, ...]:
    """The secrets and keys of a person's live applications that nobody uses, or that are old; those of one together."""
    rows = await statements.rows(SELECT_DUE_SECRETS, person_id, most)
    return tuple(DueSecret(**row) for row in rows)
