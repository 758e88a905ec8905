"""What the schema needs and no dump holds: roles and their memberships, rights on the database, today's partitions.

`migrate up` supplies what is lacking, each time. `doctor` names it.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from app.refused import SetUpError
from app.storage.errors import StatementRefusedError, judge
from app.storage.postgres.database import Statements
from app.storage.postgres.server import DRIVER_ERRORS
from app.storage.schema.maintenance import CREATE_PARTITIONS

_MOST_ATTEMPTS = 50
_PAUSE_S = 0.02
_RACES = ("XX000", "23505", "42710")  # another database of the cluster made the same at the same moment


class SurroundingsError(SetUpError):
    """Something outside the schema is lacking, and this login may not supply it."""


@dataclass(frozen=True, slots=True)
class Lack:
    """lack: what is missing. remedy: the statement that supplies it."""

    lack: str
    remedy: str


# session_user, since it decides what SET ROLE allows. The first lack alone can be relied on: a role that is missing
# hides what it lacks itself.
SELECT_LACKS = """
WITH here AS (
    SELECT session_user::text AS login, current_database()::text AS database,
           to_regrole('rovitracker_service') IS NOT NULL AND to_regrole('rovitracker_ingest') IS NOT NULL AS complete
), lacks AS (
    SELECT 1 AS place, format('the role %s does not exist', name) AS lack, format('CREATE ROLE %I NOLOGIN', name) AS remedy
    FROM unnest(ARRAY['rovitracker_service', 'rovitracker_ingest']) AS name WHERE to_regrole(name) IS NULL
    UNION ALL
    SELECT 2, format('%s cannot become %s', member, granted),
           format('GRANT %I TO %I WITH INHERIT FALSE, SET TRUE', granted, member)
    FROM here, (VALUES ('rovitracker_service', NULL), ('rovitracker_ingest', 'rovitracker_service'),
                       ('rovitracker_ingest', NULL)) AS needed(granted, other), coalesce(other, login) AS member
    WHERE CASE WHEN complete THEN NOT pg_has_role(member, granted, 'SET') END
    UNION ALL
    SELECT 3, format('%s may not use the schema public', role), format('GRANT USAGE ON SCHEMA public TO %I', role)
    FROM here, unnest(ARRAY['rovitracker_service', 'rovitracker_ingest']) AS role
    WHERE CASE WHEN complete THEN NOT has_schema_privilege(role, 'public', 'USAGE') END
    UNION ALL
    -- Readings are copied into temporary tables.
    SELECT 4, 'rovitracker_ingest may not make temporary tables in the database, so no reading can be written',
           format('GRANT TEMPORARY ON DATABASE %I TO rovitracker_ingest', database)
    FROM here WHERE CASE WHEN complete THEN NOT has_database_privilege('rovitracker_ingest', database, 'TEMPORARY') END
)
SELECT lack, remedy FROM lacks ORDER BY place
"""


async def select_lacks(statements: Statements) -> tuple[Lack, ...]:
    """What is lacking, by the eyes of this login."""
    return tuple(Lack(**row) for row in await statements.rows(SELECT_LACKS))


async def supply_surroundings(connection: Any) -> None:
    """Supply what is lacking, on the owner's connection.

    Raises SurroundingsError, with the statement that an administrator must run, when the owner may not.
    """
    for attempt in range(_MOST_ATTEMPTS):
        row = await connection.fetchrow(SELECT_LACKS)
        if row is None:
            if await connection.fetchval("SELECT to_regproc('create_partitions') IS NOT NULL"):
                await connection.execute(CREATE_PARTITIONS)  # an old dump has none of today
            return
        try:
            await connection.execute(row["remedy"])
        except DRIVER_ERRORS as error:
            await _refuse_unless_raced(Lack(**row), error, last=attempt == _MOST_ATTEMPTS - 1)


async def _refuse_unless_raced(lack: Lack, error: Exception, *, last: bool) -> None:
    outcome = judge(error)
    if not isinstance(outcome, StatementRefusedError):
        raise outcome from error
    if last or outcome.sqlstate not in _RACES:
        raise SurroundingsError(
            f"{lack.lack}, and this login may not change that: an administrator must run `{lack.remedy}`"
        ) from error
    await asyncio.sleep(_PAUSE_S)
