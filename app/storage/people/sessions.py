"""The browser sessions of people: begun, read, listed and ended."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.storage.people.people import ENABLED, PERSON_TABLES, Person, person_of
from app.storage.postgres.database import Statements


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session to begin, and what was checked for it. address: of the client. browser: its kind, in plain words.

    second_factor: whether the person has an app. proved: whether a second factor was shown.
    """

    id_digest: bytes
    person_id: UUID
    password_hash: str
    second_factor: bool
    proved: bool
    address: str
    browser: str


# The lock makes it wait for a new password under way and then judge by that one, and makes a later one wait for the
# session, which it then ends: no session outlives the password that opened it. The same holds for the second factor.
INSERT_SESSION = """
INSERT INTO browser_session (id_digest, person_id, expires_at, address, browser, proved_at)
SELECT $1, id, clock_timestamp() + $5::interval, $6, $7, CASE WHEN $8 THEN clock_timestamp() END FROM person
WHERE id = $2 AND password_hash = $3 AND (totp_sealed IS NOT NULL) = $4 FOR SHARE
"""


async def insert_session(statements: Statements, new: NewSession, idle: timedelta) -> bool:
    """False when what was checked is no longer what the person signs in with."""
    checked = (new.id_digest, new.person_id, new.password_hash, new.second_factor)
    return bool(await statements.count(INSERT_SESSION, *checked, idle, new.address, new.browser, new.proved))


# One statement reads the session and moves its end, at most once a minute, so that a page costs no write each. A
# disabled account is as good as none, for an operator who belongs to it.
SELECT_SESSION = f"""
WITH live AS (
    SELECT s.id_digest, s.last_seen_at, p.id, p.email, p.name, c.name AS customer_name, m.role, o.role AS operator_role,
           p.language, p.time_zone, EXISTS (SELECT FROM application_owner w WHERE w.person_id = p.id) AS develops,
           CASE WHEN c.disabled_at IS NULL THEN c.id END AS customer_id
    FROM browser_session s JOIN ({PERSON_TABLES}) ON p.id = s.person_id
    WHERE s.id_digest = $1 AND s.expires_at > clock_timestamp() AND {ENABLED}
), touched AS (
    UPDATE browser_session s
    SET last_seen_at = clock_timestamp(),
        expires_at = least(clock_timestamp() + $2::interval, s.created_at + $3::interval)
    FROM live WHERE s.id_digest = live.id_digest AND live.last_seen_at < clock_timestamp() - interval '1 minute'
)
SELECT id, email, name, customer_id, customer_name, role, operator_role, language, time_zone, develops FROM live
"""


async def select_session(
    statements: Statements, id_digest: bytes, *, idle: timedelta, absolute: timedelta
) -> Person | None:
    row = await statements.row(SELECT_SESSION, id_digest, idle, absolute)
    return person_of(row) if row else None


MARK_SESSION_PROVED = "UPDATE browser_session SET proved_at = clock_timestamp() WHERE id_digest = $1"


async def mark_session_proved(statements: Statements, id_digest: bytes) -> None:
    """A second factor was shown in it just now."""
    await statements.count(MARK_SESSION_PROVED, id_digest)


# A factor that was turned off since proves nothing any more.
SELECT_PROOF = """
SELECT s.proved_at IS NOT NULL AS proved, coalesce(s.proved_at > clock_timestamp() - $2::interval, false) AS fresh,
       p.totp_sealed IS NOT NULL AS has_app, EXISTS (SELECT FROM passkey k WHERE k.person_id = p.id) AS has_passkey
FROM browser_session s JOIN person p ON p.id = s.person_id WHERE s.id_digest = $1
"""


@dataclass(frozen=True, slots=True)
class SecondFactors:
    """The second factors of a person, and whether one was shown in the session: at all, and lately."""

    proved: bool
    fresh: bool
    has_app: bool
    has_passkey: bool


async def select_proof(statements: Statements, id_digest: bytes, lately: timedelta) -> SecondFactors | None:
    """None when the session has ended."""
    row = await statements.row(SELECT_PROOF, id_digest, lately)
    return SecondFactors(**row) if row else None


DELETE_SESSION = "DELETE FROM browser_session WHERE id_digest = $1"


async def delete_session(statements: Statements, id_digest: bytes) -> None:
    await statements.count(DELETE_SESSION, id_digest)


DELETE_SESSIONS_OF = "DELETE FROM browser_session WHERE person_id = $1"


async def delete_sessions_of(statements: Statements, person_id: UUID) -> int:
    return await statements.count(DELETE_SESSIONS_OF, person_id)


SELECT_SESSIONS_OF = """
SELECT id_digest, created_at, last_seen_at, address, browser FROM browser_session
WHERE person_id = $1 AND expires_at > clock_timestamp() ORDER BY last_seen_at DESC, created_at DESC LIMIT $2
"""


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A live session. last_seen_at: correct to a minute. address, browser: of the sign-in."""

    id_digest: bytes
    created_at: datetime
    last_seen_at: datetime
    address: str
    browser: str


async def select_sessions_of(
    statements: Statements, person_id: UUID, most: int
) -> tuple[BrowserSession, ...]:
    """The newest, by when they were last seen."""
    rows = await statements.rows(SELECT_SESSIONS_OF, person_id, most)
    return tuple(
        BrowserSession(
            row["id_digest"], row["created_at"], row["last_seen_at"], row["address"], row["browser"]
        )
        for row in rows
    )


DELETE_SESSION_OF = "DELETE FROM browser_session WHERE person_id = $1 AND id_digest = $2"


async def delete_session_of(statements: Statements, person_id: UUID, id_digest: bytes) -> bool:
    """False when it has ended already, or is another person's."""
    return bool(await statements.count(DELETE_SESSION_OF, person_id, id_digest))


DELETE_OTHER_SESSIONS = "DELETE FROM browser_session WHERE person_id = $1 AND id_digest <> $2"


async def delete_other_sessions(statements: Statements, person_id: UUID, kept_digest: bytes) -> int:
    return await statements.count(DELETE_OTHER_SESSIONS, person_id, kept_digest)
