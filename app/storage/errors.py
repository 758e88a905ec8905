"""How a statement may end: done, proven not done, or unknown (which every connection loss and time-out is)."""

import asyncpg

# Classes in which PostgreSQL cannot say whether the statement took effect: the connection broke (08), the server
# is going down (57P), its surroundings failed (58). A pooler speaks in these classes too.
_UNKNOWN = ("08", "57P", "58")


class StoreUnavailableError(Exception):
    """A store did not answer, or its answer leaves open whether the statement took effect."""


class StatementRefusedError(Exception):
    """The server proved that the statement took no effect."""

    def __init__(self, sqlstate: str, constraint: str | None, message: str) -> None:
        super().__init__(f"{sqlstate} {message}")
        self.sqlstate = sqlstate
        self.constraint = constraint


def judge(error: BaseException) -> StoreUnavailableError | StatementRefusedError:
    """Read the outcome off an exception of asyncpg. By SQLSTATE: asyncpg derives connection loss from PostgresError."""
    sqlstate = getattr(error, "sqlstate", None)
    if isinstance(error, asyncpg.PostgresError) and sqlstate and not sqlstate.startswith(_UNKNOWN):
        return StatementRefusedError(sqlstate, getattr(error, "constraint_name", None), str(error))
    return StoreUnavailableError(f"PostgreSQL: {type(error).__name__} {error}")
