"""A statement ends done, proven not done, or unknown; every connection loss and time-out is unknown."""

import asyncpg

# Classes in which PostgreSQL cannot say whether the statement took effect: the connection broke (08), the server
# is going down (57P), its surroundings failed (58). A pooler speaks in these classes too.
_UNKNOWN = ("08", "57P", "58")


class StoreUnavailableError(Exception):
    """A store did not answer, or its answer leaves open whether the statement took effect."""


class NotSentError(StoreUnavailableError):
    """The store was not even asked: no connection was to be had, or too many requests wait. Nothing took effect."""


class StatementRefusedError(Exception):
    """The server proved that the statement took no effect."""

    def __init__(self, sqlstate: str, message: str) -> None:
        super().__init__(f"{sqlstate} {message}")
        self.sqlstate = sqlstate

    @property
    def lost_a_race(self) -> bool:
        """Whether another transaction stood in the way, which it will hardly do again: a deadlock, or 40001."""
        return self.sqlstate in ("40001", "40P01")


def judge(error: BaseException) -> StoreUnavailableError | StatementRefusedError:
    """Read the outcome off an exception of asyncpg. By SQLSTATE: asyncpg derives connection loss from PostgresError."""
    sqlstate = getattr(error, "sqlstate", None)
    if isinstance(error, asyncpg.PostgresError) and sqlstate and not sqlstate.startswith(_UNKNOWN):
        return StatementRefusedError(sqlstate, str(error))
    return StoreUnavailableError(f"PostgreSQL: {type(error).__name__} {error}")
