"""People who sign in, what they are, and what their sign-in is judged by."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from app.oauth.actor import Actor
from app.oauth.member_role import MemberRole
from app.storage.postgres.database import Row, Statements

OperatorRole = Literal["support", "reviewer", "admin"]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signs in, and what they are: of a customer account, of RoviTracker, of both or of neither.

    customer_id, customer_name, role: of the account. operator_role: None for everybody outside RoviTracker.
    language: None where they chose none. time_zone: its IANA name. develops: whether applications belong to them.
    """

    id: UUID
    email: str
    name: str
    customer_id: UUID | None = None
    customer_name: str | None = None
    role: MemberRole | None = None
    operator_role: OperatorRole | None = None
    language: str | None = None
    time_zone: str = "UTC"
    develops: bool = False

    @property
    def actor(self) -> Actor:
        return Actor("operator" if self.operator_role else "customer", self.id)

    @property
    def own_words(self) -> tuple[str, ...]:
        """What a password of theirs must not consist of."""
        return tuple(filter(None, (self.email, self.name, self.customer_name)))


PERSON_COLUMNS = """p.id, p.email, p.name, m.customer_id, c.name AS customer_name, m.role, o.role AS operator_role, p.language, p.time_zone,
EXISTS (SELECT FROM application_owner w WHERE w.person_id = p.id) AS develops"""
PERSON_TABLES = """person p
LEFT JOIN customer_member m ON m.person_id = p.id LEFT JOIN customer c ON c.id = m.customer_id
LEFT JOIN operator o ON o.person_id = p.id AND o.disabled_at IS NULL"""

INSERT_PERSON = """
INSERT INTO person (id, email, name, password_hash) VALUES ($1, $2, $3, $4) ON CONFLICT (email) DO NOTHING
"""


async def insert_person(statements: Statements, person: Person, password_hash: str) -> bool:
    """False when somebody signs in with that address already."""
    return bool(await statements.count(INSERT_PERSON, person.id, person.email, person.name, password_hash))


SELECT_PERSON = f"SELECT {PERSON_COLUMNS} FROM {PERSON_TABLES} WHERE p.email = $1"


async def select_person(statements: Statements, email: str) -> Person | None:
    row = await statements.row(SELECT_PERSON, email)
    return person_of(row) if row else None


SELECT_PERSON_BY_ID = f"SELECT {PERSON_COLUMNS} FROM {PERSON_TABLES} WHERE p.id = $1"


async def select_person_by_id(statements: Statements, person_id: UUID) -> Person:
    """person_id: of a person that another row refers to, so there is one."""
    [row] = await statements.rows(SELECT_PERSON_BY_ID, person_id)
    return person_of(row)


SELECT_CONFIRMED_EMAIL = "SELECT email FROM person WHERE id = $1 AND email_confirmed_at IS NOT NULL"


async def select_confirmed_email(statements: Statements, person_id: UUID) -> str | None:
    """None while the person has not used a link that was mailed to the address."""
    row = await statements.row(SELECT_CONFIRMED_EMAIL, person_id)
    return row["email"] if row else None


# Whoever is somebody only of a disabled account, or only was an operator, does not get in.
ENABLED = """(o.person_id IS NOT NULL OR (m.person_id IS NOT NULL AND c.disabled_at IS NULL)
     OR (m.person_id IS NULL AND NOT EXISTS (SELECT FROM operator WHERE person_id = p.id)))"""
_SIGN_IN = f"""
SELECT {PERSON_COLUMNS}, p.password_hash,
       {ENABLED} AS enabled,
       p.totp_sealed IS NOT NULL AS second_factor,
       EXISTS (SELECT FROM known_browser k
               WHERE k.id_digest = $2 AND k.person_id = p.id AND k.expires_at > clock_timestamp()) AS known_browser,
       EXISTS (SELECT FROM known_browser k WHERE k.person_id = p.id AND k.expires_at > clock_timestamp()) AS knows_browsers
FROM {PERSON_TABLES}
WHERE """
SELECT_SIGN_IN = f"{_SIGN_IN}p.email = $1"
SELECT_SIGN_IN_OF = f"{_SIGN_IN}p.id = $1"


