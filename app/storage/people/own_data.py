"""What is stored about one person, for that person."""

from typing import Any
from uuid import UUID

import orjson

from app.storage.postgres.database import Row, Statements

# Hashes, digests and sealed secrets are left out: they tell nothing, and must not travel.
SELECT_OWN_DATA = {
    "person": """
SELECT p.id, p.email, p.name, p.language, p.time_zone, p.created_at, p.email_confirmed_at,
       p.totp_sealed IS NOT NULL AS authenticator_app
FROM person p WHERE p.id = $1
""",
    "account": """
SELECT c.id, c.name, m.role, m.joined_at, m.notices_off FROM customer_member m JOIN customer c ON c.id = m.customer_id WHERE m.person_id = $1
""",
    "operator": "SELECT role, created_at, disabled_at FROM operator WHERE person_id = $1",
    "passkeys": """
SELECT name, rp_id AS host, created_at, last_used_at FROM passkey WHERE person_id = $1 ORDER BY created_at
""",
    "sessions": """
SELECT created_at, last_seen_at, expires_at, address, browser FROM browser_session WHERE person_id = $1 ORDER BY created_at
""",
    "known_browsers": "SELECT expires_at FROM known_browser WHERE person_id = $1 ORDER BY expires_at",
    "changes_of_address": """
SELECT old_email, new_email, asked_at, changed_at, ended_at FROM email_change WHERE person_id = $1 ORDER BY asked_at
""",
    "invitations": """
SELECT role, created_at, expires_at, accepted_at, withdrawn_at FROM invitation
WHERE email = (SELECT email FROM person WHERE id = $1) ORDER BY created_at
""",
    "applications": """
SELECT a.name, a.company, w.joined_at, w.notices_off FROM application_owner w JOIN application a ON a.id = w.application_id
WHERE w.person_id = $1 ORDER BY w.joined_at
""",
    "test_customer": "SELECT id, created_at FROM customer WHERE tester_id = $1",
    "reviews": """
SELECT r.name, r.company, r.asked_at, r.message, r.decision, r.decided_at, r.reason, r.asked_by = $1 AS asked
FROM application_review r WHERE r.asked_by = $1 OR r.decided_by = $1 ORDER BY r.asked_at
""",
    "sign_ups": """
SELECT expires_at, used_at FROM sign_up WHERE email = (SELECT email FROM person WHERE id = $1) ORDER BY expires_at
""",
    "requests_asked": """
SELECT a.name AS application, r.customer_email, r.reason, r.asked_at
FROM access_request r JOIN application a ON a.id = r.application_id WHERE r.asked_by = $1 ORDER BY r.asked_at
""",
    "requests_answered": """
SELECT a.name AS application, a.company, r.state, r.decided_at
FROM access_request r JOIN application a ON a.id = r.application_id WHERE r.decided_by = $1 ORDER BY r.decided_at
""",
    "requests_judged": """
SELECT a.name AS application, r.judged_at, r.judged_reason AS reason
FROM access_request r JOIN application a ON a.id = r.application_id WHERE r.judged_by = $1 ORDER BY r.judged_at
""",
    "approved": """
SELECT a.name AS application, a.company, k.route, k.approved_at, k.cut_at, k.ends_at
FROM connection k JOIN application a ON a.id = k.application_id WHERE k.approved_by = $1 ORDER BY k.approved_at
""",
    "mails": """
SELECT template, recipient, state, queued_at, settled_at FROM mail
WHERE recipient = (SELECT email FROM person WHERE id = $1) ORDER BY queued_at
""",
}
_ONE_ROW = ("person", "account", "operator", "test_customer")


async def select_own_data(statements: Statements, person_id: UUID) -> dict[str, Any]:
    """By topic: a row, a list of rows, or None where a person has no such row."""
    found: dict[str, Any] = {}
    for topic, statement in SELECT_OWN_DATA.items():
        rows = [dict(row) for row in await statements.rows(statement, person_id)]
        found[topic] = (rows[0] if rows else None) if topic in _ONE_ROW else rows
    return found


SELECT_OWN_EVENTS = """
SELECT at, event, customer_id, application_id, address, detail FROM audit_event
WHERE actor_id = $1 AND actor_kind IN ('customer', 'operator', 'application owner') ORDER BY id DESC LIMIT $2
"""


async def select_own_events(statements: Statements, person_id: UUID, most: int) -> list[dict[str, Any]]:
    """What the person did, the newest first."""
    return [_event(row) for row in await statements.rows(SELECT_OWN_EVENTS, person_id, most)]


def _event(row: Row) -> dict[str, Any]:
    return {**row, "detail": orjson.loads(row["detail"])}
