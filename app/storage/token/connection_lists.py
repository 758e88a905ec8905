"""Connections as people see them: an account's own list, and what a support case looks for."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from app.storage.postgres.database import Row, Statements
from app.storage.token.connections import Route
from app.storage.token.reads import LAST_DAYS
from app.storage.token.standing import HAS_NOT_ENDED, is_connected, is_newer_than_cut


@dataclass(frozen=True, slots=True)
class Connection:
    """One application that may act for a customer now.

    member_names: who approved. ends_at: None where it does not end by itself.
    last_read_at: None where nothing was read yet. reads_30_days: today and the 29 days before, in UTC.
    machines: how many were chosen; None for all. history_from: None for all that there is.
    unused: approved, and no token was fetched; there are no scopes then.
    """

    application_id: UUID
    scopes: tuple[str, ...]
    member_names: tuple[str, ...]
    connected_at: datetime
    last_read_at: datetime | None
    reads_30_days: int
    ends_at: datetime | None
    version: int
    machines: int | None
    history_from: datetime | None
    unused: bool


def _reads(customer_id: str, application_id: str) -> str:
    """Columns: the last read, and the reads of 30 days. Those that named a machine are counted under the key 0 too."""
    of_all = f"""FROM connection_read r
        WHERE r.customer_id = {customer_id} AND r.application_id = {application_id} AND r.equipment_key = 0"""
    return f"""
       (SELECT max(r.last_at) {of_all} AND r.day = (SELECT r.day {of_all} ORDER BY r.day DESC LIMIT 1)) AS last_read_at,
       (SELECT coalesce(sum(r.reads), 0)::bigint {of_all} AND {LAST_DAYS.format(days=30)}) AS reads_30_days"""


# A classic grant is live while one of its tokens is. A strict grant is live while its newest unspent refresh token is, or
# else an access token, which may outlive the family. Each look has a LIMIT, so a family of many spent tokens costs no more
# than a young one. An application that gets tokens by itself needs none to be live,
# nor does one whose owners may pick a token up.
def _live(only: Callable[[str], str]) -> str:
    """SQL: a row for each thing that lets an application act for customer $1. only: as of `_listed`."""
    return f"""
    SELECT t.application_id, t.scope, t.approved_at, t.approved_at AS connected_at, g.member_id
    FROM classic_token t
    LEFT JOIN authorization_grant g ON g.id = t.grant_id AND g.bucket = t.bucket
    WHERE t.customer_id = $1 AND t.revoked_at IS NULL AND t.expires_at > clock_timestamp() AND g.revoked_at IS NULL
      {only("t.application_id")}
  UNION ALL
    SELECT g.application_id, g.scope, g.approved_at, g.approved_at, g.member_id
    FROM authorization_grant g
    CROSS JOIN LATERAL (
        (SELECT expires_at FROM refresh_token
         WHERE grant_id = g.id AND successor_id IS NULL ORDER BY id DESC LIMIT 1)
        UNION ALL
        (SELECT expires_at FROM strict_token
         WHERE grant_id = g.id AND revoked_at IS NULL AND expires_at > clock_timestamp() LIMIT 1)
    ) t
    WHERE g.customer_id = $1 AND g.expires_at > clock_timestamp() - interval '1 day' AND g.revoked_at IS NULL
      AND t.expires_at > clock_timestamp() {only("g.application_id")}
  UNION ALL
    SELECT t.application_id, t.scope, t.approved_at, coalesce(t.issued_at, t.imported_at), NULL
    FROM legacy_token t
    WHERE t.customer_id = $1 AND t.revoked_at IS NULL
      AND $2::timestamptz IS NOT NULL AND least(t.expires_at, $2) > clock_timestamp()
      {only("t.application_id")}
  UNION ALL
    SELECT a.id, a.scope, k.approved_at, k.approved_at, k.approved_by
    FROM connection k
    JOIN application a ON a.id = k.application_id AND a.customer_id = k.customer_id AND 'client_credentials' = ANY(a.grants)
    WHERE k.customer_id = $1 {only("k.application_id")}
  UNION ALL
    SELECT r.application_id, r.scope, r.decided_at, r.decided_at, r.decided_by
    FROM access_request r WHERE r.customer_id = $1 AND r.state = 'approved' AND r.ends_at > clock_timestamp()
      {only("r.application_id")}"""


# A connection begins with the approval, before its code is redeemed. It is unused for as long as the code lives, unless
# something came of it already. After that nothing can.
def _listed(only: Callable[[str], str]) -> str:
    """SQL: the connections of customer $1, as their owners see them. only: SQL that limits a column of applications."""
    return f"""
