"""The limit's statements, each kept prepared on a connection of its own."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from bench.limit.batch import Batch

# One row an exchange: grant id, its bucket, code digest, application, customer, member, scope, approval, token id, digest.
INSERT_GRANTS_AND_TOKENS = """
WITH asked AS (
    SELECT *, timestamptz 'epoch' + approved_at_us * interval '1 microsecond' AS approved_at, clock_timestamp() AS moment
    FROM unnest($1::limit_exchange[])
), granted AS (
    INSERT INTO authorization_grant (id, bucket, application_id, customer_id, member_id, code_digest, first_token_id, scope, approved_at)
    SELECT id, bucket, application_id, customer_id, member_id, code_digest, token_id, scope, approved_at FROM asked
)
INSERT INTO classic_token
    (id, bucket, digest, grant_id, application_id, customer_id, scope, approved_at, issued_at, used_at, expires_at, absolute_expires_at)
SELECT token_id, bucket, token_digest, id, application_id, customer_id, scope, approved_at,
       moment, moment, moment + interval '365 days', moment + interval '1095 days'
FROM asked
"""

INSERT_STRICT_TOKENS = """
INSERT INTO strict_token (id, bucket, digest, application_id, customer_id, scope, approved_at, issued_at, expires_at)
SELECT id, bucket, digest, application_id, customer_id, scope, moment, moment, moment + interval '1 hour'
FROM unnest($1::limit_token[]), clock_timestamp() AS moment
"""

SELECT_TOKENS = """
SELECT t.id, t.digest, t.application_id, t.customer_id, t.scope, t.issued_at, t.expires_at, g.member_id,
       t.revoked_at IS NULL AND t.expires_at > clock_timestamp() AND g.revoked_at IS NULL AS active
FROM unnest($1::uuid[], $2::int2[]) AS asked(id, bucket)
JOIN classic_token t ON t.id = asked.id AND t.bucket = asked.bucket
JOIN authorization_grant g ON g.id = t.grant_id AND g.bucket = t.bucket
"""

SELECT_FLEETS = """
SELECT f.version FROM unnest($1::uuid[]) WITH ORDINALITY AS asked(customer_id, place)
LEFT JOIN limit_fleet f USING (customer_id) ORDER BY place
"""


class Statements:
    """Call `exchanges`, `client_tokens`, `tokens` or `fleets` with one row, and await it."""

    def __init__(self, connections: Sequence[Any], prepared: Sequence[Any]) -> None:
        self._connections = connections
        self._insert_grants, self._insert_strict, self._select, self._select_fleets = prepared
        self.exchanges = Batch[tuple[Any, ...]](self._exchange)
        self.client_tokens = Batch[tuple[Any, ...]](self._issue)
        self.tokens = Batch[tuple[Any, int]](self._look_up)
        self.fleets = Batch[Any](self._judge)

    async def close(self) -> None:
        for connection in self._connections:
            await connection.close()

    async def _exchange(self, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        await self._insert_grants.fetch(rows)
        return rows

    async def _issue(self, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        await self._insert_strict.fetch(rows)
        return rows

    async def _look_up(self, asked: list[tuple[Any, int]]) -> list[Any]:
        found = {row[0]: row for row in await self._select.fetch(*zip(*asked, strict=True))}
        return [found.get(each[0]) for each in asked]

    async def _judge(self, customer_ids: list[Any]) -> list[Any]:
        rows = await self._select_fleets.fetch(customer_ids)
        return [row["version"] for row in rows]


async def open_statements(database_url: str) -> Statements:
    connections, prepared = [], []
    for statement in (INSERT_GRANTS_AND_TOKENS, INSERT_STRICT_TOKENS, SELECT_TOKENS, SELECT_FLEETS):
        connection = await asyncpg.connect(database_url)
        prepared.append(await connection.prepare(statement))
        await connection.execute("SELECT 1")  # ends the transaction that preparing began
        connections.append(connection)
    return Statements(connections, prepared)