@dataclass(frozen=True, slots=True)
class SignInRow:
    """The row that a sign-in is judged by.

    known_browser: whether the person signed in with this browser before. knows_browsers: with any.
    """

    person: Person
    password_hash: str
    enabled: bool
    second_factor: bool
    known_browser: bool
    knows_browsers: bool


async def select_sign_in(
    statements: Statements, email: str, browser_digest: bytes | None = None
) -> SignInRow | None:
    """None when nobody signs in with this address."""
    return _sign_in_row(await statements.row(SELECT_SIGN_IN, email, browser_digest))


async def select_sign_in_of(
    statements: Statements, person_id: UUID, browser_digest: bytes | None = None
) -> SignInRow | None:
    return _sign_in_row(await statements.row(SELECT_SIGN_IN_OF, person_id, browser_digest))


# Changes to what belongs to one person come one after the other, and a session that begins waits for them.
LOCK_PERSON = "SELECT FROM person WHERE id = $1 FOR NO KEY UPDATE"


async def lock_person(statements: Statements, person_id: UUID) -> None:
    await statements.row(LOCK_PERSON, person_id)


UPDATE_PASSWORD = "UPDATE person SET password_hash = $2 WHERE id = $1"


async def update_password(statements: Statements, person_id: UUID, password_hash: str) -> None:
    await statements.count(UPDATE_PASSWORD, person_id, password_hash)


# Judged by the hash that was verified: a password that was set meanwhile stays.
UPDATE_CHECKED_PASSWORD = "UPDATE person SET password_hash = $3 WHERE id = $1 AND password_hash = $2"


async def replace_password(
    statements: Statements, person_id: UUID, checked_hash: str, password_hash: str
) -> bool:
    """False when the person has another password by now."""
    return bool(await statements.count(UPDATE_CHECKED_PASSWORD, person_id, checked_hash, password_hash))


UPDATE_NAME = "UPDATE person SET name = $2 WHERE id = $1 AND name <> $2"


async def update_name(statements: Statements, person_id: UUID, name: str) -> bool:
    """False when it was the name already."""
    return bool(await statements.count(UPDATE_NAME, person_id, name))


UPDATE_LANGUAGE = "UPDATE person SET language = $2 WHERE id = $1 AND language IS DISTINCT FROM $2"


async def update_language(statements: Statements, person_id: UUID, language: str) -> bool:
    """False when it is the person's already."""
    return bool(await statements.count(UPDATE_LANGUAGE, person_id, language))


UPDATE_TIME_ZONE = "UPDATE person SET time_zone = $2 WHERE id = $1 AND time_zone <> $2"


async def update_time_zone(statements: Statements, person_id: UUID, time_zone: str) -> bool:
    """False when it is the person's already."""
    return bool(await statements.count(UPDATE_TIME_ZONE, person_id, time_zone))


# The first time stays.
MARK_EMAIL_CONFIRMED = """
UPDATE person SET email_confirmed_at = clock_timestamp() WHERE id = $1 AND email_confirmed_at IS NULL
"""


async def mark_email_confirmed(statements: Statements, person_id: UUID) -> None:
    """Note that the person got a mail at the address: a link from it was used."""
    await statements.count(MARK_EMAIL_CONFIRMED, person_id)


def person_of(row: Row) -> Person:
    return Person(
        row["id"],
        row["email"],
        row["name"],
        row["customer_id"],
        row["customer_name"],
        row["role"],
        row["operator_role"],
        row["language"],
        row["time_zone"],
        row["develops"],
    )


def _sign_in_row(row: Row | None) -> SignInRow | None:
    if row is None:
        return None
    return SignInRow(
        person_of(row),
        row["password_hash"],
        row["enabled"],
        row["second_factor"],
        row["known_browser"],
        row["knows_browsers"],
    )