WITH live AS ({_live(only)}
), standing AS (
    SELECT t.*, false AS unused FROM live t
    JOIN connection k ON k.customer_id = $1 AND k.application_id = t.application_id
    WHERE {is_newer_than_cut("t")} AND {HAS_NOT_ENDED}
), listed AS (
    SELECT * FROM standing
  UNION ALL
    SELECT k.application_id, '', k.approved_at, k.approved_at, k.approved_by, true
    FROM connection k
    WHERE k.customer_id = $1 AND k.route = 'code' AND {is_connected("k")} {only("k.application_id")}
      AND k.approved_at > clock_timestamp() - $3::interval
      AND NOT EXISTS (SELECT FROM authorization_grant g WHERE g.customer_id = $1 AND g.expires_at IS NOT NULL
                      AND g.application_id = k.application_id AND g.approved_at >= k.approved_at)
      AND NOT EXISTS (SELECT FROM standing t WHERE t.application_id = k.application_id)
      AND NOT EXISTS (SELECT FROM connection_read r WHERE r.customer_id = $1 AND r.application_id = k.application_id
                      AND r.equipment_key = 0 AND r.last_at >= k.approved_at)
)
SELECT t.application_id, bool_and(t.unused) AS unused,
       array_agg(DISTINCT t.scope) AS scopes,
       array_agg(DISTINCT m.name) FILTER (WHERE m.name IS NOT NULL) AS member_names,
       min(t.connected_at) AS connected_at,
       {_reads("$1", "t.application_id")},
       k.ends_at, k.version, k.history_from,
       CASE WHEN k.share IS NOT NULL THEN (SELECT count(*) FROM share_machine s WHERE s.share = k.share) END AS machines
FROM listed t
JOIN application a ON a.id = t.application_id AND a.status IN ('active', 'suspended')
JOIN connection k ON k.customer_id = $1 AND k.application_id = t.application_id
LEFT JOIN person m ON m.id = t.member_id
GROUP BY t.application_id, k.ends_at, k.version, k.share, k.history_from ORDER BY max(t.connected_at) DESC
"""


# The list, and one of it.
SELECT_CONNECTIONS = _listed(lambda _: "")
SELECT_LISTED_CONNECTION = _listed(lambda application_id: f"AND {application_id} = $4")


async def select_connections(
    statements: Statements, customer_id: UUID, *, legacy_until: datetime | None, code_life: timedelta
) -> tuple[Connection, ...]:
    """legacy_until: when the tokens of a former system end; None where none is accepted. code_life: of a code."""
    rows = await statements.rows(SELECT_CONNECTIONS, customer_id, legacy_until, code_life)
    return tuple(_connection(row) for row in rows)


async def select_listed_connection(
    statements: Statements,
    customer_id: UUID,
    application_id: UUID,
    *,
    legacy_until: datetime | None,
    code_life: timedelta,
) -> Connection | None:
    """One of that list; None when it is not on it."""
    asked = customer_id, legacy_until, code_life, application_id
    row = await statements.row(SELECT_LISTED_CONNECTION, *asked)
    return _connection(row) if row else None


def _connection(row: Row) -> Connection:
    return Connection(
        row["application_id"],
        tuple(sorted({part for scope in row["scopes"] for part in scope.split()})),
        tuple(row["member_names"] or ()),
        row["connected_at"],
        row["last_read_at"],
        row["reads_30_days"],
        row["ends_at"],
        row["version"],
        row["machines"],
        row["history_from"],
        row["unused"],
    )


State = Literal["connected", "cut", "ended"]


@dataclass(frozen=True, slots=True)
class FoundConnection:
    """A row, and what it says now. approved_at, route: None where it was cut before any approval.

    last_read_at: None where nothing was read yet. reads_30_days: today and the 29 days before, in UTC.
    """

    customer_id: UUID
    customer: str
    client_id: str
    application: str
    company: str
    state: State
    route: Route | None
    approved_at: datetime | None
    approved_by: str | None
    cut_at: datetime | None
    ends_at: datetime | None
    last_read_at: datetime | None
    reads_30_days: int


# The rows of an account that cut everything at once are no connections unless something was approved.
SELECT_FOUND_CONNECTIONS = f"""
SELECT k.customer_id, c.name AS customer, coalesce(a.former_client_id, a.id::text) AS client_id, a.name AS application,
       a.company,
       CASE WHEN {is_connected("k")} THEN 'connected' WHEN {is_newer_than_cut("k")} THEN 'ended' ELSE 'cut' END AS state,
       k.route, k.approved_at, p.name AS approved_by, k.cut_at, k.ends_at,
       {_reads("k.customer_id", "k.application_id")}
