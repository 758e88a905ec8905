"""Customers, the people who sign in for them, and their browser sessions."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.storage.postgres.database import Row, Statements


@dataclass(frozen=True, slots=True)
class Member:
    """A person who signs in, and the customer account it is for."""

    id: UUID
    email: str
    name: str
    customer_id: UUID
    customer_name: str


INSERT_CUSTOMER = "INSERT INTO customer (id, name) VALUES ($1, $2)"


async def insert_customer(statements: Statements, customer_id: UUID, name: str) -> None:
    await statements.count(INSERT_CUSTOMER, customer_id, name)


INSERT_MEMBER = """
INSERT INTO customer_member (id, customer_id, email, name, password_hash)
VALUES ($1, $2, $3, $4, $5) ON CONFLICT (email) DO NOTHING
"""


async def insert_member(statements: Statements, member: Member, password_hash: str) -> bool:
    """False when somebody signs in with that address already."""
    return bool(
        await statements.count(
            INSERT_MEMBER, member.id, member.customer_id, member.email, member.name, password_hash
        )
    )


SELECT_SIGN_IN = """
SELECT m.id, m.email, m.name, m.customer_id, c.name AS customer_name, m.password_hash, c.disabled_at IS NULL AS enabled,
       EXISTS (SELECT FROM known_browser k
               WHERE k.id_digest = $2 AND k.member_id = m.id AND k.expires_at > clock_timestamp()) AS known_browser
FROM customer_member m JOIN customer c ON c.id = m.customer_id
WHERE m.email = $1
"""


@dataclass(frozen=True, slots=True)
class SignInRow:
    """The row that a sign-in is judged by. known_browser: whether the person signed in with this browser before."""

    member: Member
    password_hash: str
    enabled: bool
    known_browser: bool


async def select_sign_in(
    statements: Statements, email: str, browser_digest: bytes | None = None
) -> SignInRow | None:
    """None when nobody signs in with this address."""
    row = await statements.row(SELECT_SIGN_IN, email, browser_digest)
    if row is None:
        return None
    return SignInRow(_member(row), row["password_hash"], row["enabled"], row["known_browser"])


SELECT_CUSTOMER_BY_EMAIL = """
SELECT m.id, m.email, m.name, m.customer_id, c.name AS customer_name
FROM customer_member m JOIN customer c ON c.id = m.customer_id
WHERE m.email = $1
"""


async def select_member(statements: Statements, email: str) -> Member | None:
    row = await statements.row(SELECT_CUSTOMER_BY_EMAIL, email)
    return _member(row) if row else None


# The lock makes it wait for a new password under way and then judge by that one, and makes a later one wait for the
# session, which it then ends: no session outlives the password that opened it.
INSERT_SESSION = """
INSERT INTO browser_session (id_digest, member_id, expires_at)
SELECT $1, id, clock_timestamp() + $4::interval FROM customer_member
WHERE id = $2 AND password_hash = $3 FOR SHARE
"""


async def insert_session(
    statements: Statements, id_digest: bytes, member_id: UUID, password_hash: str, idle: timedelta
) -> bool:
    """False when the password that was checked is no longer the person's."""
    return bool(await statements.count(INSERT_SESSION, id_digest, member_id, password_hash, idle))


# One statement reads the session and moves its end, at most once a minute, so that a page costs no write each.
SELECT_SESSION = """
WITH live AS (
    SELECT s.id_digest, s.last_seen_at, m.id, m.email, m.name, m.customer_id, c.name AS customer_name
    FROM browser_session s JOIN customer_member m ON m.id = s.member_id JOIN customer c ON c.id = m.customer_id
    WHERE s.id_digest = $1 AND s.expires_at > clock_timestamp() AND c.disabled_at IS NULL
), touched AS (
    UPDATE browser_session s
    SET last_seen_at = clock_timestamp(),
        expires_at = least(clock_timestamp() + $2::interval, s.created_at + $3::interval)
    FROM live WHERE s.id_digest = live.id_digest AND live.last_seen_at < clock_timestamp() - interval '1 minute'
)
SELECT id, email, name, customer_id, customer_name FROM live
"""


async def select_session(
    statements: Statements, id_digest: bytes, *, idle: timedelta, absolute: timedelta
) -> Member | None:
    row = await statements.row(SELECT_SESSION, id_digest, idle, absolute)
    return _member(row) if row else None


DELETE_SESSION = "DELETE FROM browser_session WHERE id_digest = $1"


async def delete_session(statements: Statements, id_digest: bytes) -> None:
    await statements.count(DELETE_SESSION, id_digest)


DELETE_SESSIONS_OF = "DELETE FROM browser_session WHERE member_id = $1"


async def delete_sessions_of(statements: Statements, member_id: UUID) -> int:
    return await statements.count(DELETE_SESSIONS_OF, member_id)


UPDATE_PASSWORD = "UPDATE customer_member SET password_hash = $2 WHERE id = $1"


async def update_password(statements: Statements, member_id: UUID, password_hash: str) -> None:
    await statements.count(UPDATE_PASSWORD, member_id, password_hash)


MARK_CUSTOMER_DISABLED = """
UPDATE customer SET disabled_at = clock_timestamp() WHERE id = $1 AND disabled_at IS NULL
"""


async def mark_customer_disabled(statements: Statements, customer_id: UUID) -> bool:
    """False when it was already."""
    return bool(await statements.count(MARK_CUSTOMER_DISABLED, customer_id))


MARK_CUSTOMER_ENABLED = "UPDATE customer SET disabled_at = NULL WHERE id = $1 AND disabled_at IS NOT NULL"


async def mark_customer_enabled(statements: Statements, customer_id: UUID) -> bool:
    """False when it was already."""
    return bool(await statements.count(MARK_CUSTOMER_ENABLED, customer_id))


SELECT_CUSTOMERS = """
SELECT c.id, c.name, c.disabled_at, c.created_at, array_agg(m.email ORDER BY m.email) AS emails
FROM customer c JOIN customer_member m ON m.customer_id = c.id
GROUP BY c.id ORDER BY c.id
"""


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer account as a list shows it."""

    id: UUID
    name: str
    emails: tuple[str, ...]
    disabled_at: datetime | None
    created_at: datetime


async def select_customers(statements: Statements) -> tuple[Customer, ...]:
    rows = await statements.rows(SELECT_CUSTOMERS)
    return tuple(
        Customer(row["id"], row["name"], tuple(row["emails"]), row["disabled_at"], row["created_at"])
        for row in rows
    )


def _member(row: Row) -> Member:
    return Member(row["id"], row["email"], row["name"], row["customer_id"], row["customer_name"])