FROM connection k
JOIN customer c ON c.id = k.customer_id
JOIN application a ON a.id = k.application_id
LEFT JOIN person p ON p.id = k.approved_by
WHERE ($1::uuid IS NULL OR k.customer_id = $1) AND ($2::uuid IS NULL OR k.application_id = $2) AND k.approved_at IS NOT NULL
ORDER BY k.approved_at DESC LIMIT $3
"""


async def select_found_connections(
    statements: Statements, *, customer_id: UUID | None, application_id: UUID | None, most: int
) -> tuple[FoundConnection, ...]:
    """The newest connections, of one customer or application where it is named; those that were cut or ended too."""
    rows = await statements.rows(SELECT_FOUND_CONNECTIONS, customer_id, application_id, most)
    return tuple(FoundConnection(**row) for row in rows)


@dataclass(frozen=True, slots=True)
class ConnectedCustomer:
    """A customer that is connected with an application now, as the application's owners see it.

    confirmed_by: the member who said yes on the manual route, and released_at: when RoviTracker let the request through;
    None on every other.
    """

    customer: str
    route: Route
    since: datetime
    confirmed_by: str | None
    released_at: datetime | None
    ends_at: datetime | None
    last_read_at: datetime | None
    reads_30_days: int


SELECT_CONNECTED_CUSTOMERS = f"""
SELECT c.name AS customer, k.route, k.approved_at AS since, decider.name AS confirmed_by, r.judged_at AS released_at, k.ends_at,
       {_reads("k.customer_id", "k.application_id")}
FROM connection k JOIN customer c ON c.id = k.customer_id AND c.disabled_at IS NULL
LEFT JOIN LATERAL (
    SELECT r.decided_by, r.judged_at FROM access_request r
    WHERE r.customer_id = k.customer_id AND r.application_id = k.application_id AND r.decided_at = k.approved_at AND k.route = 'manual'
    LIMIT 1) r ON true
LEFT JOIN person decider ON decider.id = r.decided_by
WHERE k.application_id = $1 AND {is_connected("k")}
ORDER BY k.approved_at DESC, k.customer_id LIMIT $2
"""


async def select_connected_customers(
    statements: Statements, application_id: UUID, most: int
) -> tuple[ConnectedCustomer, ...]:
    """The newest connections of an application that stand."""
    rows = await statements.rows(SELECT_CONNECTED_CUSTOMERS, application_id, most)
    return tuple(ConnectedCustomer(**row) for row in rows)
